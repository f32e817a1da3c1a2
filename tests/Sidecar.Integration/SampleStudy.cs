using System.Globalization;
using Sidecar.TestData;

namespace Sidecar.Integration;

/// <summary>A study of one patient, built afresh for a test.</summary>
internal sealed class SampleStudy
{
    private readonly string _seed = Guid.NewGuid().ToString();

    public string Uid => Uids.From(_seed + "/study");

    /// <summary>The files uploaded so far: original bytes by Orthanc's id, in order.</summary>
    public Dictionary<string, byte[]> Originals { get; } = [];

    public string SeriesUid(int series = 1) => Uids.From($"{_seed}/series{series}");

    public string SopUid(int number, int series = 1) => Uids.From($"{_seed}/{series}/{number}");

    /// <summary>Uploads one instance: 16-bit grey of 64 × 48 unless <paramref name="change"/> says otherwise. Returns Orthanc's id.</summary>
    public async Task<string> Add(OrthancServer orthanc, int number, int series = 1, Action<InstanceBuilder>? change = null)
    {
        return await Add(orthanc, Build(number, series, change));
    }

    /// <summary>Uploads a file made from one of <see cref="Build"/>.</summary>
    public async Task<string> Add(OrthancServer orthanc, byte[] file)
    {
        var id = await orthanc.Upload(file);
        Originals[id] = file;
        return id;
    }

    public byte[] Build(int number, int series = 1, Action<InstanceBuilder>? change = null)
    {
        var format = PixelFormat.Grey(64, 48, bitsStored: 12);
        var builder = new InstanceBuilder(_seed)
            .Identify(Uid, SeriesUid(series), SopUid(number, series))
            .Set(Tags.PatientID, _seed)
            .Set(Tags.Modality, "US")
            .Set(Tags.InstanceNumber, number.ToString(CultureInfo.InvariantCulture))
            .Image(format, SampleFrame.Noise(format, seed: number));
        change?.Invoke(builder);
        return builder.Build();
    }

    /// <summary>A request as the viewer sends it.</summary>
    public object Request(string scope, (int X, int Y, int Width, int Height)? region = null, int source = 1, int series = 1, int[]? chosenSeries = null)
    {
        var (x, y, width, height) = region ?? (4, 6, 20, 10);
        return new
        {
            studyInstanceUid = Uid,
            source = new { seriesInstanceUid = SeriesUid(series), sopInstanceUid = SopUid(source, series) },
            regions = new[] { new { x, y, width, height } },
            scope,
            seriesInstanceUids = chosenSeries?.Select(s => SeriesUid(s)).ToArray(),
        };
    }

    /// <summary>Every file uploaded is masked in Orthanc now, by pydicom's verdict.</summary>
    public async Task AssertAllMasked(OrthancServer orthanc, params (int X, int Y, int Width, int Height)[] regions)
    {
        Assert.Equal(Originals.Keys.Order(), (await orthanc.ListInstances()).Order());
        List<(byte[], byte[])> files = [];
        foreach (var (id, original) in Originals)
        {
            files.Add((original, await orthanc.ReadFile(id)));
        }

        await Oracle.AssertMasked(files, regions is [] ? [(4, 6, 20, 10)] : regions);
    }
}
