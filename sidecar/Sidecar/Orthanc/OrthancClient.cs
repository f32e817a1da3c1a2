using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Polly;
using Polly.Retry;

namespace Sidecar.Orthanc;

/// <summary>Typed calls of Orthanc's REST API, as 1.10.1 and later answer them. Reads are tried again; writes never, whoever calls decides.</summary>
internal sealed class OrthancClient(HttpClient http, TimeProvider time)
{
    // Orthanc is silent while it fetches a file from its disk or puts it there; below a megabyte per second something hangs.
    private const double SlowestBytesPerSecond = 1024 * 1024;

    private const int ShortAnswer = 16 * 1024;

    // For an answer that moves no file, and between two bytes of any: a slow network is served, a dead one is given up.
    private static readonly TimeSpan AnswerLimit = TimeSpan.FromSeconds(60);

    // Until Orthanc has read the headers of all files of a series.
    private static readonly TimeSpan FileHeadersLimit = TimeSpan.FromMinutes(5);

    // While an instance is overwritten, readers of 1.10.1 get 404 or 500 for a moment; PostgreSQL contention is 503.
    private static readonly ResiliencePipeline<HttpResponseMessage> Reads = new ResiliencePipelineBuilder<HttpResponseMessage>()
        .AddRetry(new RetryStrategyOptions<HttpResponseMessage>
        {
            ShouldHandle = new PredicateBuilder<HttpResponseMessage>().Handle<HttpRequestException>().HandleResult(IsPassing),
            MaxRetryAttempts = 3,
            Delay = TimeSpan.FromMilliseconds(100),
            BackoffType = DelayBackoffType.Exponential,
            UseJitter = true,
        })
        .Build();

    private bool? _hasLabels;

    public Task<SystemAnswer> ReadSystem(CancellationToken token) => Get("system", OrthancJson.Default.SystemAnswer, token);

    /// <summary>Names of the loaded plugins.</summary>
    public Task<List<string>> ReadPlugins(CancellationToken token) => Get("plugins", OrthancJson.Default.ListString, token);

    /// <summary>Orthanc's ids for a UID, by level word ("Study", "Series", "Instance"). Several when patients share a UID.</summary>
    public async Task<IReadOnlyList<LookupAnswer>> Lookup(string uid, CancellationToken token)
    {
        using var content = new StringContent(uid, Encoding.ASCII);
        return await Call(HttpMethod.Post, "tools/lookup", content, (r, p) => ReadJson(r, OrthancJson.Default.ListLookupAnswer, p), token);
    }

    public Task<ResourceAnswer> ReadResource(OrthancLevel level, OrthancId id, CancellationToken token) => Get(Path(level, id), OrthancJson.Default.ResourceAnswer, token);

    /// <summary>Null where there is no such resource.</summary>
    public Task<ResourceAnswer?> FindResource(OrthancLevel level, OrthancId id, CancellationToken token) =>
        Find(Path(level, id), (r, p) => ReadJson(r, OrthancJson.Default.ResourceAnswer, p), token);

    public Task<List<ResourceAnswer>> ReadSeriesOf(OrthancId study, CancellationToken token) => Get($"studies/{study}/series", OrthancJson.Default.ListResourceAnswer, token);

    public Task<List<ResourceAnswer>> ReadInstancesOf(OrthancId series, CancellationToken token) => Get($"series/{series}/instances", OrthancJson.Default.ListResourceAnswer, token);

    /// <summary>The files of instances by their ids; perhaps without those that are no longer there.</summary>
    public async Task<IReadOnlyList<InstanceFileAnswer>> ReadFilesOf(IReadOnlyCollection<string> ids, CancellationToken token)
    {
        using var content = new ByteArrayContent(JsonSerializer.SerializeToUtf8Bytes(new BulkQuestion(ids, Metadata: true), OrthancJson.Default.BulkQuestion));
        return await Call(HttpMethod.Post, "tools/bulk-content", content, (r, p) => ReadJson(r, OrthancJson.Default.ListInstanceFileAnswer, p), token);
    }

    public Task<List<ResourceAnswer>> ReadInstancesOfStudy(OrthancId study, CancellationToken token) => Get($"studies/{study}/instances", OrthancJson.Default.ListResourceAnswer, token);

    /// <summary>Ids of all studies there are.</summary>
    public Task<List<string>> ListStudies(CancellationToken token) => Get("studies", OrthancJson.Default.ListString, token);

    /// <summary>A page of all studies. Between two pages studies may move from one to the other, so that one is missed or comes twice.</summary>
    public Task<List<ResourceAnswer>> ReadStudies(long since, int limit, CancellationToken token) => Get($"studies?expand&since={since}&limit={limit}", OrthancJson.Default.ListResourceAnswer, token);

    /// <summary>Rows of the list of changes behind <paramref name="since"/>, oldest first.</summary>
    public Task<ChangesAnswer> ReadChanges(long since, int limit, CancellationToken token) => Get($"changes?since={since}&limit={limit}", OrthancJson.Default.ChangesAnswer, token);

    /// <summary>The newest row of the list of changes alone.</summary>
    public Task<ChangesAnswer> ReadLastChange(CancellationToken token) => Get("changes?last", OrthancJson.Default.ChangesAnswer, token);

    /// <summary>Of all tags of one instance, by keyword; the caller disposes.</summary>
    public Task<JsonDocument> ReadTags(OrthancId instance, CancellationToken token) =>
        Read($"instances/{instance}/simplified-tags", FileHeadersLimit, async (r, p) =>
        {
            await using var body = await Body(r, p);
            return await JsonDocument.ParseAsync(body, cancellationToken: p.Token);
        },
        token);

    /// <summary>Of each instance of a series, what is needed of its tags. Orthanc sends all: of a long series that is much, of which little is held at a time.</summary>
    public Task<Dictionary<string, InstanceTags>> ReadInstanceTags(OrthancId series, CancellationToken token) =>
        Read($"series/{series}/instances-tags?simplify", FileHeadersLimit, (r, p) => ReadJson(r, OrthancJson.Default.DictionaryStringInstanceTags, p), token);

    /// <summary>What is needed of an instance's tags.</summary>
    public Task<InstanceTags> ReadNeededTags(OrthancId instance, CancellationToken token) =>
        Read($"instances/{instance}/tags?simplify", FileHeadersLimit, (r, p) => ReadJson(r, OrthancJson.Default.InstanceTags, p), token);

    /// <summary>Size, MD5 and Uuid of the stored file; null where there is no such instance.</summary>
    public Task<FileInfoAnswer?> FindFileInfo(OrthancId instance, CancellationToken token) =>
        Find($"instances/{instance}/attachments/dicom/info", (r, p) => ReadJson(r, OrthancJson.Default.FileInfoAnswer, p), token);

    /// <summary>Hands the stored file over block by block.</summary>
    public Task CopyFile(OrthancId instance, long size, Func<ReadOnlyMemory<byte>, ValueTask> take, CancellationToken token) => ReadBlocks(instance, size, take, token);

    /// <summary>Copies the stored file to <paramref name="to"/> and returns its MD5, computed on the way.</summary>
    public async Task<string> ReadFile(OrthancId instance, long size, Stream to, CancellationToken token)
    {
        using var md5 = IncrementalHash.CreateHash(HashAlgorithmName.MD5);
        await ReadBlocks(
            instance,
            size,
            block =>
            {
                md5.AppendData(block.Span);
                return to.WriteAsync(block, token);
            },
            token);
        return Convert.ToHexStringLower(md5.GetHashAndReset());
    }

    private Task<int> ReadBlocks(OrthancId instance, long size, Func<ReadOnlyMemory<byte>, ValueTask> take, CancellationToken token) =>
        Read(
            $"instances/{instance}/file",
            LimitFor(size),
            async (r, p) =>
            {
                await using var from = await Body(r, p);
                var buffer = System.Buffers.ArrayPool<byte>.Shared.Rent(256 * 1024);
                try
                {
                    for (int read; (read = await from.ReadAsync(buffer, token)) > 0;)
                    {
                        await take(buffer.AsMemory(0, read));
                    }
                }
                finally
                {
                    System.Buffers.ArrayPool<byte>.Shared.Return(buffer);
                }

                return 0;
            },
            token);

    /// <summary>Whether Orthanc delivers the stored file exactly as <paramref name="expected"/> is, which is read from its beginning.</summary>
    public async Task<bool> Delivers(OrthancId instance, Stream expected, CancellationToken token)
    {
        var comparison = new ComparingStream(expected);
        await Read(
            $"instances/{instance}/file",
            LimitFor(expected.Length),
            async (r, p) =>
            {
                comparison.Restart();
                await using var from = await Body(r, p);
                await from.CopyToAsync(comparison, token);
                return 0;
            },
            token);
        return comparison.IsSame;
    }

    /// <summary>
    /// Stores a file; returns Orthanc's id for it. Only Status Success counts: AlreadyStored answers 200 too, and means that nothing was changed.
    /// </summary>
    /// <param name="file">Sent from its beginning; stays open.</param>
    /// <param name="token">Gives up waiting for the answer.</param>
    /// <exception cref="OrthancException">No answer, or another than Success; the file may or may not be stored.</exception>
    public async Task<OrthancId> StoreInstance(Stream file, CancellationToken token)
    {
        var answer = await Send(HttpMethod.Post, "instances", file, new MediaTypeHeaderValue("application/dicom"), (r, p) => ReadJson(r, OrthancJson.Default.StoreAnswer, p), token);
        return answer switch
        {
            { Status: "Success", Id: { } id } => new OrthancId(id),
            { Status: "AlreadyStored" } => throw new UnsafeOrthancException(SafetyProbe.OverwriteOff),
            _ => throw new OrthancException($"Orthanc did not store an instance; it answered \"{answer.Status}\"."),
        };
    }

    public Task DeleteInstance(OrthancId id, CancellationToken token) => DeleteIfThere($"instances/{id}", token);

    /// <summary>Names and values of all metadata, system's and users'.</summary>
    public Task<Dictionary<string, string>> ReadMetadata(OrthancLevel level, OrthancId id, CancellationToken token) =>
        Get($"{Path(level, id)}/metadata?expand", OrthancJson.Default.DictionaryStringString, token);

    /// <summary>One metadata value, byte for byte; null where there is none.</summary>
    public Task<byte[]?> FindMetadata(OrthancLevel level, OrthancId id, string name, CancellationToken token) =>
        Find($"{Path(level, id)}/metadata/{Uri.EscapeDataString(name)}", ReadBytes, token);

    public async Task WriteMetadata(OrthancLevel level, OrthancId id, string name, byte[] value, CancellationToken token)
    {
        using var content = new ByteArrayContent(value);
        await Call(HttpMethod.Put, $"{Path(level, id)}/metadata/{Uri.EscapeDataString(name)}", content, (_, _) => Task.FromResult(0), token);
    }

    public Task DeleteMetadata(OrthancLevel level, OrthancId id, string name, CancellationToken token) =>
        DeleteIfThere($"{Path(level, id)}/metadata/{Uri.EscapeDataString(name)}", token);

    /// <summary>Names of the attachments with their numbers.</summary>
    public Task<Dictionary<string, int>> ReadAttachments(OrthancLevel level, OrthancId id, CancellationToken token) =>
        Get($"{Path(level, id)}/attachments?full", OrthancJson.Default.DictionaryStringInt32, token);

    public Task ReadAttachment(OrthancLevel level, OrthancId id, int number, Stream to, CancellationToken token) =>
        Read(
            $"{Path(level, id)}/attachments/{number}/data",
            TimeSpan.FromMinutes(10),
            async (r, p) =>
            {
                await using var from = await Body(r, p);
                await from.CopyToAsync(to, token);
                return 0;
            },
            token);

    public Task WriteAttachment(OrthancLevel level, OrthancId id, int number, Stream from, CancellationToken token) =>
        Send(HttpMethod.Put, $"{Path(level, id)}/attachments/{number}", from, null, (_, _) => Task.FromResult(0), token);

    public Task DeleteAttachment(OrthancLevel level, OrthancId id, int number, CancellationToken token) =>
        DeleteIfThere($"{Path(level, id)}/attachments/{number}", token);

    /// <summary>Labels came with Orthanc 1.12.0; an older one has none.</summary>
    public async Task<IReadOnlyList<string>> ReadLabels(OrthancLevel level, OrthancId id, CancellationToken token) =>
        await HasLabels(token) ? await Get($"{Path(level, id)}/labels", OrthancJson.Default.ListString, token) : [];

    public async Task WriteLabel(OrthancLevel level, OrthancId id, string label, CancellationToken token)
    {
        using var content = new ByteArrayContent([]);
        await Call(HttpMethod.Put, $"{Path(level, id)}/labels/{Uri.EscapeDataString(label)}", content, (_, _) => Task.FromResult(0), token);
    }

    public async Task<bool> IsProtected(OrthancId patient, CancellationToken token) =>
        (await Read($"patients/{patient}/protected", AnswerLimit, ReadBytes, token)).AsSpan().SequenceEqual("1"u8);

    public async Task Protect(OrthancId patient, CancellationToken token)
    {
        using var content = new StringContent("1");
        await Call(HttpMethod.Put, $"patients/{patient}/protected", content, (_, _) => Task.FromResult(0), token);
    }

    /// <summary>Asks a DICOMweb search and hands over the answer as it comes, whatever its status; the caller disposes.</summary>
    public async Task<HttpResponseMessage> Search(string pathAndQuery, CancellationToken token)
    {
        // As it is: .NET would escape "^", which Orthanc does not decode.
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(http.BaseAddress + pathAndQuery, new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true }));
        request.Headers.Accept.ParseAdd("application/dicom+json");
        try
        {
            return await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, token);
        }
        catch (HttpRequestException e)
        {
            throw NoAnswer(e);
        }
    }

    private async Task<bool> HasLabels(CancellationToken token)
    {
        // Orthanc may be upgraded while this service runs, but not within one of its connections' lives that matter here: asked once.
        _hasLabels ??= !Version.TryParse((await ReadSystem(token)).Version, out var version) || version >= new Version(1, 12, 0);
        return _hasLabels.Value;
    }

    private static string Path(OrthancLevel level, OrthancId id) => $"{(level switch
    {
        OrthancLevel.Patients => "patients",
        OrthancLevel.Studies => "studies",
        OrthancLevel.Series => "series",
        _ => "instances",
    })}/{id}";

    private static TimeSpan LimitFor(long bytes) => AnswerLimit + TimeSpan.FromSeconds(bytes / SlowestBytesPerSecond);

    private Task<T> Get<T>(string path, JsonTypeInfo<T> type, CancellationToken token) => Read(path, AnswerLimit, (r, p) => ReadJson(r, type, p), token);

    // The token of a request does not reach what is read of its answer once the headers are there.
    private static async Task<Stream> Body(HttpResponseMessage response, Patience patience) =>
        new AnswerStream(await response.Content.ReadAsStreamAsync(patience.Token), patience, AnswerLimit);

    private static async Task<byte[]> ReadBytes(HttpResponseMessage response, Patience patience)
    {
        await using var body = await Body(response, patience);
        using var bytes = new MemoryStream();
        await body.CopyToAsync(bytes, patience.Token);
        return bytes.ToArray();
    }

    private static async Task<T> ReadJson<T>(HttpResponseMessage response, JsonTypeInfo<T> type, Patience patience)
    {
        if (response.Content.Headers.ContentLength is { } length and <= ShortAnswer)
        {
            // What is ready for long answers takes longer than these.
            var whole = new byte[length];
            await using var all = await response.Content.ReadAsStreamAsync(patience.Token);
            await all.ReadExactlyAsync(whole, patience.Token);
            return JsonSerializer.Deserialize(whole, type) ?? throw Empty();
        }

        await using var body = await Body(response, patience);
        return await JsonSerializer.DeserializeAsync(body, type, patience.Token) ?? throw Empty();

        static OrthancException Empty() => new("Orthanc answered with an empty document.");
    }

    private static bool IsPassing(HttpResponseMessage response) => response.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.InternalServerError or HttpStatusCode.ServiceUnavailable;

    // Of a series' thousands of questions nearly all are answered at once: what asks again begins with the answer that calls for it.
    private async Task<HttpResponseMessage> Ask(string path, CancellationToken token)
    {
        var first = http.GetAsync(path, HttpCompletionOption.ResponseHeadersRead, token);
        await ((Task)first).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (first.IsCompletedSuccessfully && await first is var answer && !IsPassing(answer))
        {
            return answer;
        }

        return await Reads.ExecuteAsync(async u => await (Interlocked.Exchange(ref first, null) ?? http.GetAsync(path, HttpCompletionOption.ResponseHeadersRead, u)), token);
    }

    private Task<T> Read<T>(string path, TimeSpan limit, Func<HttpResponseMessage, Patience, Task<T>> read, CancellationToken token) =>
        Guarded(
            limit,
            async p =>
            {
                using var response = await Ask(path, p.Token);
                Check(response);
                return await read(response, p);
            },
            token);

    private Task<T?> Find<T>(string path, Func<HttpResponseMessage, Patience, Task<T>> read, CancellationToken token)
        where T : class =>
        Guarded(
            AnswerLimit,
            async p =>
            {
                using var response = await Ask(path, p.Token);
                if (response.StatusCode == HttpStatusCode.NotFound)
                {
                    return null;
                }

                Check(response);
                return await read(response, p);
            },
            token);

    private Task<T> Call<T>(HttpMethod method, string path, HttpContent content, Func<HttpResponseMessage, Patience, Task<T>> read, CancellationToken token) =>
        Guarded(AnswerLimit, p => Call(method, path, content, read, p), token);

    // Sent from its beginning; stays open.
    private Task<T> Send<T>(HttpMethod method, string path, Stream file, MediaTypeHeaderValue? type, Func<HttpResponseMessage, Patience, Task<T>> read, CancellationToken token) =>
        Guarded(
            AnswerLimit,
            async p =>
            {
                // When all is sent, Orthanc has it to store.
                using var content = new FileContent(file, left => p.Renew(left > 0 ? AnswerLimit : LimitFor(file.Length)));
                content.Headers.ContentType = type;
                return await Call(method, path, content, read, p);
            },
            token);

    private async Task<T> Call<T>(HttpMethod method, string path, HttpContent content, Func<HttpResponseMessage, Patience, Task<T>> read, Patience patience)
    {
        using var request = new HttpRequestMessage(method, path) { Content = content };
        using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, patience.Token);
        Check(response);
        return await read(response, patience);
    }

    private Task<int> DeleteIfThere(string path, CancellationToken token) =>
        Guarded(
            AnswerLimit,
            async p =>
            {
                using var response = await http.DeleteAsync(path, p.Token);
                if (response.StatusCode != HttpStatusCode.NotFound)
                {
                    Check(response);
                }

                return 0;
            },
            token);

    private static void Check(HttpResponseMessage response)
    {
        if (!response.IsSuccessStatusCode)
        {
            throw response.StatusCode is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden
                ? new OrthancException($"Orthanc refused the service's user ({(int)response.StatusCode}). Check Orthanc:UserName and Orthanc:PasswordFile.")
                : new OrthancException($"Orthanc answered {(int)response.StatusCode} to {response.RequestMessage?.Method} {response.RequestMessage?.RequestUri?.AbsolutePath}.");
        }
    }

    private async Task<T> Guarded<T>(TimeSpan limit, Func<Patience, Task<T>> call, CancellationToken token)
    {
        using var patience = new Patience(limit, time, token);
        try
        {
            return await call(patience);
        }
        catch (HttpRequestException e)
        {
            throw NoAnswer(e);
        }
        catch (OperationCanceledException e) when (!token.IsCancellationRequested)
        {
            throw new OrthancException($"Orthanc did not answer within {patience.Limit.TotalSeconds:0} seconds.", e);
        }
        catch (Exception e) when (e is HttpIOException or JsonException)
        {
            throw new OrthancException("Orthanc's answer broke off or is not what its API promises.", e);
        }
    }

    private static OrthancException NoAnswer(HttpRequestException e) => new($"Orthanc does not answer: {e.Message}", e);
}
