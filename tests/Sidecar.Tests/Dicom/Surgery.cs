using System.Text;
using Sidecar.Dicom.Files;

namespace Sidecar.Tests.Dicom;

/// <summary>Puts bytes into built files that no writer would put there. Lengths around them stay as they are.</summary>
internal static class Surgery
{
    public static byte[] Remove(byte[] file, uint tag) => Replace(file, tag, []);

    public static byte[] Replace(byte[] file, uint tag, byte[] bytes)
    {
        var element = Find(file, tag);
        return [.. file[..(int)element.Start], .. bytes, .. file[(int)element.End..]];
    }

    public static byte[] InsertBefore(byte[] file, uint tag, byte[] bytes)
    {
        var start = (int)Find(file, tag).Start;
        return [.. file[..start], .. bytes, .. file[start..]];
    }

    public static byte[] ChangeVr(byte[] file, uint tag, string vr)
    {
        var changed = file.ToArray();
        Encoding.ASCII.GetBytes(vr).CopyTo(changed, (int)Find(file, tag).Start + 4);
        return changed;
    }

    /// <summary>The element with this tag, at the top level of the data set or in the file meta information.</summary>
    public static DicomElement Find(byte[] file, uint tag)
    {
        using var stream = new MemoryStream(file, writable: false);
        return tag >> 16 == 0x0002
            ? new DatasetParser(stream).ParseFileMeta(132).First(element => element.Tag.Value == tag)
            : Part10File.Read(stream, FileMeta.Read(stream)).Find(new DicomTag(tag))!;
    }
}
