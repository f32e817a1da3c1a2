using System.Text;

namespace Sidecar.Dicom.Text.Kinds;

/// <summary>Brings what was read and what attributes hold to one alphabet, so that Müller, MUELLER and Muller are the same, and Иванов is Ivanov.</summary>
internal static class Folding
{
    // One letter for each character from U+00C0 and from U+0100 on; a dot where it is none.
    private const string Latin1 = "AAAAAAACEEEEIIIIDNOOOOO.OUUUUYTSAAAAAAACEEEEIIIIDNOOOOO.OUUUUYTY";
    private const string LatinExtendedA = "AAAAAACCCCCCCCDDDDEEEEEEEEEEGGGGGGGGHHHHIIIIIIIIIIIIJJKKKLLLLLL..LLNNNNNNNNNOOOOOOOORRRRRRSSSSSSSSTTTTTTUUUUUUUUUUUUWWYYYZZZZZZS";

    // U+0410 to U+042F and U+0391 to U+03A9, in the letters of passports.
    private static readonly string[] Cyrillic = "A B V G D E ZH Z I I K L M N O P R S T U F KH TS CH SH SHCH IE Y _ E IU IA".Split(' ');
    private static readonly string[] Greek = "A V G D E Z I TH I K L M N X O P R _ S T Y F CH PS O".Split(' ');

    private static readonly Dictionary<char, string> Singles = new()
    {
        ['Ё'] = "E", ['І'] = "I", ['Ї'] = "I", ['Є'] = "E", ['Ґ'] = "G", ['Ў'] = "U", ['Ј'] = "J", ['Љ'] = "L", ['Њ'] = "N", ['Ћ'] = "C", ['Ђ'] = "D", ['Џ'] = "DZ",
        ['Ά'] = "A", ['Έ'] = "E", ['Ή'] = "I", ['Ί'] = "I", ['Ό'] = "O", ['Ύ'] = "Y", ['Ώ'] = "O", ['Ϊ'] = "I", ['Ϋ'] = "Y", ['ẞ'] = "SS", ['ß'] = "SS",
    };

    /// <summary>Words in capital letters A to Z and digits, with what is neither left out; Chinese, Japanese and Korean characters stay as they are.</summary>
    public static List<string> Words(string text)
    {
        var words = new List<string>();
        var word = new StringBuilder();
        foreach (var character in text)
        {
            if (!Append(word, character) && word.Length > 0)
            {
                words.Add(word.ToString());
                word.Clear();
            }
        }
        if (word.Length > 0)
        {
            words.Add(word.ToString());
        }
        return words;
    }

    /// <summary>
    /// The same for all that readers take for one another (0 O, 1 I l, 5 S, 8 B, 2 Z, 6 G, rn m, vv w) and for two ways to write umlauts. Only for
    /// comparing with another text treated alike.
    /// </summary>
    /// <param name="word">As <see cref="Words"/> gives them.</param>
    public static string Loosen(string word) => new StringBuilder(word)
        .Replace("AE", "A").Replace("OE", "O").Replace("UE", "U").Replace("RN", "M").Replace("VV", "W")
        .Replace('O', '0').Replace('Q', '0').Replace('I', '1').Replace('L', '1').Replace('S', '5').Replace('B', '8').Replace('Z', '2').Replace('G', '6')
        .ToString();

    /// <summary>Whether letters are of a script whose names have one or two characters.</summary>
    public static bool IsIdeographic(string word) => word.Any(IsIdeographic);

    private static bool IsIdeographic(char character) => character is >= '\u3041' and <= '\u30FF' or >= '\u3400' and <= '\u9FFF' or >= '\uAC00' and <= '\uD7A3' or >= '\uF900' and <= '\uFAFF';

    // False where the character parts words.
    private static bool Append(StringBuilder word, char character)
    {
        if (character is >= '\uFF01' and <= '\uFF5E')
        {
            character = (char)(character - 0xFEE0); // full width forms of ASCII
        }
        switch (character)
        {
            case >= '0' and <= '9' or >= 'A' and <= 'Z':
                word.Append(character);
                return true;
            case >= 'a' and <= 'z':
                word.Append((char)(character - 32));
                return true;
            case '|':
                word.Append('I'); // readers take I and l for it
                return true;
            case >= '\u0300' and <= '\u036F':
                return true; // an accent of its own
        }
        var capital = char.ToUpperInvariant(character);
        var folded = Singles.TryGetValue(capital, out var single) ? single
            : character is >= '\u00C0' and <= '\u00FF' ? Latin1[character - '\u00C0'].ToString()
            : character is >= '\u0100' and <= '\u017F' ? LatinExtendedA[character - '\u0100'].ToString()
            : capital is >= '\u0410' and <= '\u042F' ? Cyrillic[capital - '\u0410']
            : capital is >= '\u0391' and <= '\u03A9' ? Greek[capital - '\u0391']
            : character == 'ς' ? "S"
            : IsIdeographic(character) ? character.ToString()
            : ".";
        if (folded == ".")
        {
            return false;
        }
        word.Append(folded == "_" ? "" : folded);
        return true;
    }
}
