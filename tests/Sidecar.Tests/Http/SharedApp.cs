using Xunit;

namespace Sidecar.Tests.Http;

/// <summary>One application for the tests of a class that neither set anything nor see what the others left.</summary>
public sealed class SharedApp : IAsyncLifetime
{
    internal SidecarApp App { get; } = new();

    public Task InitializeAsync() => Task.CompletedTask;

    public Task DisposeAsync() => App.DisposeAsync().AsTask();
}
