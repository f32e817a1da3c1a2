using System.Runtime.InteropServices;

namespace Sidecar.Worker;

/// <summary>The text detector: a network that says for each pixel how likely it lies within a line of text, and the boxes around what it marks.</summary>
internal sealed unsafe class TextDetector
{
    /// <summary>The network halves its input five times.</summary>
    private const int Multiple = 32;

    /// <summary>Room around the picture: lines at its edge are found as well as others. Pixels.</summary>
    private const int Margin = 16;

    /// <summary>Runs of more pixels than these give their memory back, 20 % slower; smaller ones keep it. Pixels.</summary>
    private const int LargeInput = 1 << 20;

    // What the network was trained with (ImageNet), for values of 0 to 1.
    private static readonly float[] Means = [0.485f, 0.456f, 0.406f];
    private static readonly float[] Deviations = [0.229f, 0.224f, 0.225f];

    // One a process, which ends without ceremony.
    private static readonly NativeBuffer Input = new();

    private readonly void* session;
    private readonly void* memoryInfo;
    private readonly void* runOptions;
    private readonly void* largeRunOptions;
    private readonly TextBoxFinder boxes = new();

    /// <exception cref="WorkerException">The runtime or the model is missing, or is not the file that this version was built with.</exception>
    public TextDetector(TextModelFiles files)
    {
        if (files.FindFault() is { } fault)
        {
            throw new WorkerException(WorkerStatus.Unsupported, fault);
        }
        OnnxRuntime.Load(files.Runtime);
        session = OnnxRuntime.CreateSession(OnnxRuntime.CreateEnvironment("sidecar"), File.ReadAllBytes(files.Detector));
        memoryInfo = OnnxRuntime.CreateMemoryInfo();
        runOptions = OnnxRuntime.CreateRunOptions(false);
        largeRunOptions = OnnxRuntime.CreateRunOptions(true);
    }

    public static string Name => $"{TextModelFiles.RuntimeName}, {TextModelFiles.DetectorName}";

    /// <summary>Finds lines of text in a rendering of one plane (grey) or three, one after the other.</summary>
    /// <param name="request">Its size and number of planes.</param>
    /// <param name="image">The planes.</param>
    /// <param name="found">Gets one <see cref="WorkerTextBox"/> a line.</param>
    /// <exception cref="WorkerException">The size is not what the pixels are, or memory is short.</exception>
    public void Detect(in WorkerRequest request, NativeBuffer image, NativeBuffer found)
    {
        if (request.Columns < 1 || request.Rows < 1 || request.Components is not (1 or 3) || request.SampleBytes != 1 || image.Length != request.FrameBytes)
        {
            throw new WorkerException(WorkerStatus.Unsupported, "The rendering has another length than its size asks for.");
        }
        var (width, height) = (RoundUp(request.Columns + (2 * Margin)), RoundUp(request.Rows + (2 * Margin)));
        var pixels = (long)width * height;
        Input.Resize(pixels * 3 * sizeof(float));
        var values = (float*)Input.Pointer;
        for (var plane = 0; plane < 3; plane++)
        {
            var source = image.Span.Slice(request.Components == 1 ? 0 : plane * request.Columns * request.Rows, request.Columns * request.Rows);
            Normalize(source, request.Columns, request.Rows, width, height, plane, new Span<float>(values + (plane * pixels), (int)pixels));
        }
        var tensor = OnnxRuntime.CreateTensor(memoryInfo, values, pixels * 3, [1, 3, height, width]);
        void* output = null;
        try
        {
            output = OnnxRuntime.Run(session, pixels > LargeInput ? largeRunOptions : runOptions, "x\0"u8, tensor, "sigmoid_0.tmp_0\0"u8);
            var lines = boxes.Find(new ReadOnlySpan<float>(OnnxRuntime.ReadTensor(output, pixels), (int)pixels), width, Margin, request.Columns, request.Rows);
            MemoryMarshal.AsBytes(CollectionsMarshal.AsSpan(lines)).CopyTo(found.Resize(lines.Count * sizeof(WorkerTextBox)));
        }
        finally
        {
            OnnxRuntime.ReleaseValue(output);
            OnnxRuntime.ReleaseValue(tensor);
        }
    }

    private static int RoundUp(int size) => (size + Multiple - 1) / Multiple * Multiple;

    /// <summary>Widens a plane on all sides by repeating its edge, which adds no edge that looks like a stroke.</summary>
    private static void Normalize(ReadOnlySpan<byte> plane, int columns, int rows, int width, int height, int channel, Span<float> values)
    {
        Span<float> table = stackalloc float[256];
        for (var i = 0; i < table.Length; i++)
        {
            table[i] = ((i / 255f) - Means[channel]) / Deviations[channel];
        }
        for (var y = 0; y < height; y++)
        {
            var source = plane.Slice(Math.Clamp(y - Margin, 0, rows - 1) * columns, columns);
            var line = values.Slice(y * width, width);
            var target = line.Slice(Margin, columns);
            for (var x = 0; x < source.Length; x++)
            {
                target[x] = table[source[x]];
            }
            line[..Margin].Fill(target[0]);
            line[(Margin + columns)..].Fill(target[^1]);
        }
    }
}
