using System.Security.Cryptography;
using System.Text;

namespace Sidecar.Audit;

/// <summary>An ECDSA P-256 key pair, or its public half, that vouches for checkpoints and certificates. Signatures are DER (RFC 3279) over SHA-256, as openssl makes and checks them.</summary>
internal sealed class AuditKey : IDisposable
{
    private const string P256 = "1.2.840.10045.3.1.7";
    private readonly ECDsa _key;

    private AuditKey(ECDsa key) => _key = key;

    /// <summary>The public half, PEM.</summary>
    public string PublicKey => _key.ExportSubjectPublicKeyInfoPem();

    /// <summary>SHA-256 of the public half (SubjectPublicKeyInfo), lower-case hexadecimal: what two people compare.</summary>
    public string Fingerprint => Convert.ToHexStringLower(SHA256.HashData(_key.ExportSubjectPublicKeyInfo()));

    /// <exception cref="InvalidOperationException">The file cannot be read or holds no such key; the message says what to do and nothing of the key.</exception>
    public static AuditKey Read(string file)
    {
        try
        {
            return Parse(File.ReadAllText(file));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or CryptographicException)
        {
            throw new InvalidOperationException(
                $"{file} cannot be used as the audit's key. It must be a readable PEM file with an ECDSA P-256 key, made for example with: openssl ecparam -name prime256v1 -genkey -noout", e);
        }
    }

    /// <exception cref="ArgumentException">The text is not PEM.</exception>
    /// <exception cref="CryptographicException">It holds another kind of key.</exception>
    public static AuditKey Parse(string pem)
    {
        var key = ECDsa.Create();
        try
        {
            key.ImportFromPem(pem);
            return key.ExportParameters(includePrivateParameters: false).Curve.Oid.Value == P256 ? new AuditKey(key) : throw new CryptographicException("The key is not on the curve P-256.");
        }
        catch
        {
            key.Dispose();
            throw;
        }
    }

    /// <returns>The signature, base64.</returns>
    public string Sign(string text) => Convert.ToBase64String(_key.SignData(Encoding.UTF8.GetBytes(text), HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence));

    public bool Verify(string text, string? signature)
    {
        var bytes = new byte[128];
        return signature is not null && Convert.TryFromBase64String(signature, bytes, out var length)
            && _key.VerifyData(Encoding.UTF8.GetBytes(text), bytes.AsSpan(0, length), HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);
    }

    public void Dispose() => _key.Dispose();
}
