using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Sidecar.Dicom.Codecs;
using Sidecar.Dicom.Masking;
using Sidecar.Orthanc;
using Sidecar.Storage;
using Sidecar.TestData;
using Sidecar.Tests.MaskJobs;
using Xunit;

namespace Sidecar.Tests.Orthanc;

/// <summary>What no kill at a request reaches; the rest is tested on a real Orthanc.</summary>
[System.Runtime.Versioning.SupportedOSPlatform("linux")]
public sealed class SafeReplacementTests : IDisposable
{
    private static readonly OrthancId Instance = new("a-b-c");
    private static readonly byte[] Original = "the original"u8.ToArray();
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("sidecar-replacement-");
    private readonly EmptyArchive _archive = new();
    private readonly ReplacementJournal _journal;
    private readonly SealedOriginals _kept;
    private readonly SafeReplacement _replacement;

    public SafeReplacementTests()
    {
        var storage = Options.Create(new StorageOptions { Directory = _folder.FullName });
        var key = new JournalKey(Options.Create(new JournalOptions { Key = Convert.ToBase64String(new byte[32]) }));
        var orthanc = new OrthancClient(new HttpClient(_archive, disposeHandler: false) { BaseAddress = new Uri("http://127.0.0.1:9/") }, TimeProvider.System);
        _journal = new ReplacementJournal(storage, key);
        _kept = new SealedOriginals(storage, _journal, key);
        _replacement = new SafeReplacement(
            orthanc, _journal, new ResourceSnapshots(orthanc, _journal), new WorkLimit(Options.Create(new OrthancOptions())), new GatheredMasking(new InstanceMasker(FrameCodecs.Managed)),
            _kept, TimeProvider.System, NullLogger<SafeReplacement>.Instance);
    }

    public void Dispose()
    {
        _archive.Dispose();
        _folder.Delete(recursive: true);
    }

    /// <summary>Stopped between keeping the original and putting the image on record; then the archive lost it.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_image_that_only_the_service_has_goes_back_into_the_archive(bool kept)
    {
        var record = Begin();
        if (kept)
        {
            _kept.Keep(record);
        }

        // Of another image than the one that was looked at nothing is masked: the original is as far as it goes here.
        var outcome = await _replacement.Replace("job", Instance, [new Mask(new(0, 0, 1, 1))], md5: "another", default);

        Assert.Equal(
            new ReplacementOutcome.Refused(RefusalCause.Changed, "The image is another one than was looked at: somebody sent it again or masked it after the job was started. Look at it again."),
            outcome);
        Assert.Equal(Original, _archive.Stored);
        Assert.Empty(_journal.OpenRecords("job"));
    }

    [Fact]
    public async Task Where_nobody_has_it_the_record_stays_and_the_message_says_what_to_do()
    {
        var record = Begin();
        _journal.DropOriginal("job", Instance);

        var error = await Assert.ThrowsAsync<IOException>(() => _replacement.Settle(record, default));

        Assert.Contains("Restore Storage:Directory from a backup", error.Message, StringComparison.Ordinal);
        Assert.Single(_journal.OpenRecords("job"));
    }

    [Fact]
    public async Task A_file_that_is_not_the_one_Orthanc_says_it_holds_is_refused()
    {
        (_archive.Stored, _archive.Promised) = (Original, "the or1ginal"u8.ToArray());

        var outcome = await _replacement.Replace("job", Instance, [new Mask(new(0, 0, 1, 1))], md5: null, default);

        Assert.Equal(new ReplacementOutcome.Refused(RefusalCause.Archive, "Orthanc delivers another file than it says it holds (checksum). Check Orthanc's disk; nothing was stored."), outcome);
        Assert.Equal(Original, _archive.Stored);
    }

    [Fact]
    public async Task A_masked_file_that_comes_back_otherwise_is_not_taken_for_done()
    {
        var masked = "the masked one"u8.ToArray();
        var record = Begin(masked);
        (_archive.Stored, _archive.Promised) = ("the mask3d one"u8.ToArray(), masked);

        var error = await Assert.ThrowsAsync<OrthancException>(() => _replacement.Settle(record, default));

        Assert.Equal("Orthanc delivers instance a-b-c otherwise than it was stored. Check Orthanc's disk.", error.Message);
        Assert.Single(_journal.OpenRecords("job"));
    }

    [Fact]
    public async Task An_image_that_is_gone_is_refused()
    {
        var outcome = await _replacement.Replace("job", Instance, [new Mask(new(0, 0, 1, 1))], md5: null, default);

        Assert.Equal(new ReplacementOutcome.Refused(RefusalCause.Deleted, "The image is no longer in Orthanc; somebody deleted it after the job was started."), outcome);
    }

    public static TheoryData<string, string> OutcomesNobodyElseKnows => new()
    {
        { "an image that was not stored yet is begun anew", "The image is no longer in Orthanc; somebody deleted it after the job was started." },
        { "the job is not known any more", "settled" },
        { "somebody stored another one meanwhile", "The image is another one than was looked at: somebody sent it again or masked it after the job was started. Look at it again." },
        { "overwriting was switched off", SafetyProbe.OverwriteOff },
    };

    /// <summary>
    /// A record that waits for the disk with the next one keeps its file for it; one that is overwritten at once is deleted. If it came back after a power cut,
    /// its original would be another's by then.
    /// </summary>
    [Theory]
    [MemberData(nameof(OutcomesNobodyElseKnows))]
    public async Task A_record_whose_outcome_is_nowhere_else_is_overwritten_on_disk_at_once(string story, string told)
    {
        var image = new InstanceBuilder().Build();
        var recordsAtTheEnd = "";
        switch (story)
        {
            case "an image that was not stored yet is begun anew":
                Begin();
                _archive.Stored = Original;
                _archive.OnRequest = path => _archive.Stored = path == "/instances/a-b-c/attachments/dicom/info" && Records() == "" ? null : _archive.Stored;
                break;
            case "the job is not known any more":
                _archive.Stored = "the masked one"u8.ToArray();
                await _replacement.Settle(Begin(_archive.Stored), default);
                Assert.Equal("", Records());
                return;
            case "somebody stored another one meanwhile":
                _archive.Stored = image;
                _archive.OnRequest = path => (_archive.Stored, _archive.UuidNow) = path == "/instances/a-b-c/attachments/dicom/info" && Records() != "" ? (Original, "another") : (_archive.Stored, _archive.UuidNow);
                break;
            default:
                _archive.Stored = image;
                _archive.Overwrites = false;
                _archive.OnRequest = path => recordsAtTheEnd = path == "/instances" ? Records() : recordsAtTheEnd;
                break;
        }

        var outcome = await _replacement.Replace("job", Instance, [new Mask(new(0, 0, 1, 1))], story == "somebody stored another one meanwhile" ? Md5(image) : null, default);

        Assert.Equal(told, Assert.IsType<ReplacementOutcome.Refused>(outcome).Reason);
        Assert.Equal("", Records());
        Assert.Equal(_archive.Overwrites ? "" : "a-b-c.record", recordsAtTheEnd);
    }

    private string Records() => string.Join(' ', _folder.EnumerateFiles("*.record*", SearchOption.AllDirectories).Select(f => f.Name));

    private InstanceRecord Begin(byte[]? masked = null)
    {
        var record = JobStores.Replaced(Instance.Value).Record with { Md5 = Md5(Original) };
        record = masked is null ? record : record with { MaskedMd5 = Md5(masked) };
        using (var original = _journal.CreateOriginal("job", Instance, record.Keys, 0))
        {
            original.Write(Original);
        }

        _journal.Open(record);
        return record;
    }

#pragma warning disable CA5351 // MD5 is the digest that Orthanc publishes.
    private static string Md5(byte[] content) => Convert.ToHexStringLower(MD5.HashData(content));
#pragma warning restore CA5351

    /// <summary>An Orthanc that has nothing but what is stored now.</summary>
    private sealed class EmptyArchive : HttpMessageHandler
    {
        public byte[]? Stored { get; set; }

        /// <summary>What it says that it holds; null: what it does hold.</summary>
        public byte[]? Promised { get; set; }

        /// <summary>Changes with each storing in a real one.</summary>
        public string UuidNow { get; set; } = "new";

        /// <summary>What OverwriteInstances says.</summary>
        public bool Overwrites { get; set; } = true;

        /// <summary>Called before the answer, with the path that is asked for.</summary>
        public Action<string>? OnRequest { get; set; }

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var path = request.RequestUri!.AbsolutePath;
            OnRequest?.Invoke(path);
            if (path == "/instances" && !Overwrites)
            {
                return Json(new JsonObject { ["ID"] = Instance.Value, ["Status"] = "AlreadyStored" });
            }

            if (path is "/instances/a-b-c/metadata" or "/instances/a-b-c/attachments")
            {
                return Json([]);
            }

            if (path == "/system")
            {
                return Json(new JsonObject { ["Version"] = "1.10.1", ["ApiVersion"] = 16 });
            }

            if (path == "/instances")
            {
                Stored = await request.Content!.ReadAsByteArrayAsync(cancellationToken);
                return Json(new JsonObject { ["ID"] = Instance.Value, ["Status"] = "Success" });
            }

            if (Stored is not null && path.EndsWith("/file", StringComparison.Ordinal))
            {
                return new HttpResponseMessage(HttpStatusCode.OK) { Content = new ByteArrayContent(Stored) };
            }

            return Stored is not null && path.EndsWith("/attachments/dicom/info", StringComparison.Ordinal)
                ? Json(new JsonObject { ["UncompressedMD5"] = Md5(Promised ?? Stored), ["UncompressedSize"] = Stored.Length, ["Uuid"] = UuidNow })
                : new HttpResponseMessage(HttpStatusCode.NotFound) { RequestMessage = request };
        }

        private static HttpResponseMessage Json(JsonObject content) => new(HttpStatusCode.OK) { Content = new StringContent(content.ToJsonString(), Encoding.UTF8, "application/json") };
    }
}
