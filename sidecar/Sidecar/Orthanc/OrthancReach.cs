using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;

namespace Sidecar.Orthanc;

/// <summary>Tells where else Orthanc listens: version 1.10 opens its ports on all addresses, has no setting for it, and does not say so.</summary>
internal static class OrthancReach
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    /// <summary>What to look at, and why. Null where no other address of this machine answers, or Orthanc is on another machine, of which nothing is known here.</summary>
    /// <param name="orthanc">Orthanc:BaseUrl.</param>
    /// <param name="others">Addresses of this machine that others can send to.</param>
    /// <param name="token">Ends the looking.</param>
    public static async Task<string?> Describe(Uri orthanc, IEnumerable<IPAddress> others, CancellationToken token)
    {
        if (!orthanc.IsLoopback)
        {
            return null;
        }

        List<IPEndPoint> open = [];
        foreach (var address in others)
        {
            var place = new IPEndPoint(address, orthanc.Port);
            if (await Answers(place, token))
            {
                open.Add(place);
            }
        }

        return open.Count == 0
            ? null
            : $"it also listens on {string.Join(", ", open)}, past nginx and the sidecar. Unless a firewall or RemoteAccessAllowed (false) keeps all others away, whoever knows one of its passwords can read and change every image: "
                + "let only this machine reach it (docs/operations.md, \"The locks, and what each is for\").";
    }

    /// <summary>All addresses of this machine but loopback.</summary>
    public static IReadOnlyList<IPAddress> AddressesOfThisMachine() =>
    [
        .. NetworkInterface.GetAllNetworkInterfaces()
            .Where(i => i.OperationalStatus == OperationalStatus.Up)
            .SelectMany(i => i.GetIPProperties().UnicastAddresses)
            .Select(a => a.Address)
            .Where(a => !IPAddress.IsLoopback(a)),
    ];

    private static async Task<bool> Answers(IPEndPoint place, CancellationToken token)
    {
        using var socket = new Socket(place.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(token);
        limit.CancelAfter(Patience);
        try
        {
            await socket.ConnectAsync(place, limit.Token);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
        catch (OperationCanceledException) when (!token.IsCancellationRequested)
        {
            return false; // a firewall that answers nothing
        }
    }
}
