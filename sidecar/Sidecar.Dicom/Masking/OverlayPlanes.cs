using Sidecar.Dicom.Files;
using Sidecar.Dicom.Pixels;

namespace Sidecar.Dicom.Masking;

/// <summary>Clears overlay planes that are in their own elements; those in unused bits of the pixel cells go with the cells.</summary>
internal static class OverlayPlanes
{
    /// <summary>Plans clearing the bits of every overlay frame that lie over one of <paramref name="regions"/>.</summary>
    public static void Plan(Part10File file, FileEdits edits, IReadOnlyList<Region> regions)
    {
        foreach (var plane in OverlayPlane.ReadAll(file))
        {
            if (Clear(plane, regions))
            {
                edits.Replace(plane.Data.ValueStart, plane.Data.ValueEnd, plane.Bits);
            }
        }
    }

    private static bool Clear(OverlayPlane plane, IReadOnlyList<Region> regions)
    {
        var changed = false;
        for (var frame = 0; frame < plane.Frames; frame++)
        {
            foreach (var region in regions)
            {
                var bottom = Math.Min(region.Bottom - plane.Top, plane.Rows);
                var right = Math.Min(region.Right - plane.Left, plane.Columns);
                for (var row = Math.Max(region.Y - plane.Top, 0); row < bottom; row++)
                {
                    for (var column = Math.Max(region.X - plane.Left, 0); column < right; column++)
                    {
                        changed |= plane.Clear(frame, row, column);
                    }
                }
            }
        }
        return changed;
    }
}
