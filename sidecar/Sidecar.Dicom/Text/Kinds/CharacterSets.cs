using System.Text;

namespace Sidecar.Dicom.Text.Kinds;

/// <summary>Specific Character Set (PS3.3 C.12.1.1.2): the bytes of text values to characters. What cannot be decoded becomes other characters, never an error.</summary>
internal static class CharacterSets
{
    /// <param name="values">The values of (0008,0005), empty ones included; null where it is absent.</param>
    public static Func<byte[], string> Decoder(string? values)
    {
        var names = (values ?? "").Split('\\').Select(name => name.Trim().Replace("ISO 2022 IR", "ISO_IR", StringComparison.Ordinal)).ToList();
        // Two-byte sets follow a one-byte set and announce themselves by escape sequences (PS3.5 6.1.2.5).
        if (names.Exists(name => name is "ISO_IR 87" or "ISO_IR 159") && Find(50220) is { } japanese)
        {
            return japanese.GetString;
        }
        if (names.Exists(name => name is "ISO_IR 149" or "ISO_IR 58") && Find(names.Contains("ISO_IR 149") ? 51949 : 936) is { } koreanOrChinese)
        {
            return bytes => WithoutEscapes(koreanOrChinese.GetString(bytes));
        }
        var encoding = names.Select(name => CodePageOf(name) is { } page ? Find(page) : null).FirstOrDefault(found => found is not null) ?? Encoding.Latin1;
        return encoding.GetString;
    }

    private static int? CodePageOf(string name) => name switch
    {
        "ISO_IR 101" => 28592,
        "ISO_IR 109" => 28593,
        "ISO_IR 110" => 28594,
        "ISO_IR 144" => 28595,
        "ISO_IR 127" => 28596,
        "ISO_IR 126" => 28597,
        "ISO_IR 138" => 28598,
        "ISO_IR 148" => 28599,
        "ISO_IR 203" => 28605,
        "ISO_IR 166" => 874,
        "ISO_IR 13" => 932,
        "ISO_IR 192" => 65001,
        "GB18030" => 54936,
        "GBK" => 936,
        _ => null,
    };

    private static Encoding? Find(int codePage) => codePage == 65001 ? Encoding.UTF8 : CodePagesEncodingProvider.Instance.GetEncoding(codePage);

    // ESC, intermediate bytes, final byte (ISO/IEC 2022): in these sets they only say what the high bytes say themselves.
    private static string WithoutEscapes(string text)
    {
        var result = new StringBuilder();
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] != '\u001B')
            {
                result.Append(text[i]);
                continue;
            }
            do
            {
                i++;
            }
            while (i < text.Length && text[i] is >= ' ' and <= '/');
        }
        return result.ToString();
    }
}
