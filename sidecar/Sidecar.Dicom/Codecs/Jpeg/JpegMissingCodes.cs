namespace Sidecar.Dicom.Codecs.Jpeg;

/// <summary>
/// Finds codes for symbols in the tables of a codestream whose bits are mostly copied. A first pass notes the symbols that a table lacks; then they get
/// codes behind its longest, and a second pass writes.
/// </summary>
internal sealed class JpegMissingCodes
{
    private readonly Dictionary<JpegHuffmanDefinition, HuffmanTable> extended = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<JpegHuffmanDefinition, HashSet<byte>> missing = new(ReferenceEqualityComparer.Instance);

    /// <summary>The tables that stand in for some of the original's.</summary>
    public IReadOnlyDictionary<JpegHuffmanDefinition, HuffmanTable> Extended => extended;

    /// <summary>Whether a code that is needed was not there, so that what was written so far is worth nothing.</summary>
    public bool AreMissing => missing.Count > 0;

    /// <summary>The table that stands in for one of the original's, or that itself.</summary>
    public HuffmanTable TableOf(JpegHuffmanDefinition definition) => extended.GetValueOrDefault(definition, definition.Table);

    /// <summary>As <see cref="HuffmanTable.Code"/>; 0 where the symbol has none yet, and is noted.</summary>
    public int Find(JpegHuffmanDefinition definition, byte symbol)
    {
        var code = TableOf(definition).Code(symbol);
        if (code == 0)
        {
            if (!missing.TryGetValue(definition, out var symbols))
            {
                missing[definition] = symbols = [];
            }
            symbols.Add(symbol);
        }
        return code;
    }

    /// <summary>Gives the noted symbols codes.</summary>
    /// <returns>Whether there was room for them.</returns>
    public bool TryExtend()
    {
        foreach (var (definition, symbols) in missing)
        {
            if (definition.Table.Extend(symbols) is not { } table)
            {
                return false;
            }
            extended[definition] = table;
        }
        missing.Clear();
        return true;
    }
}
