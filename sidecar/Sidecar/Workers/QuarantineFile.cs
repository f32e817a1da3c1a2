using System.Globalization;
using System.Text;
using Sidecar.Storage;

namespace Sidecar.Workers;

/// <summary>
/// What <see cref="Quarantine"/> must not forget, as text that an administrator can read: a line for each death of a worker, with the time, the SHA-256
/// of the codestream and the reason. Deleting the file, or lines of it, and starting the service again clears the quarantine.
/// </summary>
internal sealed class QuarantineFile(string path, TimeProvider time)
{
    private readonly Lock gate = new();

    public string Path => path;

    /// <summary>The hash of each death on record; lines that a power cut or a person left incomplete count for nothing.</summary>
    public IReadOnlyList<string> ReadHashes() => !File.Exists(path) ? [] :
        [.. File.ReadLines(path).Select(line => line.Split(' ', 3)).Where(parts => parts is [_, { Length: 64 }, _]).Select(parts => parts[1])];

    /// <summary>Is on disk when the call returns.</summary>
    /// <exception cref="IOException">The disk is full or away.</exception>
    public void Append(string sha256, string reason)
    {
        var line = Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{time.GetUtcNow():yyyy-MM-ddTHH:mm:ssZ} {sha256} {reason}\n"));
        lock (gate)
        {
            using var file = PrivateFiles.Append(path);
            file.Write(line);
            file.Flush(flushToDisk: true);
        }
    }
}
