using Microsoft.Extensions.Options;
using Sidecar.Dicom.Masking;
using Sidecar.Orthanc;
using Sidecar.Storage;
using Xunit;

namespace Sidecar.Tests.Orthanc;

[System.Runtime.Versioning.SupportedOSPlatform("linux")]
public sealed class SealedOriginalsTests : IDisposable
{
    private static readonly OrthancId Instance = new("a-b-c");
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("sidecar-sealed-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void An_original_is_kept_encrypted_once_and_can_be_read_after_the_journal_forgot_it()
    {
        var (journal, originals) = Open(1);
        var record = Spool(journal, "the original");

        originals.Keep(record);
        originals.Keep(record);
        journal.Close(record);
        journal.CloseJob("job");

        var (_, later) = Open(1);
        Assert.Equal("the original", Read(later));
        Assert.Equal([("job", "a-b-c")], later.List());
        Assert.All(Files(), f => Assert.DoesNotContain("the original", File.ReadAllText(f), StringComparison.Ordinal));
        Assert.All(Files(), f => Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(f)));
        Assert.Throws<IOException>(() => Open(2).Originals.Find("job", Instance));
    }

    [Fact]
    public void What_was_interrupted_after_each_step_is_finished_by_doing_it_again()
    {
        var (journal, originals) = Open(1);
        var record = Spool(journal, "the original");
        originals.Keep(record);
        var seal = Directory.EnumerateFiles(_folder.FullName, "*.seal", SearchOption.AllDirectories).Single();

        File.Delete(seal); // killed between the two files
        Assert.Null(originals.Find("job", Instance));
        originals.Keep(record);
        Assert.Equal("the original", Read(originals));
        File.WriteAllBytes(seal, new byte[5]); // cut off while it was written
        Assert.Null(originals.Find("job", Instance));
        originals.Keep(record);
        Assert.Equal("the original", Read(originals));
    }

    [Fact]
    public void Another_original_that_somebody_sent_in_between_takes_the_place_of_the_first()
    {
        var (journal, originals) = Open(1);
        var first = Spool(journal, "the first");
        originals.Keep(first);
        journal.Close(first);
        var second = Spool(journal, "the second") with { Md5 = "another" };

        originals.Keep(second);

        Assert.Equal(("the second", "another"), (Read(originals), originals.Find("job", Instance)!.Md5));
    }

    [Fact]
    public void Without_its_original_nothing_is_promised()
    {
        var (journal, originals) = Open(1);
        var record = Spool(journal, "the original");
        journal.DropOriginal("job", Instance);

        Assert.Throws<FileNotFoundException>(() => originals.Keep(record));
        File.WriteAllText(Path.Combine(_folder.FullName, "sealed", "job", "x"), "");
        Directory.Delete(Path.Combine(_folder.FullName, "sealed"), recursive: true);
        File.WriteAllText(Path.Combine(_folder.FullName, "sealed"), "no room for a folder");
        Assert.ThrowsAny<IOException>(() => originals.Keep(Spool(journal, "the original")));
    }

    [Fact]
    public void Erased_it_is_gone_with_its_key_also_where_the_key_of_the_journal_is_another_by_now()
    {
        var (journal, originals) = Open(1);
        originals.Keep(Spool(journal, "the original"));

        var (_, other) = Open(2);
        other.Erase("job", "a-b-c");
        other.Erase("job", "a-b-c");

        Assert.Empty(originals.List());
        Assert.Null(originals.Find("job", Instance));
        Assert.Empty(Directory.EnumerateFileSystemEntries(Path.Combine(_folder.FullName, "sealed")));
    }

    private (ReplacementJournal Journal, SealedOriginals Originals) Open(byte key)
    {
        var bytes = new byte[32];
        bytes.AsSpan().Fill(key);
        var (storage, journalKey) = (Options.Create(new StorageOptions { Directory = _folder.FullName }), new JournalKey(Options.Create(new JournalOptions { Key = Convert.ToBase64String(bytes) })));
        var journal = new ReplacementJournal(storage, journalKey);
        return (journal, new SealedOriginals(storage, journal, journalKey));
    }

    private static InstanceRecord Spool(ReplacementJournal journal, string content)
    {
        var keys = SpoolKeys.Create();
        using (var original = journal.CreateOriginal("job", Instance, keys, 0))
        {
            original.Write(System.Text.Encoding.ASCII.GetBytes(content));
        }

        var record = new InstanceRecord
        {
            JobId = "job",
            Instance = new ResourceSnapshot { Level = OrthancLevel.Instances, Id = Instance.Value, Metadata = new Dictionary<string, byte[]>(), SystemMetadata = new Dictionary<string, string>(), Attachments = [] },
            Uuid = "uuid",
            Md5 = "before",
            MaskedMd5 = "after",
            Proof = new MaskProof { Frames = 1, TransferSyntaxUid = "1", OutputTransferSyntaxUid = "1", Regions = [], ChangedOutside = 0, Sha256 = "c", OutputSha256 = "d", FrameXxh64 = [] },
            Keys = keys,
        };
        journal.Open(record);
        return record;
    }

    private static string Read(SealedOriginals originals)
    {
        using var stream = new StreamReader(originals.Open(originals.Find("job", Instance)!));
        return stream.ReadToEnd();
    }

    private IEnumerable<string> Files() => Directory.EnumerateFiles(_folder.FullName, "*", SearchOption.AllDirectories);
}
