namespace Sidecar.TestData;

/// <summary>An own fixed font of 5 × 7 dots: capitals, digits and some punctuation. What it does not have is drawn as an empty place.</summary>
public static class BitmapFont
{
    public const int Width = 5;
    public const int Height = 7;

    /// <summary>From one character to the next, in dots.</summary>
    public const int Advance = 6;

    // Rows of glyphs side by side, two columns apart, as they look.
    private static readonly (string Characters, string Picture)[] Rows =
    [
        ("ABCDEFGHIJKLM",
        """
        .###.  ####.  .####  ####.  #####  #####  .####  #...#  .###.  ..###  #...#  #....  #...#
        #...#  #...#  #....  #...#  #....  #....  #....  #...#  ..#..  ...#.  #..#.  #....  ##.##
        #...#  #...#  #....  #...#  #....  #....  #....  #...#  ..#..  ...#.  #.#..  #....  #.#.#
        #####  ####.  #....  #...#  ####.  ####.  #..##  #####  ..#..  ...#.  ##...  #....  #.#.#
        #...#  #...#  #....  #...#  #....  #....  #...#  #...#  ..#..  ...#.  #.#..  #....  #...#
        #...#  #...#  #....  #...#  #....  #....  #...#  #...#  ..#..  #..#.  #..#.  #....  #...#
        #...#  ####.  .####  ####.  #####  #....  .####  #...#  .###.  .##..  #...#  #####  #...#
        """),
        ("NOPQRSTUVWXYZ",
        """
        #...#  .###.  ####.  .###.  ####.  .####  #####  #...#  #...#  #...#  #...#  #...#  #####
        ##..#  #...#  #...#  #...#  #...#  #....  ..#..  #...#  #...#  #...#  #...#  #...#  ....#
        #.#.#  #...#  #...#  #...#  #...#  #....  ..#..  #...#  #...#  #...#  .#.#.  .#.#.  ...#.
        #..##  #...#  ####.  #...#  ####.  .###.  ..#..  #...#  #...#  #.#.#  ..#..  ..#..  ..#..
        #...#  #...#  #....  #.#.#  #.#..  ....#  ..#..  #...#  #...#  #.#.#  .#.#.  ..#..  .#...
        #...#  #...#  #....  #..#.  #..#.  ....#  ..#..  #...#  .#.#.  ##.##  #...#  ..#..  #....
        #...#  .###.  #....  .##.#  #...#  ####.  ..#..  .###.  ..#..  #...#  #...#  ..#..  #####
        """),
        ("0123456789.,:",
        """
        .###.  ..#..  .###.  ####.  ...#.  #####  .###.  #####  .###.  .###.  .....  .....  .....
        #...#  .##..  #...#  ....#  ..##.  #....  #....  ....#  #...#  #...#  .....  .....  .##..
        #..##  ..#..  ....#  ....#  .#.#.  ####.  #....  ...#.  #...#  #...#  .....  .....  .##..
        #.#.#  ..#..  ...#.  .###.  #..#.  ....#  ####.  ..#..  .###.  .####  .....  .....  .....
        ##..#  ..#..  ..#..  ....#  #####  ....#  #...#  ..#..  #...#  ....#  .....  .##..  .##..
        #...#  ..#..  .#...  ....#  ...#.  #...#  #...#  .#...  #...#  ....#  .##..  .##..  .##..
        .###.  .###.  #####  ####.  ...#.  .###.  .###.  .#...  .###.  .###.  .##..  .#...  .....
        """),
        ("-/^()+#%=",
        """
        .....  ....#  ..#..  ...#.  .#...  .....  .#.#.  ##..#  .....
        .....  ....#  .#.#.  ..#..  ..#..  ..#..  .#.#.  ##..#  .....
        .....  ...#.  #...#  .#...  ...#.  ..#..  #####  ...#.  #####
        #####  ..#..  .....  .#...  ...#.  #####  .#.#.  ..#..  .....
        .....  .#...  .....  .#...  ...#.  ..#..  #####  .#...  #####
        .....  #....  .....  ..#..  ..#..  ..#..  .#.#.  #..##  .....
        .....  #....  .....  ...#.  .#...  .....  .#.#.  #..##  .....
        """),
    ];

    private static readonly Dictionary<char, bool[,]> Glyphs = Parse();

    /// <summary>Whether the dot at (<paramref name="x"/>, <paramref name="y"/>) of <paramref name="character"/> is set. Small letters are drawn as capitals.</summary>
    public static bool IsSet(char character, int x, int y) => Glyphs.TryGetValue(char.ToUpperInvariant(character), out var glyph) && glyph[y, x];

    private static Dictionary<char, bool[,]> Parse()
    {
        var glyphs = new Dictionary<char, bool[,]>();
        foreach (var (characters, picture) in Rows)
        {
            var lines = picture.ReplaceLineEndings("\n").Split('\n');
            for (var index = 0; index < characters.Length; index++)
            {
                var glyph = new bool[Height, Width];
                for (var y = 0; y < Height; y++)
                {
                    for (var x = 0; x < Width; x++)
                    {
                        glyph[y, x] = lines[y][(index * 7) + x] == '#';
                    }
                }

                glyphs[characters[index]] = glyph;
            }
        }

        return glyphs;
    }
}
