using System.Net;
using System.Net.Sockets;
using Sidecar.Orthanc;
using Xunit;

namespace Sidecar.Tests.Orthanc;

/// <summary>127.0.0.2 stands for an address of this machine that others can send to.</summary>
public sealed class OrthancReachTests : IDisposable
{
    private static readonly IPAddress Outward = IPAddress.Parse("127.0.0.2");
    private readonly TcpListener _listener = new(Outward, 0);

    public OrthancReachTests() => _listener.Start();

    public void Dispose() => _listener.Dispose();

    [Fact]
    public async Task An_Orthanc_that_answers_past_its_door_is_told_with_the_address() =>
        Assert.Equal(
            $"it also listens on 127.0.0.2:{Port}, past nginx and the sidecar. Unless a firewall or RemoteAccessAllowed (false) keeps all others away, whoever knows one of its passwords can read and change every image: "
                + "let only this machine reach it (docs/operations.md, \"The locks, and what each is for\").",
            await OrthancReach.Describe(new Uri($"http://127.0.0.1:{Port}/"), [IPAddress.Parse("127.0.0.3"), Outward], default));

    [Fact]
    public async Task Nothing_is_told_where_no_other_address_answers() =>
        Assert.Null(await OrthancReach.Describe(new Uri($"http://localhost:{Port}/"), [IPAddress.Parse("127.0.0.3")], default));

    [Fact]
    public async Task Of_an_Orthanc_on_another_machine_nothing_is_known() =>
        Assert.Null(await OrthancReach.Describe(new Uri($"http://archive.example:{Port}/"), [Outward], default));

    [Fact]
    public void Addresses_that_only_this_machine_reaches_are_left_out() => Assert.DoesNotContain(OrthancReach.AddressesOfThisMachine(), IPAddress.IsLoopback);

    private int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;
}
