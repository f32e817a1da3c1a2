using System.Security.Cryptography;

namespace Sidecar.Workers;

/// <summary>
/// Compressed frames that killed their worker, by the SHA-256 of the codestream. After the second death a frame is refused at once, so that no job
/// tries its file for ever. Kept in memory; the service keeps it in a <see cref="QuarantineFile"/> as well.
/// </summary>
/// <param name="known">Deaths of earlier processes: one entry each.</param>
/// <param name="store">Called for each death with the hash and the reason, on the thread that met it.</param>
public sealed class Quarantine(IEnumerable<string>? known = null, Action<string, string>? store = null)
{
    private const int DeathsAllowed = 2;
    private readonly Lock gate = new();
    private readonly Dictionary<string, int> deaths = (known ?? []).GroupBy(hash => hash).ToDictionary(group => group.Key, group => group.Count());

    /// <summary>How many codestreams are refused at once.</summary>
    public int Count
    {
        get
        {
            lock (gate)
            {
                return deaths.Count(death => death.Value >= DeathsAllowed);
            }
        }
    }

    /// <summary>Whether this codestream killed too many workers already. Costs nothing while none has died.</summary>
    public bool Holds(ReadOnlySpan<byte> codestream)
    {
        lock (gate)
        {
            if (deaths.Count == 0)
            {
                return false;
            }
        }
        var hash = Hash(codestream);
        lock (gate)
        {
            return deaths.GetValueOrDefault(hash) >= DeathsAllowed;
        }
    }

    public void AddDeath(ReadOnlySpan<byte> codestream, string reason)
    {
        var hash = Hash(codestream);
        lock (gate)
        {
            deaths[hash] = deaths.GetValueOrDefault(hash) + 1;
        }
        store?.Invoke(hash, reason);
    }

    private static string Hash(ReadOnlySpan<byte> codestream) => Convert.ToHexStringLower(SHA256.HashData(codestream));
}
