using System.Security.Cryptography;

namespace Sidecar.Orthanc;

/// <summary>
/// Finds out, with an instance of nobody, whether this Orthanc can replace images safely: it must overwrite, keep bytes as they are, and
/// serve nobody past the sidecar. Orthanc 1.10.1 tells none of these settings.
/// </summary>
internal sealed class SafetyProbe(OrthancClient orthanc, OrthancReach reach, TimeProvider time) : IDisposable
{
    public const string OverwriteOff =
        "Orthanc keeps the old image when a masked one is stored, so nothing can be masked. The administrator must set \"OverwriteInstances\": true in Orthanc's configuration and restart Orthanc.";

    public const string ChangesBytes =
        "Orthanc does not keep stored files as they were sent, so a masked image cannot be checked. The administrator must remove \"IngestTranscoding\" from Orthanc's configuration, leave \"StoreMD5ForAttachments\" on, and restart Orthanc.";

    private static readonly TimeSpan GoodFor = TimeSpan.FromMinutes(1);
    private readonly SemaphoreSlim _one = new(1);
    private DateTimeOffset? _passedAt;

    /// <summary>Why Orthanc was found unsafe when last tried; null where it was not.</summary>
    public string? Finding { get; private set; }

    /// <summary>Returns when Orthanc is safe to use, having tried it within the last minute.</summary>
    /// <exception cref="UnsafeOrthancException">It is not; the message says what the administrator must change.</exception>
    /// <exception cref="OrthancException">It did not answer.</exception>
    public async Task EnsureSafe(CancellationToken token)
    {
        await _one.WaitAsync(token);
        try
        {
            if (_passedAt is null || time.GetUtcNow() - _passedAt > GoodFor)
            {
                _passedAt = null;
                await Probe(token);
                _passedAt = time.GetUtcNow();
                Finding = null;
            }
        }
        catch (UnsafeOrthancException e)
        {
            Finding = e.Message;
            throw;
        }
        finally
        {
            _one.Release();
        }
    }

    private async Task Probe(CancellationToken token)
    {
        if (await reach.FindFault(token) is { } fault)
        {
            throw new UnsafeOrthancException(fault);
        }

        var stored = new HashSet<OrthancId>(); // a lossy IngestTranscoding makes new ids
        try
        {
            // Uncompressed, then RLE: one of the two is changed by any IngestTranscoding.
            for (var attempt = 1; ; attempt++)
            {
                var same = true;
                foreach (var compressed in (bool[])[false, true])
                {
                    var file = ProbeInstance.Build(compressed, Guid.NewGuid().ToString());
                    var id = await orthanc.StoreInstance(new MemoryStream(file), token);
                    stored.Add(id);
                    var info = await orthanc.FindFileInfo(id, token);
                    same &= info?.UncompressedMd5 == Convert.ToHexStringLower(Md5(file));
                }

                if (same)
                {
                    return;
                }

                if (attempt == 3)
                {
                    throw new UnsafeOrthancException(ChangesBytes);
                }

                // Another probe (sidecar doctor) may have stored its own in between.
                await Task.Delay(TimeSpan.FromMilliseconds(Random.Shared.Next(50, 300)), time, token);
            }
        }
        finally
        {
            foreach (var id in stored)
            {
                await orthanc.DeleteInstance(id, CancellationToken.None);
            }
        }
    }

    public void Dispose() => _one.Dispose();

#pragma warning disable CA5351 // MD5 is the digest that Orthanc publishes; it guards against mix-ups, not against attackers.
    private static byte[] Md5(byte[] file) => MD5.HashData(file);
#pragma warning restore CA5351
}
