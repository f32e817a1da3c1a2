using System.Net;
using System.Net.Http.Headers;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using Microsoft.Extensions.Options;

namespace Sidecar.Orthanc;

/// <summary>
/// Finds out whether others can reach an Orthanc on this machine without coming by way of nginx and the sidecar: version 1.10 opens its ports on all
/// addresses, has no setting for it, and does not tell whether it serves whoever comes by another one than loopback (RemoteAccessAllowed).
/// </summary>
internal sealed class OrthancReach(IOptions<OrthancOptions> options)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    /// <summary>Where programs of this machine listen.</summary>
    public Func<IReadOnlyList<IPEndPoint>> Listeners { get; init; } = IPGlobalProperties.GetIPGlobalProperties().GetActiveTcpListeners;

    /// <summary>Addresses of this machine that others can send to.</summary>
    public Func<IReadOnlyList<IPAddress>> Addresses { get; init; } = AddressesOfThisMachine;

    /// <summary>What is wrong and what to do. Null where nothing is, or where Orthanc is on another machine, of which nothing is known here.</summary>
    public async Task<string?> FindFault(CancellationToken token)
    {
        var orthanc = new Uri(options.Value.BaseUrl);
        // A socket of all addresses is the one that the sidecar itself asks; one of another address may be anybody's, who is not to learn the password.
        if (!orthanc.IsLoopback || options.Value.OthersAreKeptAway || !Listeners().Any(l => l.Port == orthanc.Port && (l.Address.Equals(IPAddress.Any) || l.Address.Equals(IPAddress.IPv6Any))))
        {
            return null;
        }

        var asked = await Task.WhenAll(Addresses().Select(async address => (Place: new IPEndPoint(address, orthanc.Port), Serves: await Serves(orthanc, address, token))));
        var open = asked.Where(a => a.Serves).Select(a => a.Place).ToList();
        return open.Count == 0
            ? null
            : $"Orthanc also serves others, on {string.Join(", ", open)}, past nginx and the sidecar: with one of its passwords, where it asks for any, they can read and change every image. "
                + "The administrator must set \"RemoteAccessAllowed\": false in Orthanc's configuration and restart Orthanc; or, where a firewall keeps others away, say so with Orthanc:OthersAreKeptAway.";
    }

    /// <summary>All addresses of this machine but loopback.</summary>
    private static IReadOnlyList<IPAddress> AddressesOfThisMachine() =>
    [
        .. NetworkInterface.GetAllNetworkInterfaces()
            .Where(i => i.OperationalStatus == OperationalStatus.Up)
            .SelectMany(i => i.GetIPProperties().UnicastAddresses)
            .Select(a => a.Address)
            .Where(a => !IPAddress.IsLoopback(a)),
    ];

    // Orthanc takes for remote whoever does not come from 127.0.0.1; what this machine sends to another address of its own comes from that address.
    private async Task<bool> Serves(Uri orthanc, IPAddress address, CancellationToken token)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(token);
        limit.CancelAfter(Patience);
        using var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseProxy = false,
            ConnectCallback = async (_, t) =>
            {
                var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
                try
                {
                    await socket.ConnectAsync(new IPEndPoint(address, orthanc.Port), t);
                    return new NetworkStream(socket, ownsSocket: true);
                }
                catch
                {
                    socket.Dispose();
                    throw;
                }
            },
        };
        using var client = new HttpClient(handler);
        client.DefaultRequestHeaders.Authorization = options.Value.Credentials();
        try
        {
            using var answer = await client.GetAsync(new Uri(options.Value.Root, "system"), limit.Token);
            return answer.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
        catch (OperationCanceledException) when (!token.IsCancellationRequested)
        {
            return false; // a firewall that answers nothing
        }
    }
}
