import { useCallback, useEffect, useState, type ReactNode } from 'react';
import { language, t } from '../i18n';
import { describe } from '../pages/describe';
import type { PageClient } from '../sidecar/pageClient';
import type { NewScanSchedule, ScanQueryView, ScanRunView, ScanScheduleView } from '../sidecar/scanTypes';
import { NewSchedule } from './NewSchedule';

const watchMilliseconds = 5_000;

/** When the archive is scanned, and how far the scans are: for administrators. */
export function Schedules({ client }: { readonly client: PageClient }): ReactNode {
  const [runs, setRuns] = useState<readonly ScanRunView[]>();
  const [schedules, setSchedules] = useState<readonly ScanScheduleView[]>();
  const [problem, setProblem] = useState('');
  const [adding, setAdding] = useState(false);

  const load = useCallback(
    async (signal?: AbortSignal) => {
      try {
        setRuns(await client.scans(signal));
        setSchedules(await client.schedules(signal));
      } catch (error) {
        if (!signal?.aborted) {
          setProblem(describe(error));
        }
      }
    },
    [client],
  );
  useEffect(() => {
    const leave = new AbortController();
    void load(leave.signal);
    const timer = setInterval(() => document.visibilityState === 'visible' && void load(leave.signal), watchMilliseconds);
    return () => {
      clearInterval(timer);
      leave.abort();
    };
  }, [load]);

  const run = async (work: () => Promise<void>): Promise<boolean> => {
    setProblem('');
    try {
      await work();
      await load();
      return true;
    } catch (error) {
      setProblem(describe(error));
      return false;
    }
  };

  return (
    <main>
      <h1>{t('page.schedules')}</h1>
      {problem && <p role="alert">{problem}</p>}
      {schedules && (
        <ScheduleTable
          schedules={schedules}
          onRun={query => void run(() => client.startScan(query))}
          onChange={(id, schedule) => void run(() => client.changeSchedule(id, schedule))}
          onDelete={id => void run(() => client.deleteSchedule(id))}
        />
      )}
      {adding ? (
        <NewSchedule
          cancel={() => setAdding(false)}
          add={async schedule => {
            if (await run(() => client.addSchedule(schedule))) {
              setAdding(false);
            }
          }}
        />
      ) : (
        <p>
          <button type="button" onClick={() => setAdding(true)}>{t('schedules.add')}</button>
        </p>
      )}
      <h2>{t('schedules.runs')}</h2>
      {runs ? <RunTable runs={runs} onSteer={(id, how) => void run(() => client.steerScan(id, how))} /> : !problem && <p role="status" className="quiet">{t('page.loading')}</p>}
    </main>
  );
}

interface ScheduleTableProps {
  readonly schedules: readonly ScanScheduleView[];
  readonly onRun: (query: ScanQueryView) => void;
  readonly onChange: (id: string, schedule: NewScanSchedule) => void;
  readonly onDelete: (id: string) => void;
}

function ScheduleTable({ schedules, onRun, onChange, onDelete }: ScheduleTableProps): ReactNode {
  const [asking, setAsking] = useState<string>();
  if (schedules.length === 0) {
    return <p className="quiet">{t('schedules.none')}</p>;
  }
  return (
    <table>
      <caption className="hidden">{t('page.schedules')}</caption>
      <thead>
        <tr>
          <th scope="col">{t('schedules.name')}</th>
          <th scope="col">{t('schedules.when')}</th>
          <th scope="col">{t('schedules.what')}</th>
          <th scope="col"><span className="hidden">{t('worklist.do')}</span></th>
        </tr>
      </thead>
      <tbody>
        {schedules.map(schedule => {
          const { id, ...rest } = schedule;
          return (
            <tr key={id}>
              <th scope="row">{schedule.name}{!schedule.enabled && <div className="warning">{t('schedules.off')}</div>}</th>
              <td><code>{schedule.cron}</code><div className="quiet">{describeHours(schedule)}</div>{schedule.enabled && schedule.nextAt && <div className="quiet">{t('schedules.next', { time: new Date(schedule.nextAt).toLocaleString(language(), { dateStyle: 'short', timeStyle: 'short' }) })}</div>}</td>
              <td>{describeQuery(schedule.query)}{schedule.maxInstances ? <div className="quiet">{t('schedules.atMost', { count: schedule.maxInstances.toLocaleString(language()) })}</div> : null}</td>
              <td>
                <div className="buttons">
                  <button type="button" onClick={() => onRun(schedule.query)}>{t('schedules.runNow')}<span className="hidden"> {schedule.name}</span></button>
                  <button type="button" onClick={() => onChange(id, { ...copyOf(rest), enabled: !schedule.enabled })}>{t(schedule.enabled ? 'schedules.turnOff' : 'schedules.turnOn')}<span className="hidden"> {schedule.name}</span></button>
                  {asking === id ? (
                    <button type="button" className="danger" autoFocus onBlur={() => setAsking(undefined)} onClick={() => onDelete(id)}>{t('templateList.delete.sure')}</button>
                  ) : (
                    <button type="button" onClick={() => setAsking(id)}>{t('templateList.delete')}<span className="hidden"> {schedule.name}</span></button>
                  )}
                </div>
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

/** Only what a person may set: the sidecar adds to it what it knows. */
function copyOf({ name, cron, timeZone, query, windowStart, windowEnd, maxInstances, enabled }: NewScanSchedule): NewScanSchedule {
  return { name, cron, timeZone, query, windowStart, windowEnd, maxInstances, enabled };
}

function describeHours({ timeZone, windowStart, windowEnd }: NewScanSchedule): string {
  return windowStart && windowEnd ? t('schedules.hours', { from: windowStart, to: windowEnd, zone: timeZone }) : timeZone;
}

export function describeQuery(query: ScanQueryView): string {
  return (
    [
      query.modality ?? '',
      query.station ?? '',
      query.dateFrom || query.dateTo ? t('schedules.dates', { from: query.dateFrom ?? '…', to: query.dateTo ?? '…' }) : '',
      query.neverScanned ? t('schedules.neverScanned') : '',
      query.olderEngine ? t('schedules.olderEngine') : '',
    ]
      .filter(Boolean)
      .join(' · ') || t('schedules.everything')
  );
}

function RunTable({ runs, onSteer }: { readonly runs: readonly ScanRunView[]; readonly onSteer: (id: string, how: 'pause' | 'resume' | 'cancel') => void }): ReactNode {
  const number = (value: number): string => value.toLocaleString(language());
  return (
    <table>
      <caption className="hidden">{t('schedules.runs')}</caption>
      <thead>
        <tr>
          <th scope="col">{t('schedules.run')}</th>
          <th scope="col">{t('worklist.state')}</th>
          <th scope="col" className="number">{t('schedules.waiting')}</th>
          <th scope="col" className="number">{t('schedules.scanned')}</th>
          <th scope="col" className="number">{t('schedules.unscannable')}</th>
          <th scope="col" className="number">{t('worklist.findings')}</th>
          <th scope="col"><span className="hidden">{t('worklist.do')}</span></th>
        </tr>
      </thead>
      <tbody>
        {runs.map(run => (
          <tr key={run.id} data-state={run.state}>
            <th scope="row">
              {t(`schedules.kind.${run.kind}`)}
              <div className="quiet">{run.kind === 'bulk' && run.query ? describeQuery(run.query) : run.study}</div>
              <div className="quiet">{t('job.by', { name: run.createdBy, time: new Date(run.createdAt).toLocaleString(language(), { dateStyle: 'short', timeStyle: 'short' }) })}</div>
            </th>
            <td>{t(`schedules.state.${run.state}`)}{run.state === 'running' && !run.mayWorkNow && <div className="warning">{t('schedules.notNow')}</div>}</td>
            <td className="number">{number(run.counts.waiting)}{run.counts.studies > 0 && <div className="quiet">{t('schedules.studies', { count: number(run.counts.studies) })}</div>}</td>
            <td className="number">{number(run.counts.scanned)}</td>
            <td className="number">{number(run.counts.unscannable)}</td>
            <td className="number">{number(run.counts.findings)}</td>
            <td>
              <div className="buttons">
                {run.state === 'running' && <button type="button" onClick={() => onSteer(run.id, 'pause')}>{t('schedules.pause')}</button>}
                {run.state === 'paused' && <button type="button" onClick={() => onSteer(run.id, 'resume')}>{t('schedules.resume')}</button>}
                {(run.state === 'running' || run.state === 'paused') && (run.kind === 'bulk' || run.kind === 'study') && (
                  <button type="button" onClick={() => onSteer(run.id, 'cancel')}>{t('dialog.cancel')}</button>
                )}
              </div>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
