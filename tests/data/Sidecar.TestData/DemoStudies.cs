using System.Globalization;

namespace Sidecar.TestData;

/// <summary>A study for the demo and the browser tests.</summary>
/// <param name="Name">Also its folder's name.</param>
/// <param name="StudyInstanceUid">Its UID.</param>
/// <param name="Banner">The rectangle around the burned-in text, the same in all its frames.</param>
/// <param name="Instances">Makes the Part 10 files, in order of InstanceNumber.</param>
public sealed record DemoStudy(string Name, string StudyInstanceUid, (int X, int Y, int Width, int Height) Banner, Func<IReadOnlyList<byte[]>> Instances);

/// <summary>Four generated studies of invented patients. The same seed gives the same bytes.</summary>
public static class DemoStudies
{
    private const string Hospital = "STADTKLINIK BEISPIEL";

    public static IReadOnlyList<DemoStudy> All(string seed) =>
    [
        UltrasoundStill(seed),
        UltrasoundCine(seed),
        CT(seed),
        Radiograph(seed),
    ];

    private static DemoStudy UltrasoundStill(string seed)
    {
        var patient = new Patient(seed, "ultrasound-still", "DEMO^ULTRASOUND ANNA", "F", "19710121", "2026-03-14", "Abdomen ultrasound");
        var format = PixelFormat.Colour(800, 600);
        return patient.Study(Box(format, patient.Banner, 2, 12, 8), () =>
        {
            var frame = UltrasoundImage.Still(format);
            BurnBanner(frame, format, patient.Banner, 2, 12, 8);
            return [patient.Instance("US", SopClasses.Ultrasound, 1).Set(Tags.ImageType, "ORIGINAL", "PRIMARY", "ABDOMINAL")
                .Set(Tags.SeriesDescription, "Liver with colour flow").Set(Tags.LossyImageCompression, "00").Image(format, frame).Build()];
        });
    }

    private static DemoStudy UltrasoundCine(string seed)
    {
        var patient = new Patient(seed, "ultrasound-cine", "DEMO^CINE BERTA", "F", "19640930", "2026-03-16", "Echocardiogram");
        var format = PixelFormat.Grey(640, 480);
        return patient.Study(Box(format, patient.Banner, 2, 8, 6), () =>
        {
            var frames = UltrasoundImage.Cine(format, 60);
            foreach (var frame in frames)
            {
                BurnBanner(frame, format, patient.Banner, 2, 8, 6);
            }

            return [patient.Instance("US", SopClasses.UltrasoundMultiFrame, 1).Set(Tags.ImageType, "ORIGINAL", "PRIMARY", "TTE")
                .Set(Tags.SeriesDescription, "Four chamber view").Set(Tags.LossyImageCompression, "00").Image(format, frames)
                .Set(Tags.FrameTime, "33.33").Set(Tags.CineRate, 30).Set(Tags.FrameIncrementPointer, 0x00181063u)
                .Syntax(TransferSyntaxes.RleLossless).Offsets(OffsetTable.Basic).Build()];
        });
    }

    private static DemoStudy CT(string seed)
    {
        var patient = new Patient(seed, "ct", "DEMO^TOMOGRAPHY CARL", "M", "19550704", "2026-03-17", "CT abdomen");
        var format = PixelFormat.Grey(512, 512, bitsStored: 12);
        return patient.Study(Box(format, patient.Banner, 2, 8, 8), () =>
        {
            var instances = new byte[40][];
            Parallel.For(0, instances.Length, index =>
            {
                var frame = CTPhantom.Slice(format, index, instances.Length);
                BurnBanner(frame, format, patient.Banner, 2, 8, 8);
                var z = (-5.0 * index).ToString("0.0", CultureInfo.InvariantCulture);
                instances[index] = patient.Instance("CT", SopClasses.CT, index + 1).Set(Tags.ImageType, "ORIGINAL", "PRIMARY", "AXIAL")
                    .Set(Tags.SeriesDescription, "Abdomen 5.0 mm").Set(Tags.BodyPartExamined, "ABDOMEN").Set(Tags.KVP, "120").Set(Tags.AcquisitionNumber, 1)
                    .Set(Tags.SliceThickness, "5").Set(Tags.PatientPosition, "HFS").Set(Tags.FrameOfReferenceUID, patient.Uid("frame of reference"))
                    .Set(Tags.PositionReferenceIndicator, "").Set(Tags.ImagePositionPatient, "-191.6", "-191.6", z)
                    .Set(Tags.ImageOrientationPatient, 1, 0, 0, 0, 1, 0).Set(Tags.SliceLocation, z).Set(Tags.PixelSpacing, "0.75", "0.75")
                    .Set(Tags.RescaleIntercept, "-1024").Set(Tags.RescaleSlope, "1").Set(Tags.RescaleType, "HU")
                    .Set(Tags.WindowCenter, "40").Set(Tags.WindowWidth, "400").Image(format, frame).Build();
            });
            return instances;
        });
    }

    private static DemoStudy Radiograph(string seed)
    {
        var patient = new Patient(seed, "radiograph", "DEMO^RADIOGRAPH DORA", "F", "19880229", "2026-03-18", "Chest PA");
        var format = PixelFormat.Grey(1024, 1280, bitsStored: 12, inverted: true);
        return patient.Study(Box(format, patient.Banner, 3, 16, 14), () =>
        {
            var frame = ChestRadiograph.Draw(format);
            BurnBanner(frame, format, patient.Banner, 3, 16, 14);
            TextBurner.Burn(frame, format, "L", 940, 60, 7);
            return [patient.Instance("CR", SopClasses.ComputedRadiography, 1).Set(Tags.ImageType, "ORIGINAL", "PRIMARY")
                .Set(Tags.SeriesDescription, "Chest PA").Set(Tags.BodyPartExamined, "CHEST").Set(Tags.ViewPosition, "PA").Set(Tags.PatientOrientation, "L", "F")
                .Set(Tags.ImagerPixelSpacing, "0.34", "0.34").Set(Tags.WindowCenter, "2048").Set(Tags.WindowWidth, "4096").Image(format, frame).Build()];
        });
    }

    private static void BurnBanner(SampleFrame frame, PixelFormat format, string[] lines, int scale, int left, int top)
    {
        for (var line = 0; line < lines.Length; line++)
        {
            TextBurner.Burn(frame, format, lines[line], left, top + (line * LineHeight(scale)), scale, shade: true);
        }
    }

    /// <summary>The banner's rectangle with a margin of one dot for the shade.</summary>
    private static (int X, int Y, int Width, int Height) Box(PixelFormat format, string[] lines, int scale, int left, int top)
    {
        var width = (lines.Max(line => line.Length) * BitmapFont.Advance * scale) + (2 * scale);
        var height = (lines.Length * LineHeight(scale)) + scale;
        return (left - scale, top - scale, Math.Min(width, format.Columns - left + scale), height);
    }

    private static int LineHeight(int scale) => (BitmapFont.Height + 3) * scale;

    private sealed record Patient(string Seed, string Name, string PatientName, string Sex, string BirthDate, string Date, string StudyDescription)
    {
        private readonly string _number = (1_000_000 + (int)(SampleFrame.Hash(Seed.Aggregate(17, (sum, c) => (sum * 31) + c), 0, Name.Length) % 9_000_000))
            .ToString(CultureInfo.InvariantCulture);

        public string[] Banner => [PatientName, $"MRN {_number}  {Sex}  {BirthDate[..4]}-{BirthDate[4..6]}-{BirthDate[6..]}", Date, Hospital];

        public string Uid(string what) => Uids.From($"{Seed}/{Name}/{what}");

        public DemoStudy Study((int X, int Y, int Width, int Height) banner, Func<IReadOnlyList<byte[]>> instances) => new(Name, Uid("study"), banner, instances);

        public InstanceBuilder Instance(string modality, string sopClass, int number)
        {
            var day = Date.Replace("-", "", StringComparison.Ordinal);
            return new InstanceBuilder().Sop(sopClass).Identify(Uid("study"), Uid("series"), Uid($"instance {number}"))
                .Set(Tags.SpecificCharacterSet, "ISO_IR 100").Set(Tags.Modality, modality).Set(Tags.Manufacturer, "Generated")
                .Set(Tags.ManufacturerModelName, "Demo studies").Set(Tags.InstitutionName, Hospital).Set(Tags.ReferringPhysicianName, "REFERRER^RUTH")
                .Set(Tags.StudyDescription, StudyDescription).Set(Tags.AccessionNumber, "A" + _number).Set(Tags.StudyID, "1")
                .Set(Tags.StudyDate, day).Set(Tags.SeriesDate, day).Set(Tags.AcquisitionDate, day).Set(Tags.ContentDate, day)
                .Set(Tags.StudyTime, "101500").Set(Tags.SeriesTime, "101600").Set(Tags.ContentTime, "101630")
                .Set(Tags.PatientName, PatientName).Set(Tags.PatientID, _number).Set(Tags.PatientBirthDate, BirthDate).Set(Tags.PatientSex, Sex)
                .Set(Tags.SeriesNumber, 1).Set(Tags.InstanceNumber, number).Set(Tags.PatientOrientation, "").Set(Tags.BurnedInAnnotation, "YES");
        }
    }
}
