using Sidecar.Dicom.Files;
using Sidecar.Dicom.Pixels;

namespace Sidecar.Dicom.Codecs.Jpeg;

/// <summary>
/// Where the 8×8 blocks of a frame lie (ISO/IEC 10918-1 A.1, A.2). Coefficients are kept MCU by MCU, in an MCU component by component, a block in zigzag
/// order: an MCU is the smallest part of the picture that can be black alone.
/// </summary>
internal sealed class JpegBlockGeometry
{
    public const int BlockSize = 64;

    private readonly JpegFrameHeader header;
    private readonly int[] firstBlocks;

    public JpegBlockGeometry(JpegFrameHeader header)
    {
        this.header = header;
        (McuWidth, McuHeight) = (8 * header.MaxHorizontal, 8 * header.MaxVertical);
        McusPerRow = DivideUp(header.Columns, McuWidth);
        McuRows = DivideUp(header.Rows, McuHeight);
        firstBlocks = new int[header.Components.Count];
        foreach (var (i, component) in header.Components.Index())
        {
            firstBlocks[i] = BlocksPerMcu;
            BlocksPerMcu += component.Horizontal * component.Vertical;
        }
    }

    /// <summary>Columns of pixels of an MCU.</summary>
    public int McuWidth { get; }

    /// <summary>Rows of pixels of an MCU.</summary>
    public int McuHeight { get; }

    public int McusPerRow { get; }

    public int McuRows { get; }

    public int BlocksPerMcu { get; }

    public JpegComponent this[int component] => header.Components[component];

    /// <summary>
    /// Decoders that smooth the chrominance of neighbours into each other reach one pixel over the edge of an MCU; a region that ends nearer takes the
    /// next MCU along, so that what was asked to be black is black in every decoder.
    /// </summary>
    public FrameShape Shape => new(1, McuRows, McusPerRow, BlocksPerMcu * BlockSize * sizeof(short), McuWidth, McuHeight)
    {
        ReachX = header.Components.Any(component => component.Horizontal != header.MaxHorizontal) ? 1 : 0,
        ReachY = header.Components.Any(component => component.Vertical != header.MaxVertical) ? 1 : 0,
    };

    /// <summary>Blocks in a row that a scan of this component alone codes: those with a pixel of the picture.</summary>
    public int BlocksPerRow(int component) => DivideUp(DivideUp(header.Columns * header.Components[component].Horizontal, header.MaxHorizontal), 8);

    /// <summary>Rows of blocks that a scan of this component alone codes.</summary>
    public int BlockRows(int component) => DivideUp(DivideUp(header.Rows * header.Components[component].Vertical, header.MaxVertical), 8);

    /// <summary>The steps of a scan: MCUs, or blocks where it has one component.</summary>
    public int StepsPerRow(JpegScan scan) => scan.Components.Count == 1 ? BlocksPerRow(scan.Components[0].Index) : McusPerRow;

    public int StepRows(JpegScan scan) => scan.Components.Count == 1 ? BlockRows(scan.Components[0].Index) : McuRows;

    /// <summary>Blocks of a component in each step of a scan.</summary>
    public int BlocksPerStep(JpegScan scan, int component) =>
        scan.Components.Count == 1 ? 1 : header.Components[component].Horizontal * header.Components[component].Vertical;

    /// <summary>Index, in the whole frame, that <see cref="PlacesInRow"/> of a row of steps counts from.</summary>
    public int RowStart(JpegScan scan, int y) => scan.Components.Count == 1 ? BlockAt(scan.Components[0].Index, 0, y) : FirstBlock(y * McusPerRow, 0);

    /// <summary>Where the blocks of a row of steps lie, in the order they are coded.</summary>
    public int[] PlacesInRow(JpegScan scan)
    {
        var steps = StepsPerRow(scan);
        var places = new int[steps * scan.Components.Sum(part => BlocksPerStep(scan, part.Index))];
        var next = 0;
        for (var step = 0; step < steps; step++)
        {
            foreach (var part in scan.Components)
            {
                var first = scan.Components.Count == 1 ? BlockAt(part.Index, step, 0) - BlockAt(part.Index, 0, 0) : FirstBlock(step, part.Index);
                for (var i = 0; i < BlocksPerStep(scan, part.Index); i++)
                {
                    places[next++] = first + i;
                }
            }
        }
        return places;
    }

    /// <summary>Which steps of a scan belong to MCUs that are masked.</summary>
    public bool[] MaskedSteps(JpegScan scan, bool[] isMasked)
    {
        if (scan.Components.Count > 1)
        {
            return isMasked;
        }
        var component = header.Components[scan.Components[0].Index];
        var perRow = StepsPerRow(scan);
        var steps = new bool[perRow * StepRows(scan)];
        for (int step = 0, x = 0, y = 0; step < steps.Length; step++)
        {
            steps[step] = isMasked[(y / component.Vertical * McusPerRow) + (x / component.Horizontal)];
            (x, y) = x + 1 < perRow ? (x + 1, y) : (0, y + 1);
        }
        return steps;
    }

    /// <summary>Index, in the whole frame, of the first block of a component in an MCU.</summary>
    public int FirstBlock(int mcu, int component) => (mcu * BlocksPerMcu) + firstBlocks[component];

    /// <summary>Index, in the whole frame, of the block at a place of a component's own grid.</summary>
    public int BlockAt(int component, int x, int y)
    {
        var (horizontal, vertical) = (header.Components[component].Horizontal, header.Components[component].Vertical);
        return FirstBlock((y / vertical * McusPerRow) + (x / horizontal), component) + (y % vertical * horizontal) + (x % horizontal);
    }

    /// <summary>Refuses frames with fewer bits than their blocks need at the very least, before memory for those is asked for.</summary>
    /// <exception cref="DicomFormatException">The frame is truncated or lies about its size.</exception>
    public void CheckLength(JpegCodestream structure, int bitsPerBlock)
    {
        var bits = structure.Scans.Sum(scan => 8L * (scan.Entropy.End.Value - scan.Entropy.Start.Value));
        var blocks = Enumerable.Range(0, header.Components.Count).Sum(component => (long)BlocksPerRow(component) * BlockRows(component));
        if (bits < blocks * bitsPerBlock)
        {
            throw new DicomFormatException("A JPEG frame is truncated: it ends before its last pixel.");
        }
        if (Shape.FrameBytes > PixelLayout.MaxFrameBytes)
        {
            throw new UnsupportedInstanceException("The JPEG frames are too large to be masked here.");
        }
    }

    /// <summary>
    /// Blocks that only fill up an MCU are not coded in scans of one component. They take the content of the block before or above them, so that
    /// an MCU that is black is black in all of its blocks.
    /// </summary>
    public void FillUncodedBlocks(JpegScan scan, Span<short> coefficients)
    {
        if (scan.Components.Count > 1)
        {
            return;
        }
        var index = scan.Components[0].Index;
        var component = header.Components[index];
        var (columns, rows) = (BlocksPerRow(index), BlockRows(index));
        for (var y = 0; y < McuRows * component.Vertical; y++)
        {
            for (var x = y < rows ? columns : 0; x < McusPerRow * component.Horizontal; x++)
            {
                var source = BlockAt(index, Math.Min(x, columns - 1), Math.Min(y, rows - 1));
                coefficients.Slice(source * BlockSize, BlockSize).CopyTo(coefficients[(BlockAt(index, x, y) * BlockSize)..]);
            }
        }
    }

    private static int DivideUp(int value, int divisor) => (value + divisor - 1) / divisor;
}
