using System.Globalization;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Sidecar.Audit;

/// <summary>Syslog messages (RFC 5424) over TLS with counted octets (RFC 5425).</summary>
internal sealed class SyslogTransport(SyslogOptions options)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>
    /// One message with its header. Facility 10 (security), severity 5 (notice) and the MSGID are those of PS3.15 A.6; the byte order mark says that
    /// the text is UTF-8.
    /// </summary>
    public static byte[] Frame(string at, string host, string xml)
    {
        var message = Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"<85>1 {InMicroseconds(at)} {host} sidecar {Environment.ProcessId} DICOM+RFC3881 - \uFEFF{xml}"));
        return [.. Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{message.Length} ")), .. message];
    }

    /// <summary>
    /// Sends messages over a connection of their own and returns when the server has read them all: syslog knows no receipt, but a server that answers
    /// the end of the connection with its own has read everything before it.
    /// </summary>
    /// <exception cref="IOException">That is not certain; send them again.</exception>
    public async Task Send(IReadOnlyList<byte[]> frames, CancellationToken token)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(token);
        limit.CancelAfter(Patience);
        try
        {
            using var tcp = new TcpClient();
            await tcp.ConnectAsync(options.Host!, options.Port, limit.Token);
            await using var tls = new SslStream(tcp.GetStream());
            await tls.AuthenticateAsClientAsync(ReadTlsOptions(), limit.Token);
            foreach (var frame in frames)
            {
                await tls.WriteAsync(frame, limit.Token);
            }

            await tls.FlushAsync(limit.Token);
            await tls.ShutdownAsync();
            while (await tls.ReadAsync(new byte[256], limit.Token) > 0)
            {
                // a syslog server has nothing to say; its end is awaited
            }
        }
        catch (OperationCanceledException) when (!token.IsCancellationRequested)
        {
            throw new IOException($"The syslog server {options.Host}:{options.Port} did not answer within {Patience.TotalSeconds} seconds.");
        }
        catch (Exception e) when (e is SocketException or AuthenticationException or CryptographicException or UnauthorizedAccessException)
        {
            throw new IOException($"The syslog server {options.Host}:{options.Port} cannot be used: {e.Message}", e);
        }
    }

    private SslClientAuthenticationOptions ReadTlsOptions()
    {
        // Not TLS 1.3: there a client may send before the server has judged its certificate, and rsyslog ends a refused connection like a served one
        // (seen with 8.2302), so that what it never read would count as delivered. With 1.2 the refusal comes before the first message.
        var tls = new SslClientAuthenticationOptions { TargetHost = options.Host, EnabledSslProtocols = SslProtocols.Tls12 };
        if (options.AuthorityFile is { } authority)
        {
            tls.CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
            tls.CertificateChainPolicy.CustomTrustStore.ImportFromPemFile(authority);
        }

        if (options.CertificateFile is { } certificate)
        {
            tls.ClientCertificates = [X509Certificate2.CreateFromPemFile(certificate, options.KeyFile)];
        }

        return tls;
    }

    // RFC 5424 6.2.3: at most six digits of a second; rows have seven.
    private static string InMicroseconds(string at) => DateTimeOffset.TryParse(at, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
        ? time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture)
        : "-";
}
