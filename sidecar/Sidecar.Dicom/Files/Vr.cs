namespace Sidecar.Dicom.Files;

/// <summary>A value representation as its two letters (PS3.5 6.2); <see cref="None"/> where the header carries none.</summary>
public readonly record struct Vr(ushort Letters)
{
    public static readonly Vr None;
    public static readonly Vr SQ = new("SQ");
    public static readonly Vr UN = new("UN");
    public static readonly Vr OB = new("OB");
    public static readonly Vr OW = new("OW");

    private const string ShortForm = "AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US";
    private const string LongForm = "OB OD OF OL OV OW SQ SV UC UN UR UT UV";

    public Vr(string letters)
        : this((ushort)((letters[0] << 8) | letters[1]))
    {
    }

    /// <summary>Whether the length takes 4 bytes after 2 reserved ones. PS3.5 6.2 promises the same for every VR to come.</summary>
    public bool HasLongForm => !IsIn(ShortForm);

    /// <summary>Whether the standard defines it.</summary>
    public bool IsKnown => IsIn(ShortForm) || IsIn(LongForm);

    /// <summary>Whether the value is a string of bytes or words, which with an undefined length means encapsulated fragments (PS3.5 A.4).</summary>
    public bool IsBulk => Letters >> 8 == 'O';

    /// <summary>Whether both bytes are capital letters, as every VR is.</summary>
    internal bool LooksLikeOne => Letters >> 8 is >= 'A' and <= 'Z' && (Letters & 0xFF) is >= 'A' and <= 'Z';

    private bool IsIn(string list)
    {
        for (var i = 0; i < list.Length; i += 3)
        {
            if (Letters == ((list[i] << 8) | list[i + 1]))
            {
                return true;
            }
        }
        return false;
    }

    public override string ToString() => Letters == 0 ? "" : $"{(char)(Letters >> 8)}{(char)(Letters & 0xFF)}";
}
