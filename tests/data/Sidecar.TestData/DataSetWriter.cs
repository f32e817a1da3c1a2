using System.Buffers.Binary;
using System.Text;

namespace Sidecar.TestData;

/// <summary>Writes a data set in one of the three encodings of PS3.5 A.1 and A.2 and A.3.</summary>
internal sealed class DataSetWriter(Stream output, bool explicitVr, bool bigEndian, bool padOddValues)
{
    private const uint UndefinedLength = 0xFFFFFFFF;

    public void Write(DataSet dataSet)
    {
        foreach (var element in dataSet.Elements)
        {
            Write(element);
        }
    }

    private void Write(Element element)
    {
        if (element.Fragments is { } fragments)
        {
            WriteHeader(element.Tag, element.Vr, UndefinedLength);
            foreach (var fragment in fragments)
            {
                WriteTag(0xFFFEE000);
                WriteUInt32((uint)fragment.Length);
                output.Write(fragment);
            }

            WriteTag(0xFFFEE0DD);
            WriteUInt32(0);
        }
        else if (element.Items is { } items)
        {
            WriteSequence(element, items);
        }
        else
        {
            var value = Swap(Pad(element), element);
            WriteHeader(element.Tag, element.Vr, (uint)value.Length);
            output.Write(value);
        }
    }

    private void WriteSequence(Element element, IReadOnlyList<DataSet> items)
    {
        var undefined = element.Length == SequenceLength.Undefined;
        using var content = new MemoryStream();
        var inner = new DataSetWriter(content, explicitVr, bigEndian, padOddValues);
        foreach (var item in items)
        {
            using var itemContent = new MemoryStream();
            new DataSetWriter(itemContent, explicitVr, bigEndian, padOddValues).Write(item);
            inner.WriteTag(0xFFFEE000);
            inner.WriteUInt32(undefined ? UndefinedLength : (uint)itemContent.Length);
            content.Write(itemContent.GetBuffer().AsSpan(0, (int)itemContent.Length));
            if (undefined)
            {
                inner.WriteTag(0xFFFEE00D);
                inner.WriteUInt32(0);
            }
        }

        WriteHeader(element.Tag, element.Vr, undefined ? UndefinedLength : (uint)content.Length);
        output.Write(content.GetBuffer().AsSpan(0, (int)content.Length));
        if (undefined)
        {
            WriteTag(0xFFFEE0DD);
            WriteUInt32(0);
        }
    }

    private byte[] Pad(Element element)
    {
        if (element.Value.Length % 2 == 0 || !padOddValues)
        {
            return element.Value;
        }

        // PS3.5 6.2: text is padded by a space, UIDs and bytes by zero.
        return [.. element.Value, element.Vr is "UI" or "OB" or "UN" or "OW" ? (byte)0 : (byte)' '];
    }

    private byte[] Swap(byte[] value, Element element)
    {
        var unit = element.SwapUnit ?? element.Vr switch
        {
            "US" or "SS" or "OW" or "AT" => 2,
            "UL" or "SL" or "FL" or "OL" or "OF" => 4,
            "FD" or "OD" or "UV" or "SV" or "OV" => 8,
            _ => 1,
        };
        if (!bigEndian || unit == 1)
        {
            return value;
        }

        var swapped = (byte[])value.Clone();
        for (var at = 0; at + unit <= swapped.Length; at += unit)
        {
            swapped.AsSpan(at, unit).Reverse();
        }

        return swapped;
    }

    private void WriteHeader(uint tag, string vr, uint length)
    {
        WriteTag(tag);
        if (!explicitVr)
        {
            WriteUInt32(length);
            return;
        }

        output.Write(Encoding.ASCII.GetBytes(vr));
        if (vr is "OB" or "OD" or "OF" or "OL" or "OV" or "OW" or "SQ" or "SV" or "UC" or "UN" or "UR" or "UT" or "UV")
        {
            WriteUInt16(0);
            WriteUInt32(length);
        }
        else
        {
            WriteUInt16(checked((ushort)length));
        }
    }

    private void WriteTag(uint tag)
    {
        WriteUInt16((ushort)(tag >> 16));
        WriteUInt16((ushort)tag);
    }

    private void WriteUInt16(ushort value)
    {
        Span<byte> bytes = stackalloc byte[2];
        if (bigEndian)
        {
            BinaryPrimitives.WriteUInt16BigEndian(bytes, value);
        }
        else
        {
            BinaryPrimitives.WriteUInt16LittleEndian(bytes, value);
        }

        output.Write(bytes);
    }

    private void WriteUInt32(uint value)
    {
        Span<byte> bytes = stackalloc byte[4];
        if (bigEndian)
        {
            BinaryPrimitives.WriteUInt32BigEndian(bytes, value);
        }
        else
        {
            BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
        }

        output.Write(bytes);
    }
}
