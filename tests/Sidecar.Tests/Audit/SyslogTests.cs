using System.Text;
using System.Text.Json.Nodes;
using System.Xml.Linq;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Sidecar.Audit;
using Sidecar.Orthanc;
using Sidecar.Storage;
using Sidecar.Tests.Http;
using Xunit;

namespace Sidecar.Tests.Audit;

/// <summary>DICOM audit messages, judged as a real rsyslog received them over TLS.</summary>
public sealed class SyslogTests : IAsyncDisposable
{
    private readonly SidecarApp _app = new();

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    [RsyslogFact]
    public async Task Messages_reach_the_server_with_all_that_the_standard_asks_for()
    {
        await using var server = new SyslogServer(asksForCertificate: true);
        await server.Start();
        AnswerPatientId("P<7>&");
        await Append("serviceStarted", "service");
        await Append("loggedIn", "mia", details: new() { ["address"] = "192.0.2.7" });
        await Append("instanceMasked", "mia", "1.2.3");
        await Append("maskJobFinished", "mia", "1.2.3", new() { ["masked"] = 12, ["failed"] = 1 });
        await Append("auditRead", "ada");
        var row = (await AuditRows.Read(_app)).Single(r => r.Action == "maskJobFinished");

        await SendAll(Forwarder(server));

        var messages = Split(await server.Messages(4));
        Assert.All(messages, m => Assert.Matches(@"^<85>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z \S+ sidecar \d+ DICOM\+RFC3881 - $", m.Header));
        var masked = Assert.Single(messages, m => EventId(m.Xml) == "110103").Xml;
        Assert.Equal(("U", "4"), (masked.Element("EventIdentification")!.Attribute("EventActionCode")!.Value, masked.Element("EventIdentification")!.Attribute("EventOutcomeIndicator")!.Value));
        var objects = masked.Elements("ParticipantObjectIdentification").ToList();
        Assert.Equal([("1.2.3", "110180", "2", "3"), ("P<7>&", "2", "1", "1")], objects.Select(o => (
            o.Attribute("ParticipantObjectID")!.Value, o.Element("ParticipantObjectIDTypeCode")!.Attribute("csd-code")!.Value,
            o.Attribute("ParticipantObjectTypeCode")!.Value, o.Attribute("ParticipantObjectTypeCodeRole")!.Value)));
        Assert.Equal("12", objects[0].Element("ParticipantObjectDescription")!.Element("SOPClass")!.Attribute("NumberOfInstances")!.Value);
        Assert.Equal(row.Hash, Detail(objects[0], "AuditRowHash"));
        var login = Assert.Single(messages, m => EventId(m.Xml) == "110114").Xml;
        Assert.Equal("192.0.2.7", login.Element("ActiveParticipant")!.Attribute("NetworkAccessPointID")!.Value);
        Assert.Equal(["110100", "110101"], messages.Select(m => EventId(m.Xml)).Where(id => id is "110100" or "110101").Distinct().Order());
        Assert.All(messages, m => AssertSchema(m.Xml));
    }

    // A.5.3.6: action, user, study, patient. Who stopped a job is another user than who asked for it.
    [RsyslogTheory]
    [InlineData("maskJobCancelled", "4", "Job stopped; its end tells what it changed", "0")]
    [InlineData("restoreFinished", "0", "Originals restored", "3")]
    public async Task What_happened_to_a_study_names_who_did_it_the_study_and_its_patient(string action, string outcome, string said, string images)
    {
        await using var server = new SyslogServer(asksForCertificate: false);
        await server.Start();
        AnswerPatientId("P7");
        await Append(action, "otto", "1.2.3", action == "restoreFinished" ? new() { ["restored"] = 3, ["failed"] = 0 } : null);

        await SendAll(Forwarder(server, withCertificate: false));

        // The service's own start is told before or after it.
        var before = (await AuditRows.Read(_app)).TakeWhile(r => r.Action != action).Count(r => DicomAuditMessage.Covers(r.Action));
        var message = Assert.Single(Split(await server.Messages(before + 1)), m => EventId(m.Xml) == "110103").Xml;
        AssertSchema(message);
        var happened = message.Element("EventIdentification")!;
        Assert.Equal(("U", outcome), (happened.Attribute("EventActionCode")!.Value, happened.Attribute("EventOutcomeIndicator")!.Value));
        var people = message.Elements("ActiveParticipant").ToList();
        Assert.Equal([("otto", "true"), ($"sidecar@{Environment.MachineName}", "false")], people.Select(p => (p.Attribute("UserID")!.Value, p.Attribute("UserIsRequestor")!.Value)));
        var objects = message.Elements("ParticipantObjectIdentification").ToList();
        Assert.Equal(["1.2.3", "P7"], objects.Select(o => o.Attribute("ParticipantObjectID")!.Value));
        Assert.Equal((said, images), (objects[0].Element("ParticipantObjectName")!.Value, objects[0].Element("ParticipantObjectDescription")!.Element("SOPClass")!.Attribute("NumberOfInstances")!.Value));
    }

    [RsyslogFact]
    public async Task Nothing_is_lost_while_the_server_is_away()
    {
        await using var server = new SyslogServer(asksForCertificate: false);
        await server.Start();
        var forwarder = Forwarder(server, withCertificate: false);
        await Append("auditRead", "before");
        await SendAll(forwarder);
        await server.Kill();

        await Append("auditRead", "meanwhile");
        await Assert.ThrowsAsync<IOException>(() => forwarder.SendNext(default));
        await server.Start();
        await Append("auditRead", "after");
        await SendAll(forwarder);

        var users = Split(await server.Messages(3)).Select(m => m.Xml.Element("ActiveParticipant")!.Attribute("UserID")!.Value).Where(u => u is "before" or "meanwhile" or "after").Distinct();
        Assert.Equal(["before", "meanwhile", "after"], users);
    }

    [RsyslogFact]
    public async Task A_server_that_is_not_the_hospitals_gets_nothing()
    {
        await using var server = new SyslogServer(asksForCertificate: false);
        await server.Start();
        await Append("auditRead", "mia");

        var refused = await Assert.ThrowsAsync<IOException>(() => Forwarder(server, withCertificate: false, authority: "stranger.pem").SendNext(default));

        Assert.Contains("cannot be used", refused.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(server.Path("messages")) && (await File.ReadAllTextAsync(server.Path("messages"))).Contains("AuditMessage", StringComparison.Ordinal));
    }

    [RsyslogFact]
    public async Task A_server_that_refuses_this_services_certificate_has_not_got_the_messages()
    {
        await using var server = new SyslogServer(asksForCertificate: true);
        await server.Start();
        await Append("auditRead", "mia");

        await Assert.ThrowsAsync<IOException>(() => Forwarder(server, withCertificate: false).SendNext(default));
        await SendAll(Forwarder(server));

        Assert.Contains(Split(await server.Messages(1)), m => EventId(m.Xml) == "110101");
    }

    [Fact]
    public async Task Of_two_services_one_sends_until_it_has_been_silent_for_a_while()
    {
        var clock = new MovableClock();
        var options = new AuditOptions { Syslog = new SyslogOptions { Host = "127.0.0.1", Port = 9 } };
        var (first, second) = (Forwarder(options, clock), Forwarder(options, clock));
        await Append("auditRead", "mia");

        await Assert.ThrowsAsync<IOException>(() => first.SendNext(default));
        Assert.False(await second.SendNext(default));
        clock.Ahead = TimeSpan.FromMinutes(3);
        await Assert.ThrowsAsync<IOException>(() => second.SendNext(default));
        Assert.False(await first.SendNext(default));
    }

    [Theory]
    [InlineData("a\u0001b\uFFFEc", "abc")]
    [InlineData("<&\"'>", "<&\"'>")]
    [InlineData("雪 𝄞", "雪 𝄞")]
    public void Any_name_makes_well_formed_XML(string name, string read)
    {
        var row = new AuditRow { Sequence = 1, At = "2026-11-22T04:00:00.0000000Z", Action = "loggedIn", Subject = "s", Name = name, SoftwareVersion = "1", Details = "{}", Hash = "h" };

        var xml = XElement.Parse(DicomAuditMessage.Create(row, "sidecar@host", "Ward \"7\"", null));

        Assert.Equal(read, xml.Element("ActiveParticipant")!.Attribute("UserName")!.Value);
        AssertSchema(xml);
    }

    // The required parts of the schema in PS3.15 A.5.1, and its order of elements.
    private static void AssertSchema(XElement message)
    {
        Assert.Equal("AuditMessage", message.Name.LocalName);
        string[] order = ["EventIdentification", "ActiveParticipant", "AuditSourceIdentification", "ParticipantObjectIdentification"];
        var places = message.Elements().Select(e => Array.IndexOf(order, e.Name.LocalName)).ToList();
        Assert.DoesNotContain(-1, places);
        Assert.Equal(places.Order(), places);
        Assert.Equal([0, 1, 2], places.Distinct().Take(3));
        var happened = Assert.Single(message.Elements("EventIdentification"));
        Assert.True(DateTimeOffset.TryParse(happened.Attribute("EventDateTime")!.Value, out _));
        Assert.Contains(happened.Attribute("EventOutcomeIndicator")!.Value, (string[])["0", "4", "8", "12"]);
        Assert.Single(happened.Elements("EventID"));
        Assert.Single(message.Elements("AuditSourceIdentification"));
        Assert.NotNull(message.Element("AuditSourceIdentification")!.Attribute("AuditSourceID"));
        Assert.All(message.Elements("ActiveParticipant"), p => Assert.True(p.Attribute("UserID") is not null && p.Attribute("UserIsRequestor")?.Value is "true" or "false"));
        Assert.All(message.Elements("ParticipantObjectIdentification"), o => Assert.True(o.Attribute("ParticipantObjectID") is not null && o.Elements().ElementAt(1).Name.LocalName == "ParticipantObjectName"));
        foreach (var code in message.Descendants().Where(e => e.Name.LocalName is "EventID" or "EventTypeCode" or "RoleIDCode" or "ParticipantObjectIDTypeCode"))
        {
            Assert.Equal(["codeSystemName", "csd-code", "originalText"], code.Attributes().Select(a => a.Name.LocalName).Order(StringComparer.Ordinal));
        }
    }

    private static async Task SendAll(SyslogForwarder forwarder)
    {
        while (await forwarder.SendNext(default))
        {
            // until none is left
        }
    }

    private SyslogForwarder Forwarder(SyslogServer server, bool withCertificate = true, string authority = "authority.pem") => Forwarder(
        new AuditOptions
        {
            Syslog = new SyslogOptions
            {
                Host = "127.0.0.1",
                Port = server.Port,
                AuthorityFile = server.Path(authority),
                CertificateFile = withCertificate ? server.Path("client.pem") : null,
                KeyFile = withCertificate ? server.Path("client.key") : null,
            },
        },
        new MovableClock { Ahead = TimeSpan.FromMinutes(++_made * 10) });

    private int _made;

    private SyslogForwarder Forwarder(AuditOptions options, TimeProvider clock) => new(
        _app.Services.GetRequiredService<Database>(), _app.Services.GetRequiredService<StudyReader>(), _app.Services.GetRequiredService<OrthancClient>(),
        Options.Create(options), clock, NullLogger<SyslogForwarder>.Instance);

    private Task Append(string action, string subject, string? study = null, JsonObject? details = null) => _app.Services.GetRequiredService<AuditLog>().AppendAlone(
        _app.Services.GetRequiredService<Database>(), new AuditEvent(action, subject, subject) { JobId = study is null ? null : "job", StudyInstanceUid = study, Details = details ?? [] }, default);

    private void AnswerPatientId(string patientId) => _app.Orthanc = request => request.RequestUri!.AbsolutePath switch
    {
        "/tools/lookup" => SidecarApp.Json("""[{"ID":"s","Path":"/studies/s","Type":"Study"}]"""),
        "/studies/s" => SidecarApp.Json("""{"ID":"s","ParentPatient":"p"}"""),
        "/patients/p" => SidecarApp.Json(new JsonObject { ["ID"] = "p", ["MainDicomTags"] = new JsonObject { ["PatientID"] = patientId } }.ToJsonString()),
        _ => new HttpResponseMessage(System.Net.HttpStatusCode.NotFound),
    };

    private static IReadOnlyList<(string Header, XElement Xml)> Split(IReadOnlyList<string> messages) =>
        [.. messages.Select(m => m.Split('\uFEFF', 2)).Select(parts => (parts[0], XElement.Parse(parts[1])))];

    private static string EventId(XElement message) => message.Element("EventIdentification")!.Element("EventID")!.Attribute("csd-code")!.Value;

    private static string Detail(XElement participant, string type) =>
        Encoding.UTF8.GetString(Convert.FromBase64String(participant.Elements("ParticipantObjectDetail").Single(d => d.Attribute("type")!.Value == type).Attribute("value")!.Value));
}
