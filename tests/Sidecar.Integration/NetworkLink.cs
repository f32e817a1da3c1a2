using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Sidecar.Integration;

/// <summary>A test that needs a network of its own; says why where none can be made.</summary>
internal sealed class NetworkTheoryAttribute : TheoryAttribute
{
    public NetworkTheoryAttribute() => Skip = NetworkLink.Missing;
}

/// <summary>As <see cref="NetworkTheoryAttribute"/>, for one that waits more than a minute: part of the long campaign.</summary>
internal sealed class LongNetworkFactAttribute : FactAttribute
{
    public LongNetworkFactAttribute() =>
        Skip = NetworkLink.Missing ?? (Environment.GetEnvironmentVariable("FAULT_CAMPAIGN") is null ? "It waits for more than a minute; the long fault campaign runs it (docs/reliability.md)." : null);
}

/// <summary>Which packets of a link are lost.</summary>
internal enum Loss
{
    None,

    /// <summary>Those to the far side.</summary>
    There,

    /// <summary>Those from the far side.</summary>
    Back,

    Both,

    /// <summary>All within 40 ms out of each 80.</summary>
    Half,
}

/// <summary>
/// A network namespace of Linux, the far side, joined to that of the tests by two veth pairs and a third namespace that passes packets on, or drops them
/// without a word to anybody: no connection is refused or reset, as when a switch dies. All of it is gone with the test process however that ends.
/// </summary>
internal sealed class NetworkLink : IAsyncDisposable
{
    // The wire drops what comes in by an interface that does not forward: ip_error() of Linux sends no ICMP then.
    private const string Script =
        """
        set -e
        PATH=$PATH:/usr/sbin:/sbin
        name=sct$$ here=$1.$(($2 + 1)) wire=$1.$(($2 + 2)) exit=$1.$(($2 + 5)) far=$1.$(($2 + 6))
        trap 'ip netns del $name-far; ip netns del $name-wire' EXIT
        ip netns add $name-far
        ip netns add $name-wire
        ip link add $name type veth peer name near netns $name-wire
        ip -n $name-wire link add away type veth peer name out netns $name-far
        ip addr add $here/30 dev $name
        ip link set $name up
        ip -n $name-wire addr add $wire/30 dev near
        ip -n $name-wire link set near up
        ip -n $name-wire addr add $exit/30 dev away
        ip -n $name-wire link set away up
        ip -n $name-far addr add $far/30 dev out
        ip -n $name-far link set out up
        ip -n $name-far link set lo up
        ip -n $name-far route add default via $exit
        ip route add $far/32 via $wire
        pass() { ip netns exec $name-wire sh -c "echo $1 >/proc/sys/net/ipv4/conf/near/forwarding; echo $2 >/proc/sys/net/ipv4/conf/away/forwarding"; }
        pass 1 1
        echo $name-far
        while read -r there back; do
            pass "$there" "$back"
            echo done
        done
        """;

    private const int NewNetwork = 0x40000000; // CLONE_NEWNET, sched.h
    private static readonly Lazy<string?> Reason = new(Try);
    private static int _number = Random.Shared.Next(256 * 32);
    private readonly Process _shell;
    private readonly SemaphoreSlim _one = new(1);
    private readonly string _namespace;

    private NetworkLink(Process shell, string near, string far, string name)
    {
        _shell = shell;
        Near = IPAddress.Parse(near);
        Far = IPAddress.Parse(far);
        _namespace = name;
    }

    /// <summary>Why no such network can be made here; null where it can.</summary>
    public static string? Missing => Reason.Value;

    /// <summary>Address of this side.</summary>
    public IPAddress Near { get; }

    /// <summary>Address of the far side.</summary>
    public IPAddress Far { get; }

    public static async Task<NetworkLink> Start()
    {
        // A range for tests of networks (RFC 2544); the next 8 addresses for each link.
        var number = Interlocked.Increment(ref _number) % (256 * 32);
        var (network, first) = ($"198.18.{number / 32}", number % 32 * 8);
        var shell = Run(network, first);
        var name = await shell.StandardOutput.ReadLineAsync() ?? throw new InvalidOperationException($"No network can be made: {await shell.StandardError.ReadToEndAsync()}");
        return new NetworkLink(shell, $"{network}.{first + 1}", $"{network}.{first + 6}", name);
    }

    /// <summary>Does something on the far side: programs it starts and sockets it opens stay there.</summary>
    public Task<T> OnFarSide<T>(Func<T> work)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        // A thread of its own: it does not come back.
        new Thread(() =>
        {
            try
            {
                using var file = File.OpenHandle($"/run/netns/{_namespace}");
                if (SetNamespace(file, NewNetwork) != 0)
                {
                    throw new Win32Exception(Marshal.GetLastPInvokeError());
                }

                done.SetResult(work());
            }
            catch (Exception e)
            {
                done.SetException(e);
            }
        }).Start();
        return done.Task;
    }

    /// <summary>Loses packets for a time.</summary>
    public async Task Lose(Loss loss, TimeSpan time)
    {
        var started = Stopwatch.GetTimestamp();
        while (loss == Loss.Half && Stopwatch.GetElapsedTime(started) < time)
        {
            await Lose(Loss.Both, TimeSpan.FromMilliseconds(40));
            await Task.Delay(40);
        }

        if (loss != Loss.Half)
        {
            await Pass(loss == Loss.Back, loss == Loss.There);
            await Task.Delay(time);
        }

        await Pass(there: true, back: true);
    }

    public async ValueTask DisposeAsync()
    {
        _shell.StandardInput.Close();
        await _shell.WaitForExitAsync();
        _shell.Dispose();
        _one.Dispose();
    }

    private async Task Pass(bool there, bool back)
    {
        await _one.WaitAsync();
        try
        {
            await _shell.StandardInput.WriteLineAsync($"{(there ? 1 : 0)} {(back ? 1 : 0)}");
            await _shell.StandardInput.FlushAsync();
            Assert.Equal("done", await _shell.StandardOutput.ReadLineAsync());
        }
        finally
        {
            _one.Release();
        }
    }

    private static string? Try()
    {
        if (!Environment.IsPrivilegedProcess)
        {
            return "Only root can make network namespaces.";
        }

        using var shell = Run("198.18.255", 248);
        shell.StandardInput.Close();
        var said = shell.StandardError.ReadToEnd();
        shell.WaitForExit();
        return shell.ExitCode == 0 ? null : $"No network namespaces can be made here (iproute2 and CAP_SYS_ADMIN are needed): {said.Split('\n')[0]}";
    }

    private static Process Run(string network, int first) =>
        Process.Start(new ProcessStartInfo("sh", ["-c", Script, "sh", network, first.ToString(CultureInfo.InvariantCulture)])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;

    [DllImport("libc", EntryPoint = "setns", SetLastError = true)]
    private static extern int SetNamespace(SafeFileHandle file, int type);
}
