namespace Sidecar.TestData;

/// <summary>Numbers that vary smoothly from place to place, the same in each run.</summary>
internal static class Texture
{
    /// <summary>Smoothed noise from 0 to 1 with features about one unit wide.</summary>
    public static double Smooth(double x, double y, int seed)
    {
        var (left, top) = ((int)Math.Floor(x), (int)Math.Floor(y));
        var (right, down) = (Ease(x - left), Ease(y - top));
        var upper = Mix(At(left, top, seed), At(left + 1, top, seed), right);
        return Mix(upper, Mix(At(left, top + 1, seed), At(left + 1, top + 1, seed), right), down);
    }

    /// <summary>Noise around 0, from -1 to 1, in a rough bell shape.</summary>
    public static double Grain(int seed, int frame, int index)
    {
        var hash = SampleFrame.Hash(seed, frame, index);
        return (((hash & 0xFFFF) + ((hash >> 16) & 0xFFFF) + ((hash >> 32) & 0xFFFF)) / 98303.0) - 1;
    }

    public static double Mix(double from, double to, double share) => from + ((to - from) * share);

    private static double At(int x, int y, int seed) => (SampleFrame.Hash(seed, y, x) & 0xFFFF) / 65535.0;

    private static double Ease(double t) => t * t * (3 - (2 * t));
}

/// <summary>A fan of speckle as a curved or a sector probe makes it.</summary>
internal static class UltrasoundImage
{
    public static SampleFrame Still(PixelFormat format)
    {
        var frame = new SampleFrame(format.Columns, format.Rows, 3);
        Parallel.For(0, format.Rows, y =>
        {
            for (var x = 0; x < format.Columns; x++)
            {
                if (Fan(x, y, format, apexY: -60, innerRadius: 150, halfAngle: 0.62, depth: 600) is not var (angle, depth))
                {
                    continue;
                }

                var grey = Speckle(angle, depth, 3, 0) * (0.35 + (0.5 * Texture.Smooth(angle * 9, depth * 7, 5)));

                // A vessel and a cyst are dark, the diaphragm is a bright arc below.
                grey *= 1 - (0.85 * Vessel(x, y, 1.15)) - (0.8 * Oval(x, y, 520, 250, 30, 24));
                grey += 0.7 * Math.Exp(-Math.Pow((depth - 0.86 - (0.05 * Math.Cos(angle * 5))) * 60, 2));
                var pixel = frame[x, y];
                pixel.Fill(Math.Clamp((int)(255 * grey), 0, 255));

                // Colour flow in the vessel: towards the probe red, away blue.
                var flow = Vessel(x, y, 1);
                if (flow > 0.3)
                {
                    var speed = (int)(255 * flow * (0.35 + (0.65 * Texture.Smooth(x / 9.0, y / 9.0, 11))));
                    (pixel[0], pixel[1], pixel[2]) = x < 372 ? (speed, speed / 4, 0) : (0, speed / 3, speed);
                }
            }
        });
        DrawGreyBar(frame, format);
        return frame;
    }

    /// <summary>A heart from the apex: two ventricles near the probe, two atria below, all filling and emptying twice in the loop.</summary>
    public static SampleFrame[] Cine(PixelFormat format, int count)
    {
        var fan = new (int X, int Y, double Angle, double Depth, double Tissue)[format.Columns * format.Rows];
        var fanPixels = 0;
        for (var y = 0; y < format.Rows; y++)
        {
            for (var x = 0; x < format.Columns; x++)
            {
                if (Fan(x, y, format, apexY: 20, innerRadius: 14, halfAngle: 0.68, depth: 430) is var (angle, depth))
                {
                    var tissue = 0.34 + (0.5 * Texture.Smooth(angle * 7, depth * 9, 9) * Texture.Smooth(angle * 21, depth * 17, 10));
                    fan[fanPixels++] = (x, y, angle, depth, tissue);
                }
            }
        }

        var frames = new SampleFrame[count];
        Parallel.For(0, count, index =>
        {
            var frame = new SampleFrame(format.Columns, format.Rows, 1);
            var beat = Math.Sin(2 * Math.PI * index * 2 / count);
            var (ventricle, atrium) = (1 + (0.13 * beat), 1 - (0.12 * beat));
            foreach (var (x, y, angle, depth, tissue) in fan.AsSpan(0, fanPixels))
            {
                // Pears that lean towards each other: narrow near the probe, wide at the valves.
                var pear = 0.55 + (0.55 * Math.Clamp((y - 110) / 170.0, 0, 1));
                var lean = (y - 240) * 0.16;
                var blood = Math.Max(
                    Math.Max(Oval(x + lean, y, 366, 226, 50 * ventricle * pear, 92 * ventricle), Oval(x - lean, y, 270, 246, 36 * ventricle * pear, 74 * ventricle)),
                    Math.Max(Oval(x, y, 376, 376, 40 * atrium, 34 * atrium), Oval(x, y, 268, 374, 42 * atrium, 36 * atrium)));
                var wall = blood * (1 - blood) * 1.6;
                var grey = Speckle(angle, depth + (0.012 * beat), 7, index / 2) * (tissue + wall) * (1 - (0.88 * blood * blood));
                frame.Samples[(y * format.Columns) + x] = Math.Clamp((int)(255 * grey), 0, 255);
            }

            DrawGreyBar(frame, format);
            frames[index] = frame;
        });
        return frames;
    }

    private static (double Angle, double Depth)? Fan(int x, int y, PixelFormat format, double apexY, double innerRadius, double halfAngle, double depth)
    {
        var (dx, dy) = (x - (format.Columns / 2.0), y - apexY);
        var radius = Math.Sqrt((dx * dx) + (dy * dy));
        var angle = Math.Atan2(dx, dy);
        return Math.Abs(angle) < halfAngle && radius > innerRadius && radius < depth ? (angle, radius / depth) : null;
    }

    /// <summary>Speckle is fine along the beam and wider across it; its brightness falls with depth.</summary>
    private static double Speckle(double angle, double depth, int seed, int frame)
    {
        var fine = Texture.Smooth(angle * 95, depth * 170, seed + (31 * frame));
        var finer = Texture.Smooth((angle * 140) + (depth * 40), (depth * 260) - (angle * 30), seed + 1 + (31 * frame));
        return (0.22 + (1.7 * fine * finer)) * (1.05 - (0.45 * depth));
    }

    /// <summary>A vessel that rises from left to right.</summary>
    private static double Vessel(int x, int y, double scale) => Oval(x, y + ((x - 350) * 0.35), 350, 300, 120 * scale, 22 * scale);

    /// <summary>1 inside, 0 outside, soft between.</summary>
    private static double Oval(double x, double y, double centreX, double centreY, double radiusX, double radiusY)
    {
        var (dx, dy) = ((x - centreX) / radiusX, (y - centreY) / radiusY);
        return Math.Clamp((1.08 - Math.Sqrt((dx * dx) + (dy * dy))) * 5, 0, 1);
    }

    /// <summary>The scale of greys that machines draw at the right edge.</summary>
    private static void DrawGreyBar(SampleFrame frame, PixelFormat format)
    {
        for (var y = 120; y < 320; y++)
        {
            for (var x = format.Columns - 28; x < format.Columns - 16; x++)
            {
                frame[x, y].Fill(255 - ((y - 120) * 255 / 200));
            }
        }
    }
}

/// <summary>A body of ellipses in Hounsfield units.</summary>
internal static class CTPhantom
{
    public static SampleFrame Slice(PixelFormat format, int slice, int slices)
    {
        var frame = new SampleFrame(format.Columns, format.Rows, 1);
        var along = slice / (double)(slices - 1);
        var waist = 1 - (0.06 * Math.Sin(Math.PI * along));
        for (var y = 0; y < format.Rows; y++)
        {
            for (var x = 0; x < format.Columns; x++)
            {
                var hounsfield = Hounsfield(x - 256, y - 262, along, waist, slice) + (14 * Texture.Grain(21, slice, (y * format.Columns) + x));
                frame.Samples[(y * format.Columns) + x] = Math.Clamp((int)hounsfield + 1024, 0, 4095);
            }
        }

        return frame;
    }

    private static double Hounsfield(double x, double y, double along, double waist, int slice)
    {
        var body = Inside(x, y, 0, 0, 208 * waist, 148 * waist);
        if (body >= 1)
        {
            // The couch is a thin bright arc below the patient.
            return Math.Abs(y - 168 - (x * x / 900)) < 2.5 && Math.Abs(x) < 190 ? -150 : -1000;
        }

        if (Inside(x, y, 0, 0, 190 * waist, 130 * waist) >= 1)
        {
            return -100;
        }

        if (Inside(x, y, 0, 82, 27, 22) < 1)
        {
            return Inside(x, y, 0, 82, 21, 16) < 1 ? 180 : 620;
        }

        if (Inside(x, y, 0, 108, 9, 9) < 1)
        {
            return 25;
        }

        if (Inside(x, y, 18, 46, 12, 12) < 1)
        {
            return 165;
        }

        // Ribs come and go from slice to slice.
        for (var rib = 0; rib < 8; rib++)
        {
            var angle = (rib * Math.PI / 4) + (slice * 0.07) + 0.2;
            if (Inside(x, y, 176 * waist * Math.Cos(angle), 118 * waist * Math.Sin(angle), 13, 8) < 1)
            {
                return 520;
            }
        }

        if (Inside(x, y, -96, -18, 82 * Math.Sqrt(1.02 - along), 84) < 1)
        {
            return 62 + (10 * Texture.Smooth(x / 12, y / 12, 3));
        }

        var spleen = 0.4 + (0.6 * Math.Sin(Math.PI * along));
        if (Inside(x, y, 122, 12, 40 * spleen, 50 * spleen) < 1)
        {
            return 55;
        }

        var kidney = Math.Sqrt(along) + 0.1;
        if (Inside(x, y, -78, 74, 28 * kidney, 32 * kidney) < 1 || Inside(x, y, 78, 74, 28 * kidney, 32 * kidney) < 1)
        {
            return 125;
        }

        return Inside(x, y, 42, -64, 52, 32) < 1 ? (y < -78 ? -900 : 20) : 30 + (60 * (Texture.Smooth((x / 26) + (slice * 0.2), y / 26, 8) - 0.8));
    }

    /// <summary>Squared distance from the centre, in radii: below 1 inside.</summary>
    private static double Inside(double x, double y, double centreX, double centreY, double radiusX, double radiusY)
    {
        var (dx, dy) = ((x - centreX) / radiusX, (y - centreY) / radiusY);
        return (dx * dx) + (dy * dy);
    }
}

/// <summary>A chest in MONOCHROME1: what stops X-rays is white and therefore low.</summary>
internal static class ChestRadiograph
{
    public static SampleFrame Draw(PixelFormat format)
    {
        var frame = new SampleFrame(format.Columns, format.Rows, 1);
        Parallel.For(0, format.Rows, row =>
        {
            for (var column = 0; column < format.Columns; column++)
            {
                var (x, y) = ((column - 512) / 512.0, (row - 640) / 640.0);
                var brightness = Brightness(x, y) + (0.018 * Texture.Grain(41, 0, (row * format.Columns) + column));
                frame.Samples[(row * format.Columns) + column] = Math.Clamp((int)(format.HighestValue * (1 - brightness)), 0, format.HighestValue);
            }
        });
        return frame;
    }

    private static double Brightness(double x, double y)
    {
        var side = Math.Abs(x);
        var shoulder = Soft(0.93 - (0.16 * Math.Max(0, -y - 0.5)) - side, 18) * Soft(y + 1.05 - (1.1 * Math.Pow(Math.Max(0, side - 0.28), 2)), 14);
        if (shoulder < 0.01)
        {
            return 0.02;
        }

        var brightness = 0.56 + (0.1 * (Texture.Smooth(x * 5, y * 5, 2) - 0.5));

        // Lungs are dark, each an egg cut off below by a dome of the diaphragm.
        var lung = Soft(1 - Length((side - 0.42) / 0.32, (y + 0.08) / 0.66), 16) * Soft(0.36 - (0.35 * Math.Pow(side - 0.42, 2) * 4) - y, 26);
        brightness -= lung * (0.4 + (0.12 * Texture.Smooth(x * 16, y * 16, 6)));

        // Ribs cross the lungs in bows; vessels fan out from the middle.
        var rib = Math.Pow(Math.Max(0, Math.Sin((y + (0.55 * Math.Pow(side - 0.1, 2))) * 34)), 4);
        brightness += 0.085 * rib * Soft(0.86 - side, 20) * Soft(0.55 - y, 10) * Soft(y + 0.8, 10);
        brightness += 0.1 * lung * Math.Exp(-5 * Math.Abs(side - 0.2)) * Texture.Smooth(x * 30, y * 24, 14);

        // Spine, heart (to the patient's left, the viewer's right) and collar bones.
        brightness += 0.13 * Soft(0.09 - side, 40) + (0.2 * Soft(1 - Length((x - 0.12) / 0.27, (y - 0.18) / 0.3), 9));
        brightness += 0.15 * Soft(0.022 - Math.Abs(y + 0.66 - (0.22 * (side - 0.4))), 90) * Soft(0.8 - side, 20) * Soft(side - 0.08, 30);
        return brightness * shoulder;
    }

    private static double Length(double x, double y) => Math.Sqrt((x * x) + (y * y));

    private static double Soft(double distance, double slope) => 1 / (1 + Math.Exp(-slope * distance * 2));
}
