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
    private static readonly SpoolKeys Keys = SpoolKeys.Create();
    private readonly ReplacementJournal _journal;

    public ReplacementJournalTests() => _journal = Journal(1);

    private ReplacementJournal Journal(byte key)
    {
        var bytes = new byte[32];
        bytes.AsSpan().Fill(key);
        return new(Options.Create(new StorageOptions { Directory = _folder.FullName }), new JournalKey(Options.Create(new JournalOptions { Key = Convert.ToBase64String(bytes) })));
    }

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void A_record_comes_back_whole_and_is_gone_with_its_files_when_closed()
    {
        Spool();
        var record = Record();
        var attachment = record.Instance.Attachments[0] with { Key = new byte[32] };
        record = record with { Instance = record.Instance with { Attachments = [attachment] } };
        _journal.CreateAttachment("job", attachment).Dispose();
        _journal.Open(record);

        var read = Assert.Single(_journal.OpenRecords("job"));
        Assert.Equivalent(record, read, strict: true);
        Assert.Equal("original"u8.ToArray(), ReadAll(_journal.FindOriginal(read)!));
        Assert.Equal(8, _journal.SizeOf(read));
        Assert.All(Directory.EnumerateFiles(_folder.FullName, "*", SearchOption.AllDirectories), f => Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(f)));
        Assert.Throws<InvalidOperationException>(() => _journal.CloseJob("job"));

        _journal.Close(read);
        Assert.Empty(_journal.OpenRecords("job"));
        Assert.Null(_journal.FindRecord("job", Instance));
        Assert.Null(_journal.FindOriginal(read));
        Assert.Equal([".original.spare", ".record.spare"], Directory.EnumerateFiles(JobFolder).Select(KindOf).Order());
        _journal.CloseJob("job");
        Assert.Empty(_journal.Jobs());
    }

    [Fact]
    public void What_another_node_has_closed_is_not_found_any_more()
    {
        var other = Journal(1);
        _journal.OpenParents("job", new ParentsRecord([]));
        Assert.NotNull(_journal.FindParents("job"));
        Assert.NotNull(other.FindParents("job"));

        other.CloseJob("job");

        Assert.Null(_journal.FindParents("job"));
        _journal.OpenParents("job", new ParentsRecord([Record().Instance]));
        Assert.Single(other.FindParents("job")!.Parents);
    }

    [Fact]
    public void Files_of_a_closed_image_hold_the_next_one_and_nothing_of_the_first()
    {
        Spool("the first one is longer");
        _journal.Open(Record() with { Uuid = new string('x', 500) });
        _journal.Close(Record());

        Spool();
        _journal.Open(Record());

        Assert.Equal(["a-b-c.original", "a-b-c.record"], Directory.EnumerateFiles(JobFolder).Select(f => Path.GetFileName(f)).Order());
        Assert.Equivalent(Record(), _journal.FindRecord("job", Instance), strict: true);
        Assert.Equal("original"u8.ToArray(), ReadAll(_journal.FindOriginal(Record())!));
        Assert.Equal(8, _journal.SizeOf(Record()));
    }

    [Fact]
    public void Long_files_are_not_kept_for_the_next_image()
    {
        using (var original = _journal.CreateOriginal("job", Instance, Keys, 0))
        {
            original.Write(new byte[17 * 1024 * 1024]);
        }

        _journal.DropOriginal("job", Instance);

        Assert.Empty(Directory.EnumerateFiles(JobFolder));
    }

    [Fact]
    public void A_file_that_another_service_swept_is_made_anew()
    {
        Spool();
        _journal.Open(Record());
        _journal.Close(Record());
        foreach (var file in Directory.EnumerateFiles(JobFolder))
        {
            File.Delete(file);
        }

        Spool();
        _journal.Open(Record());

        Assert.Equivalent(Record(), Assert.Single(_journal.OpenRecords("job")), strict: true);
        Assert.Equal("original"u8.ToArray(), ReadAll(_journal.FindOriginal(Record())!));
    }

    [Fact]
    public void A_record_under_the_name_of_another_image_counts_as_none_and_is_overwritten_when_it_is_swept()
    {
        // The file was given to the next image, and a power cut kept what was to be written to it from the disk.
        Spool();
        _journal.Open(Record());
        File.Move(Path.Combine(JobFolder, "a-b-c.record"), Path.Combine(JobFolder, "d-e-f.record"));
        File.Move(Path.Combine(JobFolder, "a-b-c.original"), Path.Combine(JobFolder, "d-e-f.original"));
        var kept = Link("d-e-f.record");

        Assert.Null(_journal.FindRecord("job", new OrthancId("d-e-f")));
        Assert.Empty(_journal.OpenRecords("job"));
        _journal.SweepUnopened("job");

        Assert.Empty(Directory.EnumerateFiles(JobFolder));
        Assert.DoesNotContain(File.ReadAllBytes(kept), b => b != 0);
    }

    [Fact]
    public void What_a_stopped_service_left_of_closed_images_is_overwritten_and_deleted()
    {
        Spool();
        _journal.Open(Record());
        var kept = Link("a-b-c.record");
        File.Move(Path.Combine(JobFolder, "a-b-c.record"), Path.Combine(JobFolder, "1.record.spare"));
        File.Move(Path.Combine(JobFolder, "a-b-c.original"), Path.Combine(JobFolder, "1.original.spare"));

        Journal(1).SweepUnopened("job");

        Assert.Empty(Directory.EnumerateFiles(JobFolder));
        Assert.DoesNotContain(File.ReadAllBytes(kept), b => b != 0);
    }

    [Fact]
    public void Files_without_a_record_are_swept_and_those_of_an_open_record_stay()
    {
        Spool();
        _journal.Open(Record());
        using (_journal.CreateOriginal("job", new OrthancId("d-e-f"), SpoolKeys.Create(), 0))
        {
        }

        File.WriteAllText(Path.Combine(_folder.FullName, "journal", "job", "d-e-f.masked"), "of an earlier version");

        _journal.SweepUnopened("job");

        Assert.Equal(["a-b-c.original", "a-b-c.record"], Directory.EnumerateFiles(Path.Combine(_folder.FullName, "journal", "job")).Select(f => Path.GetFileName(f)).Order());
    }

    [Fact]
    public void A_record_of_an_earlier_version_is_read_and_closed_with_its_masked_file()
    {
        Spool();
        var masked = Path.Combine(_folder.FullName, "journal", "job", "a-b-c.masked");
        File.WriteAllText(masked, "encrypted");
        var earlier = System.Text.Json.JsonSerializer.SerializeToNode(Record(), JournalJson.Default.InstanceRecord)!;
        earlier["Keys"]!["Masked"] = "AAAA";
        var bytes = new byte[32];
        bytes.AsSpan().Fill(1);
        File.WriteAllBytes(
            Path.Combine(_folder.FullName, "journal", "job", "a-b-c.record"),
            new JournalKey(Options.Create(new JournalOptions { Key = Convert.ToBase64String(bytes) })).Seal(System.Text.Encoding.UTF8.GetBytes(earlier.ToJsonString())));

        var read = Assert.Single(_journal.OpenRecords("job"));
        Assert.Equivalent(Record(), read, strict: true);
        _journal.Close(read);

        Assert.False(File.Exists(masked));
        _journal.CloseJob("job");
    }

    [Theory]
    [InlineData(0)]
    [InlineData(20)]
    [InlineData(100)]
    public void A_record_cut_off_while_it_was_written_counts_as_none(int length)
    {
        Spool();
        _journal.Open(Record());
        var file = Path.Combine(_folder.FullName, "journal", "job", "a-b-c.record");
        File.WriteAllBytes(file, File.ReadAllBytes(file)[..length]);

        Assert.Null(_journal.FindRecord("job", Instance));
        Assert.Empty(_journal.OpenRecords("job"));
        _journal.SweepUnopened("job");
        _journal.CloseJob("job");
        Assert.Empty(_journal.Jobs());
    }

    [Fact]
    public void Nothing_of_an_image_or_its_record_can_be_read_on_disk()
    {
        Spool();
        _journal.OpenParents("job", new ParentsRecord([Record().Instance]));
        _journal.Open(Record());

        var files = Directory.GetFiles(_folder.FullName, "*", SearchOption.AllDirectories);
        Assert.Equal(3, files.Length);
        Assert.All(files, file => Assert.All((string[])["original", "CT1", "RemoteAET", "uuid"], word => Assert.Equal(-1, File.ReadAllBytes(file).AsSpan().IndexOf(System.Text.Encoding.ASCII.GetBytes(word)))));
    }

    [Fact]
    public void A_closed_record_is_overwritten()
    {
        Spool();
        _journal.Open(Record());
        var kept = Link("a-b-c.record");
        Assert.Contains(File.ReadAllBytes(kept), b => b != 0);

        _journal.Close(Record());

        Assert.DoesNotContain(File.ReadAllBytes(kept), b => b != 0);
    }

    [Fact]
    public void A_record_that_is_closed_durably_is_overwritten_and_deleted_and_its_original_gone()
    {
        Spool();
        _journal.Open(Record());
        var kept = Link("a-b-c.record");

        _journal.CloseDurably(Record());

        Assert.DoesNotContain(File.ReadAllBytes(kept), b => b != 0);
        Assert.Equal([".original.spare"], Directory.EnumerateFiles(JobFolder).Select(KindOf));
    }

    [Theory]
    [InlineData("1.record.spare")]
    [InlineData("d-e-f.record")]
    public void Records_that_a_power_cut_left_of_other_images_are_overwritten_when_their_job_is_closed(string name)
    {
        Spool();
        _journal.Open(Record());
        var kept = Link("a-b-c.record");
        File.Move(Path.Combine(JobFolder, "a-b-c.record"), Path.Combine(JobFolder, name));

        _journal.CloseJob("job");

        Assert.DoesNotContain(File.ReadAllBytes(kept), b => b != 0);
        Assert.Empty(_journal.Jobs());
    }

    [Fact]
    public void A_journal_of_another_key_is_kept_and_the_message_says_what_to_do()
    {
        Spool();
        _journal.Open(Record());
        var other = Journal(2);

        Assert.Contains("another key", Assert.Throws<IOException>(() => other.FindRecord("job", Instance)).Message, StringComparison.Ordinal);
        Assert.Throws<IOException>(() => other.SweepUnopened("job"));
        Assert.Equivalent(Record(), _journal.FindRecord("job", Instance), strict: true);
    }

    [Fact]
    public void Images_of_a_version_that_did_not_encrypt_are_not_swept()
    {
        Spool();
        File.WriteAllText(Path.Combine(_folder.FullName, "journal", "job", "a-b-c.json"), "{}");

        Assert.Contains("did not encrypt", Assert.Throws<IOException>(() => _journal.SweepUnopened("job")).Message, StringComparison.Ordinal);
        Assert.Equal(2, Directory.GetFiles(_folder.FullName, "*", SearchOption.AllDirectories).Length);
    }

    // Spares have random names before their first dot.
    private static string KindOf(string file) => Path.GetFileName(file)[Path.GetFileName(file).IndexOf('.', StringComparison.Ordinal)..];

    private string JobFolder => Path.Combine(_folder.FullName, "journal", "job");

    // A second name for the same bytes on disk, as an undelete tool would have.
    private string Link(string file)
    {
        var kept = Path.Combine(_folder.FullName, "kept");
        System.Diagnostics.Process.Start("ln", [Path.Combine(JobFolder, file), kept]).WaitForExit();
        return kept;
    }

    private void Spool(string content = "original")
    {
        using var original = _journal.CreateOriginal("job", Instance, Keys, 0);
        original.Write(System.Text.Encoding.ASCII.GetBytes(content));
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
            Attachments = [new AttachmentSnapshot(1025, "a-b-c.attachment-1025", [1, 2, 3])],
            Labels = ["label"],
            Protected = true,
            Children = 3,
        },
        Uuid = "uuid",
        Md5 = "a",
        MaskedMd5 = "b",
        Proof = new MaskProof { Frames = 4, TransferSyntaxUid = "1", OutputTransferSyntaxUid = "1", Regions = [new(1, 2, 3, 4)], ChangedOutside = 0, Sha256 = "c", OutputSha256 = "d", FrameXxh64 = ["e", "f"] },
        Keys = Keys,
    };
}
