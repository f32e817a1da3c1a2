using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Sidecar.Orthanc;
using Xunit;

namespace Sidecar.Tests.Orthanc;

/// <summary>127.0.0.2 stands for an address of this machine that others can send to; a stub of Orthanc serves there who knows its password.</summary>
public sealed class OrthancReachTests : IAsyncLifetime
{
    private static readonly IPAddress Outward = IPAddress.Parse("127.0.0.2");
    private static readonly IPAddress Silent = IPAddress.Parse("127.0.0.3");
    private WebApplication _orthanc = null!;
    private int _requests;

    public async Task InitializeAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls($"http://{Outward}:0");
        _orthanc = builder.Build();
        _orthanc.MapGet("/orthanc/system", (HttpRequest request) =>
        {
            _requests++;
            return request.Headers.Authorization == "Basic c2lkZWNhcjpzZWNyZXQ=" ? Results.Ok() : Results.Unauthorized();
        });
        await _orthanc.StartAsync();
    }

    public async Task DisposeAsync() => await _orthanc.DisposeAsync();

    [Fact]
    public async Task An_Orthanc_that_serves_others_is_told_with_the_address_and_what_to_do() =>
        Assert.Equal(
            $"Orthanc also serves others, on 127.0.0.2:{Port}, past nginx and the sidecar: with one of its passwords, where it asks for any, they can read and change every image. "
                + "The administrator must set \"RemoteAccessAllowed\": false in Orthanc's configuration and restart Orthanc; or, where a firewall keeps others away, say so with Orthanc:OthersAreKeptAway.",
            await FindFault("127.0.0.1"));

    /// <summary>With RemoteAccessAllowed false Orthanc answers 401 whatever the password.</summary>
    [Fact]
    public async Task One_that_refuses_others_is_not_a_fault()
    {
        Assert.Null(await FindFault("127.0.0.1", password: "another"));
        Assert.Equal(1, _requests);
    }

    [Fact]
    public async Task An_address_that_does_not_answer_is_not_a_fault() => Assert.Null(await FindFault("localhost", outward: Silent));

    /// <summary>What listens on another address may be anybody's, who must not learn the password.</summary>
    [Theory]
    [InlineData("127.0.0.1", "127.0.0.1", false)]
    [InlineData("127.0.0.1", "127.0.0.2", false)]
    [InlineData("archive.example", "0.0.0.0", false)]
    [InlineData("127.0.0.1", "0.0.0.0", true)]
    public async Task Nobody_is_asked_where_Orthanc_listens_on_loopback_or_elsewhere_or_somebody_vouches(string orthanc, string listener, bool vouched)
    {
        Assert.Null(await FindFault(orthanc, listener: listener, vouched: vouched));
        Assert.Equal(0, _requests);
    }

    [Fact]
    public void Addresses_that_only_this_machine_reaches_are_left_out() =>
        Assert.DoesNotContain(new OrthancReach(Options.Create(new OrthancOptions())).Addresses(), IPAddress.IsLoopback);

    private int Port => new Uri(_orthanc.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First()).Port;

    private Task<string?> FindFault(string orthanc, string listener = "0.0.0.0", IPAddress? outward = null, string password = "secret", bool vouched = false) =>
        new OrthancReach(Options.Create(new OrthancOptions { BaseUrl = $"http://{orthanc}:{Port}/orthanc", UserName = "sidecar", Password = password, OthersAreKeptAway = vouched }))
        {
            Listeners = () => [new(IPAddress.Parse(listener), Port)],
            Addresses = () => [Silent, outward ?? Outward],
        }.FindFault(CancellationToken.None);
}
