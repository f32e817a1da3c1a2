using Sidecar.Dicom.Text;
using Sidecar.Scans;
using Sidecar.Tests.Storage;
using Xunit;
using static Sidecar.Tests.Scans.ScanStores;

namespace Sidecar.Tests.Scans;

public sealed class ScanLedgerTests
{
    private const string Findings = "SELECT state || ' ' || md5 || ' ' || CAST(x AS TEXT) || ' ' || CAST(confidence AS TEXT) || ' ' || kind || ' ' || COALESCE(frames, 'all') || ' ' || CAST(after_masking AS TEXT) FROM scan_findings ORDER BY x";

    [Theory, OnSqlite, OnPostgres]
    public async Task What_was_looked_at_is_in_the_ledger_with_what_was_found_and_counted_for_the_run(string kind)
    {
        using var its = await ScanStores.Create(kind);
        var claim = await its.AddAndClaim();

        await its.Ledger.Record(claim, "engine 1", isWeak: false, [Image("a", findings: [Finding() with { Frames = [0, 1, 3], MatchedAttribute = "PatientName", Kind = FindingKind.PersonName }]), Image("b", reason: "It is damaged.")], default);

        var rows = await its.Ledger.ReadSeries(new("series"), default);
        Assert.Equal(("md5", "uuid-md5", "engine 1"), (rows["a"].Md5, rows["a"].Uuid, rows["a"].Engine));
        Assert.Equal(["scanned 640 US Maker 4", "unscannable"], await its.Texts("SELECT state || COALESCE(' ' || CAST(columns AS TEXT) || ' ' || modality || ' ' || manufacturer || ' ' || CAST(frames AS TEXT), '') FROM scanned_instances ORDER BY orthanc_id"));
        Assert.Equal(["open md5 10 876 personName 1-2,4 0"], await its.Texts(Findings));
        var run = (await its.Runs.Find(ScanRun.ArrivalsId, default))!;
        Assert.Equal((1L, 1L, 1L), (run.Scanned, run.Unscannable, run.Findings));
    }

    [Theory, OnSqlite, OnPostgres]
    public async Task Of_very_many_images_each_is_in_the_ledger_as_it_is_and_a_second_scan_replaces_it(string kind)
    {
        using var its = await ScanStores.Create(kind);
        var claim = await its.AddAndClaim();
        List<ScannedImage> Images(string md5) => [.. Enumerable.Range(0, 121).Select(i => Image($"image {i}", $"{md5}-{i}", i % 3 == 0 ? $"Reason {i}." : null) with { InstanceNumber = i % 5 == 0 ? null : i })];

        await its.Ledger.Record(claim, "engine 1", isWeak: false, Images("first"), default);
        await its.Ledger.Record(claim, "engine 2", isWeak: true, Images("second"), default);

        Assert.Equal(
            Images("second").Select(i => $"{i.OrthancId} {i.Md5} uuid-{i.Md5} {i.InstanceNumber?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "none"} {i.Unscannable?.Reason ?? "scanned"} engine 2 1").Order(StringComparer.Ordinal),
            (await its.Texts("SELECT orthanc_id || ' ' || md5 || ' ' || uuid || ' ' || COALESCE(CAST(instance_number AS TEXT), 'none') || ' ' || COALESCE(reason, state) || ' ' || engine || ' ' || CAST(is_weak AS TEXT) FROM scanned_instances")).Order(StringComparer.Ordinal));
    }

    [Theory, OnSqlite, OnPostgres]
    public async Task A_decision_survives_the_next_scan_and_text_that_is_gone_is_masked(string kind)
    {
        using var its = await ScanStores.Create(kind);
        var claim = await its.AddAndClaim();
        await its.Ledger.Record(claim, "engine 1", isWeak: false, [Image(findings: [Finding(x: 10), Finding(x: 300), Finding(x: 600)])], default);
        await its.Execute("UPDATE scan_findings SET state = 'dismissed' WHERE x = 10; UPDATE scan_findings SET state = 'accepted' WHERE x = 300");
        await Mask(its, "md5-2");

        await its.Ledger.Record(claim, "engine 1", isWeak: false, [Image(md5: "md5-2", findings: [Finding(x: 12), Finding(x: 402)])], default);

        // Dismissed: the same row. Accepted: covered. The third is gone. The new one is readable at the mask's edge (300 to 400, found from 402).
        Assert.Equal(["dismissed md5-2 10 876 other all 0", "masked md5 300 876 other all 0", "open md5-2 402 876 other all 1", "gone md5 600 876 other all 0"], await its.Texts(Findings));
    }

    [Theory, OnSqlite, OnPostgres]
    public async Task An_image_that_cannot_be_looked_at_keeps_the_findings_of_the_same_file_only(string kind)
    {
        using var its = await ScanStores.Create(kind);
        var claim = await its.AddAndClaim();
        await its.Ledger.Record(claim, "engine 1", isWeak: false, [Image(findings: [Finding()])], default);

        await its.Ledger.Record(claim, "engine 2", isWeak: false, [Image(reason: "The detector failed.")], default);
        Assert.Equal(["open md5 10 876 other all 0"], await its.Texts(Findings));
        await its.Ledger.Record(claim, "engine 2", isWeak: false, [Image(md5: "md5-2", reason: "The detector failed.")], default);
        Assert.Equal(["gone md5 10 876 other all 0"], await its.Texts(Findings));
        Assert.Equal(["unscannable md5-2"], await its.Texts("SELECT state || ' ' || md5 FROM scanned_instances"));
    }

    [Theory, OnSqlite, OnPostgres]
    public async Task Nothing_is_recorded_once_another_node_has_the_series(string kind)
    {
        using var its = await ScanStores.Create(kind);
        var claim = await its.AddAndClaim();
        await its.Execute("UPDATE scan_work SET lease_until = 0");
        var other = its.NewNode();
        var taken = (await other.Claim([ScanRun.ArrivalsId], default))!;

        await Assert.ThrowsAsync<ScanClaimLostException>(() => its.Ledger.Record(claim, "engine 1", isWeak: false, [Image()], default));
        await Assert.ThrowsAsync<ScanClaimLostException>(() => its.Queue.Complete(claim, default));
        Assert.False(await its.Queue.Renew(claim, default));
        Assert.Empty(await its.Ledger.ReadSeries(new("series"), default));
        await its.Ledger.Record(taken, "engine 1", isWeak: false, [Image()], default);
        Assert.True(await other.Renew(taken, default));
    }

    [Theory, OnSqlite, OnPostgres]
    public async Task The_same_file_sent_again_only_changes_its_uuid(string kind)
    {
        using var its = await ScanStores.Create(kind);
        await its.Ledger.Record(await its.AddAndClaim(), "engine 1", isWeak: false, [Image()], default);

        await its.Ledger.MarkSame("image", "md5", "uuid-2", default);
        await its.Ledger.MarkSame("image", "another", "uuid-3", default);

        Assert.Equal("uuid-2", (await its.Ledger.ReadStudy(new("study"), default))["image"].Uuid);
    }

    // As a mask job leaves it: one region, burned and recorded.
    private static Task<int> Mask(ScanStores its, string md5) => its.Execute(
        $$"""
        INSERT INTO mask_jobs (id, study_instance_uid, study_orthanc_id, state, scope, priority, source_series_instance_uid, source_sop_instance_uid, regions, left_out, instances, frames, created_at, created_by_subject, created_by_name, turn_start, turn_end, claims)
        VALUES ('job', '1.2', 'study', 'succeeded', 'image', 'interactive', '1.2.3', '1.2.3.4', '[{"x":300,"y":10,"width":100,"height":20}]', '[]', 1, 4, '2026-11-22T08:00:00.0000000Z', 'mia', 'Mia', 0, 0, 0);
        INSERT INTO mask_job_items (job_id, ordinal, orthanc_id, series_instance_uid, sop_instance_uid, frames, state) VALUES ('job', 0, 'image', '1.2.3', '1.2.3.4', 4, 'masked');
        INSERT INTO masked_instances (orthanc_id, sop_instance_uid, md5, uuid, job_id, masked_at) VALUES ('image', '1.2.3.4', '{{md5}}', 'uuid-{{md5}}', 'job', '2026-11-22T08:00:01.0000000Z');
        """);
}
