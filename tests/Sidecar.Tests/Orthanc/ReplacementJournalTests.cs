using Microsoft.Extensions.Options;
using Sidecar.Dicom.Masking;
using Sidecar.Orthanc;
using Sidecar.Storage;
using Xunit;

namespace Sidecar.Tests.Orthanc;

[System.Runtime.Versioning.SupportedOSPlatform("linux")]
public sealed class ReplacementJournalTests : IDisposable
{
    private static readonly OrthancId Instance = new("a-b-c");
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("sidecar-journal-");
    private readonly ReplacementJournal _journal;

    public ReplacementJournalTests() => _journal = new(Options.Create(new StorageOptions { Directory = _folder.FullName }));

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void A_record_comes_back_whole_and_is_gone_with_its_files_when_closed()
    {
        Spool();
        var record = Record();
        _journal.Open(record);

        var read = Assert.Single(_journal.OpenRecords("job"));
        Assert.Equivalent(record, read, strict: true);
        Assert.Equal("masked"u8.ToArray(), ReadAll(_journal.OpenSpool("job", Instance, SpoolFile.Masked)));
        Assert.All(Directory.EnumerateFiles(_folder.FullName, "*", SearchOption.AllDirectories), f => Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(f)));
        Assert.Throws<InvalidOperationException>(() => _journal.CloseJob("job"));

        _journal.Close(read);
        Assert.Empty(Directory.EnumerateFiles(_folder.FullName, "*", SearchOption.AllDirectories));
        _journal.CloseJob("job");
        Assert.Empty(_journal.Jobs());
    }

    [Fact]
    public void Files_without_a_record_are_swept_and_those_of_an_open_record_stay()
    {
        Spool();
        _journal.Open(Record());
        using (_journal.CreateSpool("job", new OrthancId("d-e-f"), SpoolFile.Original))
        {
        }

        _journal.SweepUnopened("job");

        Assert.Equal(["a-b-c.json", "a-b-c.masked", "a-b-c.original"], Directory.EnumerateFiles(Path.Combine(_folder.FullName, "journal", "job")).Select(f => Path.GetFileName(f)).Order());
    }

    [Fact]
    public void A_record_cut_off_while_it_was_written_counts_as_none()
    {
        Spool();
        _journal.Open(Record());
        var file = Path.Combine(_folder.FullName, "journal", "job", "a-b-c.json");
        File.WriteAllText(file, File.ReadAllText(file)[..40]);

        Assert.Null(_journal.FindRecord("job", Instance));
        Assert.Empty(_journal.OpenRecords("job"));
        _journal.SweepUnopened("job");
        _journal.CloseJob("job");
        Assert.Empty(_journal.Jobs());
    }

    private void Spool()
    {
        using var original = _journal.CreateSpool("job", Instance, SpoolFile.Original);
        original.Write("original"u8);
        using var masked = _journal.CreateSpool("job", Instance, SpoolFile.Masked);
        masked.Write("masked"u8);
    }

    private static byte[] ReadAll(Stream stream)
    {
        using var memory = new MemoryStream();
        using (stream)
        {
            stream.CopyTo(memory);
        }

        return memory.ToArray();
    }

    private static InstanceRecord Record() => new()
    {
        JobId = "job",
        Instance = new ResourceSnapshot
        {
            Level = OrthancLevel.Instances,
            Id = Instance.Value,
            Metadata = new Dictionary<string, byte[]> { ["1024"] = [0, 255, 1] },
            SystemMetadata = new Dictionary<string, string> { ["RemoteAET"] = "CT1" },
            Attachments = [new AttachmentSnapshot(1025, "a-b-c.attachment-1025")],
            Labels = ["label"],
            Protected = true,
            Children = 3,
        },
        Uuid = "uuid",
        Md5 = "a",
        MaskedMd5 = "b",
        Proof = new MaskProof { Frames = 4, TransferSyntaxUid = "1", OutputTransferSyntaxUid = "1", Regions = [new(1, 2, 3, 4)], ChangedOutside = 0, Sha256 = "c", OutputSha256 = "d", FrameXxh64 = ["e", "f"] },
    };
}
