using System.Security.Cryptography;
using Microsoft.Extensions.Options;

namespace Sidecar.Orthanc;

/// <summary>
/// The key that seals the journal's records, which hold the keys of its other files. It lies outside of the journal's folder: a disk or a backup of that
/// folder shows nobody an image.
/// </summary>
internal sealed class JournalKey(IOptions<JournalOptions> options)
{
    private const int IdBytes = 8;
    private const int NonceBytes = 12;
    private const int TagBytes = 16;
    private const int HeaderBytes = 8 + IdBytes + NonceBytes + TagBytes;

    private readonly Lazy<byte[]> key = new(() => options.Value.ReadKey());

    private static ReadOnlySpan<byte> Magic => "SIDECAR1"u8;

    /// <summary>Encrypts and authenticates with AES-256-GCM; says which key it took.</summary>
    public byte[] Seal(ReadOnlySpan<byte> content)
    {
        var result = new byte[HeaderBytes + content.Length];
        var span = result.AsSpan();
        Magic.CopyTo(span);
        IdOf(key.Value).CopyTo(span[8..]);
        var nonce = span.Slice(8 + IdBytes, NonceBytes);
        RandomNumberGenerator.Fill(nonce);
        using var cipher = new AesGcm(key.Value, TagBytes);
        cipher.Encrypt(nonce, content, span[HeaderBytes..], span.Slice(HeaderBytes - TagBytes, TagBytes), span[..(8 + IdBytes)]);
        return result;
    }

    /// <summary>The content of what <see cref="Seal"/> made; null where writing it was cut off, so that it was never whole.</summary>
    /// <exception cref="IOException">It was sealed with another key, or is something else: nobody may take it for cut off and throw it away.</exception>
    public byte[]? Open(string name, ReadOnlySpan<byte> content)
    {
        if (content.Length < HeaderBytes || !content[..HeaderBytes].ContainsAnyExcept((byte)0))
        {
            return null;
        }
        if (!content.StartsWith(Magic))
        {
            throw new IOException($"{name} in the journal was not sealed by this version. Start the version that wrote it until its jobs are finished.");
        }
        if (!content.Slice(8, IdBytes).SequenceEqual(IdOf(key.Value)))
        {
            throw new IOException($"{name} in the journal was sealed with another key. Put the earlier key back (Journal:KeyFile) until its job is finished.");
        }
        var result = new byte[content.Length - HeaderBytes];
        using var cipher = new AesGcm(key.Value, TagBytes);
        try
        {
            cipher.Decrypt(content.Slice(8 + IdBytes, NonceBytes), content[HeaderBytes..], content.Slice(HeaderBytes - TagBytes, TagBytes), result, content[..(8 + IdBytes)]);
            return result;
        }
        catch (AuthenticationTagMismatchException)
        {
            return null;
        }
    }

    private static ReadOnlySpan<byte> IdOf(byte[] key) => SHA256.HashData(key).AsSpan(0, IdBytes);
}
