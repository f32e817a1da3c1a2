using System.Text.Json.Nodes;
using Sidecar.Audit;
using Xunit;

namespace Sidecar.Tests.Audit;

public sealed class ConfirmedCertificateTests
{
    private const string Created = """maskJobCreated mia {"needsConfirmation":true}""";
    private const string Masked = """instanceMasked mia {}""";
    private const string Finished = """maskJobFinished mia {"masked":1,"failed":0}""";

    [Theory]
    [InlineData("""maskJobConfirmed ann {"reason":"seen"}""", null)]
    [InlineData("", "Images were masked although the second person's confirmation is not here.")]
    [InlineData("""maskJobDeclined ann {"reason":"no"}""", "Images were masked although the second person's confirmation is not here.")]
    [InlineData("""maskJobConfirmed mia {"reason":"seen"}""", "The same person approved and confirmed.")]
    public void A_certificate_shows_whether_a_second_person_confirmed(string second, string? fault) =>
        Assert.Equal(fault, FaultsOf([Created, second, Masked, Finished]));

    [Fact]
    public void A_confirmation_comes_before_the_first_image() =>
        Assert.Equal("An image was masked before the second person confirmed.", FaultsOf([Created, Masked, "maskJobConfirmed ann {}", Finished]));

    [Fact]
    public void Where_nothing_was_masked_or_nobody_asked_for_a_second_person_none_is_missed()
    {
        Assert.Null(FaultsOf([Created, "maskJobDeclined ann {}", """maskJobFinished mia {"masked":0,"failed":0}"""]));
        Assert.Null(FaultsOf(["""maskJobCreated mia {"needsConfirmation":false}""", Masked, Finished]));
        Assert.Null(FaultsOf(["maskJobCreated mia {}", Masked, Finished]));
    }

    private static string? FaultsOf(string[] rows)
    {
        var previous = AuditChain.Genesis;
        var events = new List<Certificate.ChainedRow>();
        foreach (var words in rows.Where(r => r.Length > 0).Select(r => r.Split(' ', 3)))
        {
            var row = new AuditRow { Sequence = events.Count + 2, At = "2026-11-22T08:00:00Z", Action = words[0], Subject = words[1], Name = words[1], JobId = "job", SoftwareVersion = "1", Details = JsonNode.Parse(words[2])!.ToJsonString() };
            row = row with { Hash = AuditChain.HashOf(previous, row) };
            events.Add(new(row, previous));
            previous = row.Hash!;
        }

        return new Certificate { Job = "job", IssuedAt = "2026-11-22T08:00:00Z", Events = events }.FindFaults(knownKey: null).SingleOrDefault();
    }
}
