using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Sidecar.Tests.Dicom;
using Xunit;

namespace Sidecar.Tests.Audit;

/// <summary>A test that needs Debian's rsyslog; says so where it is missing.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class RsyslogFactAttribute : FactAttribute
{
    public RsyslogFactAttribute() => Skip = Missing;

    /// <summary>Why there is no such server here; null where there is.</summary>
    public static string? Missing { get; } =
        File.Exists(SyslogServer.Program) && Directory.EnumerateDirectories("/usr/lib", "*-linux-gnu").Any(d => File.Exists(Path.Combine(d, "rsyslog/lmnsd_ossl.so")))
            ? null
            : "rsyslog with TLS is not installed: apt-get install rsyslog rsyslog-openssl";
}

/// <summary>The same, with a table.</summary>
internal sealed class RsyslogTheoryAttribute : TheoryAttribute
{
    public RsyslogTheoryAttribute() => Skip = RsyslogFactAttribute.Missing;
}

/// <summary>A real rsyslog that takes TLS connections only, with certificates made for it, and writes each message to a file as it came.</summary>
internal sealed class SyslogServer : IAsyncDisposable
{
    public const string Program = "/usr/sbin/rsyslogd";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("sidecar-syslog-");
    private Process? _process;

    public SyslogServer(bool asksForCertificate)
    {
        var free = new TcpListener(IPAddress.Loopback, 0);
        free.Start();
        Port = ((IPEndPoint)free.LocalEndpoint).Port;
        free.Stop();
        Make("authority", signer: null);
        Make("server", "authority");
        Make("client", "authority");
        Make("stranger", signer: null);
        File.WriteAllText(Path("rsyslog.conf"),
            $"""
            global(workDirectory="{_folder.FullName}" maxMessageSize="64k" defaultNetstreamDriver="ossl"
              defaultNetstreamDriverCAFile="{Path("authority.pem")}" defaultNetstreamDriverCertFile="{Path("server.pem")}" defaultNetstreamDriverKeyFile="{Path("server.key")}")
            module(load="imtcp" StreamDriver.Name="ossl" StreamDriver.Mode="1" StreamDriver.AuthMode="{(asksForCertificate ? "x509/certvalid" : "anon")}")
            input(type="imtcp" port="{Port}" address="127.0.0.1")
            template(name="asItCame" type="string" string="%rawmsg%\n")
            action(type="omfile" file="{Path("messages")}" template="asItCame")
            """);
    }

    public int Port { get; }

    public string Path(string name) => System.IO.Path.Combine(_folder.FullName, name);

    public async Task Start()
    {
        _process = Process.Start(new ProcessStartInfo(Program, ["-n", "-f", Path("rsyslog.conf"), "-i", Path("pid")]) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        using var limit = new CancellationTokenSource(Patience);
        while (true)
        {
            try
            {
                using var probe = new TcpClient();
                await probe.ConnectAsync(IPAddress.Loopback, Port, limit.Token);
                return;
            }
            catch (SocketException)
            {
                Assert.False(_process.HasExited, "rsyslogd ended: " + (_process.HasExited ? await _process.StandardError.ReadToEndAsync(limit.Token) : ""));
                await Task.Delay(50, limit.Token);
            }
        }
    }

    public async Task Kill()
    {
        if (_process is { } process)
        {
            process.Kill();
            await process.WaitForExitAsync();
            process.Dispose();
            _process = null;
        }
    }

    /// <summary>The messages in the file, once there are at least that many.</summary>
    public async Task<IReadOnlyList<string>> Messages(int atLeast)
    {
        using var limit = new CancellationTokenSource(Patience);
        while (true)
        {
            var lines = File.Exists(Path("messages")) ? await File.ReadAllLinesAsync(Path("messages"), limit.Token) : [];
            if (lines.Length >= atLeast)
            {
                return lines;
            }

            await Task.Delay(50, limit.Token);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Kill();
        _folder.Delete(recursive: true);
    }

    private void Make(string name, string? signer)
    {
        Oracle.Run("openssl", [
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", $"/CN={name}", "-keyout", Path(name + ".key"), "-out", Path(name + ".pem"),
            .. signer is null
                ? (string[])["-addext", "basicConstraints=critical,CA:TRUE"]
                : ["-addext", "basicConstraints=critical,CA:FALSE", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost", "-CA", Path(signer + ".pem"), "-CAkey", Path(signer + ".key")],
        ]);
    }
}
