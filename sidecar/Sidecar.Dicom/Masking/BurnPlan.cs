using Sidecar.Dicom.Files;
using Sidecar.Dicom.Pixels;

namespace Sidecar.Dicom.Masking;

/// <summary>The masks of one call, clipped to one image and dealt out to its frames.</summary>
internal sealed class BurnPlan
{
    private readonly List<Mask> clipped = [];
    private readonly IReadOnlyList<Region>? everyFrame;

    /// <exception cref="UnsupportedInstanceException">A mask lies outside the image or names a frame that is not there: drawn for another image.</exception>
    public BurnPlan(PixelLayout layout, IReadOnlyList<Mask> masks)
    {
        foreach (var mask in masks)
        {
            var region = mask.Region.ClipTo(layout.Columns, layout.Rows) ?? throw new UnsupportedInstanceException(
                $"The region {mask.Region.X},{mask.Region.Y},{mask.Region.Width},{mask.Region.Height} lies outside of the image of {layout.Columns}×{layout.Rows} pixels.");
            if (mask.Frames is not null && mask.Frames.FirstOrDefault(frame => frame < 0 || frame >= layout.Frames, -1) is var absent && absent != -1)
            {
                throw new UnsupportedInstanceException($"A mask names frame {absent + 1}, but the image has {layout.Frames}.");
            }
            clipped.Add(mask with { Region = region });
        }
        everyFrame = clipped.All(mask => mask.Frames is null) ? [.. Regions] : null;
    }

    /// <summary>Every region once, inside the image.</summary>
    public IEnumerable<Region> Regions => clipped.Select(mask => mask.Region).Distinct();

    /// <summary>The regions to burn in a frame (0-based).</summary>
    public IReadOnlyList<Region> RegionsOf(int frame) =>
        everyFrame ?? [.. clipped.Where(mask => mask.AppliesTo(frame)).Select(mask => mask.Region).Distinct()];
}
