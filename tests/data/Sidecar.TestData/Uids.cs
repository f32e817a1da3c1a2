using System.Numerics;
using System.Security.Cryptography;
using System.Text;

namespace Sidecar.TestData;

/// <summary>UIDs under 2.25 (PS3.5 B.2) that are the same in each run.</summary>
public static class Uids
{
    public static string From(string seed)
    {
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes(seed)).AsSpan(0, 16);
        hash[6] = (byte)((hash[6] & 0x0F) | 0x40);
        hash[8] = (byte)((hash[8] & 0x3F) | 0x80);
        return $"2.25.{new BigInteger(hash, isUnsigned: true, isBigEndian: true)}";
    }
}
