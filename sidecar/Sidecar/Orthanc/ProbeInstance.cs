using System.Buffers.Binary;
using System.Text;

namespace Sidecar.Orthanc;

/// <summary>A tiny Secondary Capture of nobody, always with the same UIDs, to try Orthanc's settings on. A left over one is overwritten and removed by the next probe.</summary>
internal static class ProbeInstance
{
    private const string ExplicitLittleEndian = "1.2.840.10008.1.2.1";
    private const string RleLossless = "1.2.840.10008.1.2.5";
    private const string SecondaryCapture = "1.2.840.10008.5.1.4.1.1.7";
    private const string Uid = "2.25.90517263840512739015527384010";

    /// <summary>The probe, uncompressed or in RLE; <paramref name="mark"/> makes its bytes differ from another's.</summary>
    public static byte[] Build(bool compressed, string mark)
    {
        var syntax = compressed ? RleLossless : ExplicitLittleEndian;
        using var file = new MemoryStream();
        file.Write(new byte[128]);
        file.Write("DICM"u8);
        using var meta = new MemoryStream();
        Write(meta, 0x0002, 0x0001, "OB", [0, 1]);
        Write(meta, 0x0002, 0x0002, "UI", Text(SecondaryCapture, '\0'));
        Write(meta, 0x0002, 0x0003, "UI", Text(Uid + ".3", '\0'));
        Write(meta, 0x0002, 0x0010, "UI", Text(syntax, '\0'));
        Write(meta, 0x0002, 0x0012, "UI", Text(Uid + ".9", '\0'));
        Write(file, 0x0002, 0x0000, "UL", Number32((uint)meta.Length));
        meta.WriteTo(file);

        Write(file, 0x0008, 0x0016, "UI", Text(SecondaryCapture, '\0'));
        Write(file, 0x0008, 0x0018, "UI", Text(Uid + ".3", '\0'));
        Write(file, 0x0008, 0x0060, "CS", Text("OT", ' '));
        Write(file, 0x0010, 0x0010, "PN", Text("SIDECAR^PROBE", ' '));
        Write(file, 0x0010, 0x0020, "LO", Text("SIDECAR-PROBE-90517263", ' '));
        Write(file, 0x0020, 0x000D, "UI", Text(Uid + ".1", '\0'));
        Write(file, 0x0020, 0x000E, "UI", Text(Uid + ".2", '\0'));
        Write(file, 0x0020, 0x4000, "LT", Text(mark, ' '));
        Write(file, 0x0028, 0x0002, "US", Number16(1));
        Write(file, 0x0028, 0x0004, "CS", Text("MONOCHROME2", ' '));
        Write(file, 0x0028, 0x0010, "US", Number16(8));
        Write(file, 0x0028, 0x0011, "US", Number16(8));
        Write(file, 0x0028, 0x0100, "US", Number16(8));
        Write(file, 0x0028, 0x0101, "US", Number16(8));
        Write(file, 0x0028, 0x0102, "US", Number16(7));
        Write(file, 0x0028, 0x0103, "US", Number16(0));
        if (compressed)
        {
            WriteRle(file);
        }
        else
        {
            Write(file, 0x7FE0, 0x0010, "OB", new byte[64]);
        }

        return file.ToArray();
    }

    // PS3.5 A.4 and G: an empty offset table, then one fragment: header of 16 numbers, and one segment that repeats one byte 64 times.
    private static void WriteRle(MemoryStream file)
    {
        file.Write([0xE0, 0x7F, 0x10, 0x00, (byte)'O', (byte)'B', 0, 0, 0xFF, 0xFF, 0xFF, 0xFF]);
        file.Write([0xFE, 0xFF, 0x00, 0xE0, 0, 0, 0, 0]);
        file.Write([0xFE, 0xFF, 0x00, 0xE0, 66, 0, 0, 0]);
        file.Write([1, 0, 0, 0, 64, 0, 0, 0]);
        file.Write(new byte[56]);
        file.Write([257 - 64, 0]);
        file.Write([0xFE, 0xFF, 0xDD, 0xE0, 0, 0, 0, 0]);
    }

    private static void Write(MemoryStream to, ushort group, ushort element, string vr, byte[] value)
    {
        to.Write(Number16(group));
        to.Write(Number16(element));
        to.Write(Encoding.ASCII.GetBytes(vr));
        if (vr == "OB")
        {
            to.Write(new byte[2]);
            to.Write(Number32((uint)value.Length));
        }
        else
        {
            to.Write(Number16((ushort)value.Length));
        }

        to.Write(value);
    }

    private static byte[] Text(string text, char pad) => Encoding.ASCII.GetBytes(text.Length % 2 == 0 ? text : text + pad);

    private static byte[] Number16(ushort value)
    {
        var bytes = new byte[2];
        BinaryPrimitives.WriteUInt16LittleEndian(bytes, value);
        return bytes;
    }

    private static byte[] Number32(uint value)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
        return bytes;
    }
}
