namespace Sidecar.Dicom.Codecs;

/// <summary>What this software does with one transfer syntax.</summary>
/// <param name="Uid">Transfer Syntax UID (PS3.6 A).</param>
/// <param name="Name">The standard's name.</param>
/// <param name="CanMask">Whether instances in it can be masked.</param>
/// <param name="Reason">Why not, for a person; null where <paramref name="CanMask"/>.</param>
public sealed record TransferSyntaxSupport(string Uid, string Name, bool CanMask, string? Reason)
{
    /// <summary>The entry for <paramref name="uid"/>; for an unknown one, an entry that refuses and names it.</summary>
    public static TransferSyntaxSupport Find(string uid) => new(uid, uid, false, $"Transfer syntax {uid} is not known to this software.");
}
