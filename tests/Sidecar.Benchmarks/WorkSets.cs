using System.Runtime.InteropServices;
using Sidecar.TestData;

namespace Sidecar.Benchmarks;

/// <summary>The sets of files that the speed tables speak of: a banner on noise, so that no codec finds them easier than real images.</summary>
internal static class WorkSets
{
    public const int RadiographColumns = 2048;
    public const int RadiographRows = 2500;

    private static readonly string[] Banner = ["DEMO^BENCHMARK 1970-01-31", "MRN 1234567"];

    /// <summary>Writes <c>ct</c> (500 slices, 252 MB), <c>us</c> (one cine of 200 RGB frames, 288 MB) and <c>dx</c> (six radiographs, 61 MB).</summary>
    public static void Write(string directory)
    {
        Parallel.For(0, 500, index => Save(directory, "ct", $"{index:0000}.dcm", Slice(index)));
        Save(directory, "us", "us.dcm", Cine(800, 600, 200));
        Parallel.For(0, 6, index => Save(directory, "dx", $"{index:00}.dcm", Radiograph(index)));
    }

    public static byte[] Slice(int index)
    {
        var format = PixelFormat.Grey(512, 512, bitsStored: 12);
        var samples = new ushort[512 * 512];
        Fill(samples, index, 4095, (x, y) =>
        {
            var inside = Math.Sqrt(Math.Pow((x - 256) / (180 + (20 * Math.Sin(index / 30.0))), 2) + Math.Pow((y - 256) / 140.0, 2)) < 1;
            return inside ? 1050 + (80 * Math.Sin((x / 17.0) + (index / 9.0)) * Math.Cos(y / 23.0)) : 24;
        }, 512, 12);
        BurnBanner(samples, format, 8, 8, 2);
        return Describe("ct", index, "CT", SopClasses.CT).Image(format).Set(Tags.PixelData.Tag, "OW", MemoryMarshal.AsBytes<ushort>(samples).ToArray()).Build();
    }

    public static byte[] Radiograph(int index)
    {
        var format = PixelFormat.Grey(RadiographColumns, RadiographRows, bitsStored: 14, inverted: true);
        var samples = new ushort[RadiographColumns * RadiographRows];
        Fill(samples, index, 16383, (x, y) => 8000 + (4000 * Math.Sin(x / 300.0) * Math.Cos(y / 400.0)), RadiographColumns, 60);
        BurnBanner(samples, format, 60, 60, 6);
        return Describe("dx", index, "CR", SopClasses.ComputedRadiography).Image(format).Set(Tags.PixelData.Tag, "OW", MemoryMarshal.AsBytes<ushort>(samples).ToArray()).Build();
    }

    public static byte[] Cine(int columns, int rows, int frames)
    {
        var format = PixelFormat.Colour(columns, rows);
        var speckle = new ushort[columns * rows];
        Fill(speckle, 0, 255, (_, _) => 40, columns, 28);
        var pixels = new byte[columns * rows * 3 * frames];
        Parallel.For(0, frames, frame =>
        {
            var samples = new ushort[columns * rows * 3];
            for (var y = 70; y < rows; y++)
            {
                for (var x = 0; x < columns; x++)
                {
                    var (dx, dy) = (x - (columns / 2.0), y - 60.0);
                    if (Math.Abs(Math.Atan2(dx, dy)) < 0.6 && (dx * dx) + (dy * dy) < 480 * 480)
                    {
                        var grey = speckle[((y + (rows * 3) - (frame * 3 % rows)) % rows * columns) + x] * (0.6 + (0.4 * Math.Sin((y / 40.0) + (frame / 5.0))));
                        samples.AsSpan(((y * columns) + x) * 3, 3).Fill((ushort)grey);
                    }
                }
            }
            BurnBanner(samples, format, 8, 8, 2);
            var target = pixels.AsSpan(frame * samples.Length, samples.Length);
            for (var i = 0; i < samples.Length; i++)
            {
                target[i] = (byte)samples[i];
            }
        });
        return Describe("us", 0, "US", SopClasses.UltrasoundMultiFrame).Image(format).Set(Tags.NumberOfFrames, frames).Set(Tags.FrameTime, "33.33")
            .Set(Tags.FrameIncrementPointer, 0x00181063u).Set(Tags.PixelData.Tag, "OB", pixels).Build();
    }

    private static InstanceBuilder Describe(string name, int index, string modality, string sopClassUid) =>
        new InstanceBuilder($"benchmark/{name}/{index}").Sop(sopClassUid)
            .Identify(Uids.From($"benchmark/{name}/study"), Uids.From($"benchmark/{name}/series"), Uids.From($"benchmark/{name}/{index}"))
            .Set(Tags.Modality, modality).Set(Tags.PatientName, "DEMO^BENCHMARK").Set(Tags.InstanceNumber, index + 1);

    private static void Fill(ushort[] samples, int seed, int highest, Func<int, int, double> value, int columns, double noise)
    {
        for (var i = 0; i < samples.Length; i++)
        {
            // The sum of four even numbers is near enough to a normal distribution.
            var hash = SampleFrame.Hash(seed, 0, i);
            var spread = ((hash & 0xFFFF) + ((hash >> 16) & 0xFFFF) + ((hash >> 32) & 0xFFFF) + (hash >> 48)) / 65536.0;
            samples[i] = (ushort)Math.Clamp(value(i % columns, i / columns) + (noise * (spread - 2) * 1.7), 0, highest);
        }
    }

    private static void BurnBanner(ushort[] samples, PixelFormat format, int left, int top, int scale)
    {
        var banner = format with { Columns = Banner[0].Length * BitmapFont.Advance * scale, Rows = BitmapFont.Height * scale };
        for (var line = 0; line < Banner.Length; line++)
        {
            var text = new SampleFrame(banner.Columns, banner.Rows, format.SamplesPerPixel);
            text.Samples.AsSpan().Fill(-1);
            TextBurner.Burn(text, banner, Banner[line], 0, 0, scale);
            for (var i = 0; i < text.Samples.Length; i++)
            {
                var (x, y) = (i / format.SamplesPerPixel % banner.Columns, i / format.SamplesPerPixel / banner.Columns);
                if (text.Samples[i] >= 0)
                {
                    var pixel = ((top + (line * (banner.Rows + (2 * scale))) + y) * format.Columns) + left + x;
                    samples[(pixel * format.SamplesPerPixel) + (i % format.SamplesPerPixel)] = (ushort)text.Samples[i];
                }
            }
        }
    }

    private static void Save(string directory, string set, string name, byte[] file) =>
        File.WriteAllBytes(Path.Combine(Directory.CreateDirectory(Path.Combine(directory, set)).FullName, name), file);
}
