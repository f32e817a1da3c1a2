using System.Data.Common;
using Microsoft.Extensions.Options;
using Quartz;

namespace Sidecar.Scans;

/// <summary>Begins the run of a schedule that is due, or gives the one that is still under way a fresh budget, so that it goes on where it was.</summary>
internal sealed class ScanScheduleJob(ScanScheduleStore schedules, ScanRunStore runs, ScanSignal signal, TimeProvider time) : IJob
{
    public static readonly JobKey Key = new("scan-schedule");

    public async ValueTask Execute(IJobExecutionContext context, CancellationToken cancellationToken = default) =>
        await Fire(context.Trigger.Key.Name, context.ScheduledFireTimeUtc ?? context.FireTimeUtc, cancellationToken);

    internal async Task Fire(string id, DateTimeOffset due, CancellationToken token)
    {
        if (await schedules.Find(id, token) is not { IsEnabled: not 0 } schedule)
        {
            return; // deleted or switched off a moment ago
        }

        if (await runs.FindOpen(id, token) is { } open)
        {
            await runs.Refill(open.Id, schedule.MaxInstances, token);
        }
        else
        {
            await runs.Create(schedule.ToRun(due, time.GetUtcNow()), token);
        }

        signal.Pulse();
    }
}

/// <summary>
/// Keeps Quartz's triggers as the schedules are. The schedules are the truth; Quartz only remembers when each was due, over restarts and for all
/// nodes, so that a time that was slept through is made up for once.
/// </summary>
internal sealed partial class ScanScheduler(ISchedulerFactory factory, ScanScheduleStore schedules, IOptions<ScanOptions> options, TimeProvider time, ILogger<ScanScheduler> logger) : BackgroundService
{
    private const string Group = "scans";
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!options.Value.Enabled)
        {
            return;
        }

        await Task.Yield();
        IScheduler? scheduler = null;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                var wanted = await schedules.List(stoppingToken); // makes the folder and the tables, where this is the first start
                if (scheduler is null)
                {
                    var made = await factory.GetScheduler(stoppingToken);
                    await made.AddJob(JobBuilder.Create<ScanScheduleJob>().WithIdentity(ScanScheduleJob.Key).StoreDurably().Build(), AddJobOptions.Replacing, stoppingToken);
                    await made.Start(stoppingToken);
                    scheduler = made;
                }

                await Apply(scheduler, wanted, stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                break;
            }
            catch (Exception e) when (e is SchedulerException or DbException or IOException or InvalidOperationException or TimeoutException)
            {
                LogTryAgain(e); // the database is away; /health/ready says so
            }

            await Task.Delay(Pause, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        if (scheduler is not null)
        {
            await scheduler.Shutdown(waitForJobsToComplete: true, CancellationToken.None);
        }
    }

    private static async Task Apply(IScheduler scheduler, IReadOnlyList<ScanSchedule> wanted, CancellationToken token)
    {
        foreach (var schedule in wanted)
        {
            var key = new TriggerKey(schedule.Id, Group);
            var there = await scheduler.GetTrigger(key, token);
            if (schedule.IsEnabled == 0)
            {
                if (there is not null)
                {
                    await scheduler.UnscheduleJob(key, token);
                }

                continue;
            }

            // A trigger that is as it should be is left alone: it knows when it was last due.
            var when = $"{schedule.Cron} {schedule.TimeZone}";
            if (there?.Description != when && ScanSchedule.ParseCron(schedule.Cron) is { } cron)
            {
                var trigger = TriggerBuilder.Create().WithIdentity(key).ForJob(ScanScheduleJob.Key).WithDescription(when)
                    .WithCronSchedule(cron.WithTimeZone(schedule.Zone), c => c.InTimeZone(schedule.Zone).WithMisfireInstruction(CronTriggerMisfireInstruction.FireAndProceed)).Build();
                await scheduler.ScheduleTrigger(trigger, TriggerConflict.Replace, token);
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Schedules cannot be read now; trying again")]
    private partial void LogTryAgain(Exception e);
}
