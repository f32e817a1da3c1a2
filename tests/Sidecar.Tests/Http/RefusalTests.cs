using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Xunit;

namespace Sidecar.Tests.Http;

/// <summary>The sentences that requests get which are wrong in themselves or about nothing, word for word: people read them.</summary>
public sealed class RefusalTests(SharedApp shared) : IClassFixture<SharedApp>
{
    private const string Long = "LONG"; // stands for 501 characters
    private const string Source = "\"source\":{\"seriesInstanceUid\":\"1.2\",\"sopInstanceUid\":\"1.3\"}";
    private const string Region = "{\"x\":1,\"y\":1,\"width\":2,\"height\":2}";

    private const string Template = "\"device\":{\"manufacturer\":\"Maker\",\"model\":\"M\"},\"rows\":48,\"columns\":64,\"photometric\":\"RGB\",\"sopClass\":\"1.2\",\"regions\":[" + Region + "]";

    [Theory]
    [InlineData("GET mask-jobs?study=x", "", "study must be a Study Instance UID.")]
    [InlineData("GET mask-jobs?study=1.2&before=nobody", "", "before must be next of a list of the same study.")]
    [InlineData("GET mask-jobs/awaiting-confirmation?after=nobody", "", "after must be next of a list of jobs that wait.")]
    [InlineData("POST mask-jobs", "{\"studyInstanceUid\":\"1.1\"," + Source + ",\"regions\":[" + Region + "],\"scope\":\"image\"}", "Send a header Idempotency-Key of 1 to 128 characters, new for each masking.")]
    [InlineData("POST mask-jobs/preview", "{\"studyInstanceUid\":\"../1\"," + Source + ",\"regions\":[" + Region + "],\"scope\":\"image\"}", "A UID is missing or is not a DICOM UID.")]
    [InlineData("POST mask-jobs/preview", "{\"studyInstanceUid\":\"1.1\"," + Source + ",\"regions\":[],\"scope\":\"image\"}", "Give 1 to 100 regions.")]
    [InlineData("POST mask-jobs/preview", "{\"studyInstanceUid\":\"1.1\"," + Source + ",\"regions\":[{\"x\":1,\"y\":1,\"width\":0,\"height\":2}],\"scope\":\"image\"}", "A region must start at 0 or further and be at least one pixel wide and high.")]
    [InlineData("POST mask-jobs/preview", "{\"studyInstanceUid\":\"1.1\"," + Source + ",\"regions\":[" + Region + "],\"scope\":\"images\"}", "scope must be image, series or study.")]
    [InlineData("POST mask-jobs/preview", "{\"studyInstanceUid\":\"1.1\"," + Source + ",\"regions\":[" + Region + "],\"scope\":\"image\",\"priority\":7}", "priority must be interactive or bulk.")]
    [InlineData("POST mask-jobs/preview", "{\"studyInstanceUid\":\"1.1\"," + Source + ",\"regions\":[" + Region + "],\"scope\":\"study\"}", "Give seriesInstanceUids (1 to 1000) with scope study, and only then.")]
    [InlineData("POST mask-jobs/preview", "{\"studyInstanceUid\":\"1.1\"," + Source + ",\"regions\":[" + Region + "],\"scope\":\"image\",\"reason\":\"" + Long + "\"}", "reason must not be longer than 500 characters.")]
    [InlineData("POST mask-jobs/nobody/confirm", "{\"reason\":\"" + Long + "\"}", "reason must not be longer than 500 characters.")]
    [InlineData("POST mask-jobs/nobody/decline", "{\"reason\":\"" + Long + "\"}", "reason must not be longer than 500 characters.")]
    [InlineData("POST scan-findings/apply", "{\"study\":\"x\"}", "study must be a Study Instance UID, and reason not longer than 500 characters.")]
    [InlineData("GET scan-findings?study=x", "", "study must be a Study Instance UID.")]
    [InlineData("POST scan-findings/decisions", "{\"study\":\"x\",\"decisions\":[]}", "study must be a Study Instance UID.")]
    [InlineData("POST scan-findings/decisions", "{\"study\":\"1.1\",\"decisions\":[]}", "Give 1 to 1000 decisions.")]
    [InlineData("POST scan-findings/decisions", "{\"study\":\"1.1\",\"decisions\":[{\"action\":\"accept\"}]}", "Each decision needs exactly one of findingIds, clusterId, unscannableIds and templateId.")]
    [InlineData("POST scan-findings/decisions", "{\"study\":\"1.1\",\"decisions\":[{\"findingIds\":[],\"action\":\"accept\"}]}", "A decision has no action or is about nothing.")]
    [InlineData("POST scan-findings/decisions", "{\"study\":\"1.1\",\"decisions\":[{\"unscannableIds\":[\"a\"],\"action\":\"accept\"}]}", "Images that could not be scanned are acknowledged (or reopened), findings are accepted, dismissed or reopened.")]
    [InlineData("POST scan-findings/decisions", "{\"study\":\"1.1\",\"decisions\":[{\"templateId\":\"a\",\"action\":\"reopen\"}]}", "A template can only be accepted.")]
    [InlineData("POST scan-findings/decisions", "{\"study\":\"1.1\",\"decisions\":[{\"findingIds\":[\"a\"],\"action\":\"dismiss\",\"reason\":\" \"}]}", "Say why the finding is dismissed (reason).")]
    [InlineData("POST scan-findings/decisions", "{\"study\":\"1.1\",\"decisions\":[{\"findingIds\":[\"a\"],\"action\":\"dismiss\",\"reason\":\"" + Long + "\"}]}", "reason must not be longer than 500 characters.")]
    [InlineData("POST scan-findings/decisions", "{\"study\":\"1.1\",\"decisions\":[{\"findingIds\":[\"a\"],\"action\":\"dismiss\",\"reason\":\"x\",\"region\":" + Region + "}]}", "A region can be given with accept only.")]
    [InlineData("POST scan-findings/decisions", "{\"study\":\"1.1\",\"decisions\":[{\"findingIds\":[\"a\"],\"action\":\"accept\",\"region\":{\"x\":-1,\"y\":1,\"width\":2,\"height\":2}}]}", "A region must start at 0 or further and be at least one pixel wide and high.")]
    [InlineData("POST scans", "{}", "Give study or query, one of the two.")]
    [InlineData("POST scans", "{\"study\":\"x\"}", "study must be a Study Instance UID.")]
    [InlineData("POST scans", "{\"query\":{},\"priority\":\"person\"}", "priority must be person or bulk; a query is always bulk.")]
    [InlineData("POST scans", "{\"query\":{\"modality\":\"" + Long + "\"}}", "modality and station have at most 64 characters.")]
    [InlineData("POST scans", "{\"query\":{\"dateFrom\":\"2026-11-22\",\"dateTo\":\"2026-11-21\"}}", "dateFrom is after dateTo.")]
    [InlineData("POST scan-schedules", "{\"name\":\" \",\"cron\":\"0 22 * * *\",\"timeZone\":\"UTC\",\"query\":{}}", "name must have 1 to 100 characters.")]
    [InlineData("POST scan-schedules", "{\"name\":\"a\",\"cron\":\"often\",\"timeZone\":\"UTC\",\"query\":{}}", "cron is not understood. Write minute, hour, day of month, month and day of week, e.g. \"0 22 * * *\" for every day at 22:00.")]
    [InlineData("POST scan-schedules", "{\"name\":\"a\",\"cron\":\"0 22 * * *\",\"timeZone\":\"here\",\"query\":{}}", "timeZone is not known. Write a name as Europe/Berlin.")]
    [InlineData("POST scan-schedules", "{\"name\":\"a\",\"cron\":\"0 22 * * *\",\"timeZone\":\"UTC\",\"query\":{},\"windowStart\":\"22:00\"}", "windowStart and windowEnd are two different times of day as 22:00, or both absent.")]
    [InlineData("POST scan-schedules", "{\"name\":\"a\",\"cron\":\"0 22 * * *\",\"timeZone\":\"UTC\",\"query\":{},\"maxInstances\":0}", "maxInstances must be positive.")]
    [InlineData("GET reviews?limit=201", "", "offset must be 0 or more, limit 1 to 200.")]
    [InlineData("GET reviews?state=done", "", "state must be new, clean, findings, inReview or finalized.")]
    [InlineData("GET reviews?sort=best", "", "sort must be oldest, newest or risk.")]
    [InlineData("PUT reviews/1.1", "{\"state\":\"clean\"}", "state must be inReview; the other states follow from what is done.")]
    [InlineData("POST reviews/1.1/finalize", "{\"reason\":\"" + Long + "\"}", "reason must not be longer than 500 characters.")]
    [InlineData("POST reviews/1.1/reopen", "{}", "Say why the study is opened again (reason, at most 500 characters).")]
    [InlineData("POST mask-templates", "{\"name\":\"\"," + Template + "}", "name must have 1 to 100 characters.")]
    [InlineData("POST mask-templates", "{\"name\":\"a\",\"device\":{\"manufacturer\":\"\",\"model\":\"\"},\"rows\":1,\"columns\":1,\"photometric\":\"RGB\",\"sopClass\":\"1.2\",\"regions\":[]}", "device must name manufacturer or model, each with at most 100 characters.")]
    [InlineData("POST mask-templates", "{\"name\":\"a\",\"device\":{\"manufacturer\":\"M\",\"model\":\"\"},\"rows\":0,\"columns\":1,\"photometric\":\"RGB\",\"sopClass\":\"1.2\",\"regions\":[]}", "rows, columns, photometric and sopClass must be those of an image.")]
    [InlineData("POST mask-templates", "{\"name\":\"a\",\"device\":{\"manufacturer\":\"M\",\"model\":\"\"},\"rows\":2,\"columns\":2,\"photometric\":\"RGB\",\"sopClass\":\"1.2\",\"regions\":[" + Region + "]}", "Give 1 to 100 regions, all inside of the image.")]
    [InlineData("POST mask-templates/import", "{\"format\":\"mine\",\"templates\":[]}", "This is not a file of templates: format is not sidecar-mask-templates-1.")]
    [InlineData("POST mask-templates/import", "{\"format\":\"sidecar-mask-templates-1\",\"templates\":[]}", "The file must hold 1 to 1000 templates.")]
    [InlineData("POST mask-templates/import", "{\"format\":\"sidecar-mask-templates-1\",\"templates\":[{\"name\":\"\"," + Template + "}]}", "Template 1 of the file: name must have 1 to 100 characters.")]
    [InlineData("GET dashboard?days=0", "", "days must be 1 to 366.")]
    [InlineData("GET audit?limit=0", "", "limit must be 1 to 500.")]
    [InlineData("GET audit/export?format=xml", "", "format must be ndjson or csv.")]
    [InlineData("POST mask-jobs/preview", "{\"studyInstanceUid\":7}", "The request is not what the API describes at $.studyInstanceUid.")]
    public Task What_is_wrong_with_a_request_is_said(string request, string body, string sentence) => Expect(request, body, (400, request == "POST mask-jobs" ? "idempotency-key" : "invalid-request", sentence));

    [Theory]
    [InlineData("GET mask-jobs/nobody", "", "There is no mask job with this id.")]
    [InlineData("GET mask-jobs/nobody/events", "", "There is no mask job with this id.")]
    [InlineData("POST mask-jobs/nobody/cancel", "", "There is no mask job with this id.")]
    [InlineData("POST mask-jobs/nobody/confirm", "{}", "There is no mask job with this id.")]
    [InlineData("POST mask-jobs/nobody/decline", "{\"reason\":\"no\"}", "There is no mask job with this id.")]
    [InlineData("GET scans/nobody", "", "There is no scan with this id.")]
    [InlineData("POST scans/nobody/pause", "", "There is no scan with this id.")]
    [InlineData("DELETE scan-schedules/nobody", "", "There is no schedule with this id.")]
    [InlineData("DELETE mask-templates/nobody", "", "There is no template with this id (any more).")]
    [InlineData("PUT mask-templates/nobody", "{\"name\":\"a\"," + Template + "}", "There is no template with this id (any more).")]
    [InlineData("GET reviews/1.1", "", "Nothing is known of this study: it was not scanned yet.")]
    [InlineData("PUT reviews/1.1", "{\"state\":\"inReview\"}", "Nothing is known of this study: it was not scanned yet.")]
    [InlineData("POST scan-findings/decisions", "{\"study\":\"1.1\",\"decisions\":[{\"findingIds\":[\"a\"],\"action\":\"accept\"}]}", "Nothing is known of this study: it was not scanned yet.")]
    public Task What_is_not_there_is_said(string request, string body, string sentence) => Expect(request, body, (404, "not-found", sentence));

    private async Task Expect(string request, string body, (int Status, string Type, string Detail) expected)
    {
        using var client = shared.App.ClientWith("image-masking", "image-review", "sidecar-administrator", "audit-reader");
        var (method, path) = request.Split(' ') is [var m, var p] ? (m, p) : throw new ArgumentException(request);
        using var message = new HttpRequestMessage(new HttpMethod(method), $"api/{path}");
        if (body.Length > 0)
        {
            message.Content = new StringContent(body.Replace(Long, new string('x', 501), StringComparison.Ordinal), Encoding.UTF8, "application/json");
        }

        if (path != "mask-jobs")
        {
            message.Headers.Add("Idempotency-Key", Guid.NewGuid().ToString());
        }

        using var answer = await client.SendAsync(message);

        var problem = await answer.Content.ReadFromJsonAsync<JsonObject>();
        Assert.Equal(expected, ((int)answer.StatusCode, ((string)problem!["type"]!).Split(':')[^1], (string?)problem["detail"]));
    }
}
