using System.Text.Encodings.Web;
using System.Text.Json;

namespace Sidecar.Commands;

/// <summary>Writes results as NDJSON, and progress to standard error: a running count on a terminal, else only the end.</summary>
internal sealed class ResultLines : IDisposable
{
    private readonly Stream lines;
    private readonly int total;
    private readonly Lock turn = new();

    /// <summary>Names of files as people write them; the lines go to files and terminals, never into a web page.</summary>
    private readonly Utf8JsonWriter json;
    private readonly string success;
    private int done;
    private int succeeded;

    private ResultLines(Stream lines, int total, string success)
    {
        (this.lines, this.total, this.success) = (lines, total, success);
        json = new Utf8JsonWriter(lines, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
    }

    /// <param name="path">A file, or - for standard output.</param>
    /// <param name="total">Files to come.</param>
    /// <param name="success">What becomes of a file where all goes well: masked.</param>
    /// <exception cref="WrongUsageException">The file cannot be created.</exception>
    public static ResultLines Open(string path, int total, string success)
    {
        try
        {
            return new ResultLines(path == "-" ? new BufferedStream(Console.OpenStandardOutput()) : File.Create(path), total, success);
        }
        catch (Exception broken) when (broken is IOException or UnauthorizedAccessException)
        {
            throw new WrongUsageException($"The results file {path} cannot be written: {broken.Message}");
        }
    }

    /// <param name="line">Writes one object.</param>
    /// <param name="isSuccess">Whether all went well with its file.</param>
    public void Write(Action<Utf8JsonWriter> line, bool isSuccess)
    {
        lock (turn)
        {
            line(json);
            json.Flush();
            json.Reset();
            lines.WriteByte((byte)'\n');
            done++;
            succeeded += isSuccess ? 1 : 0;
            if (!Console.IsErrorRedirected)
            {
                Console.Error.Write($"\r{done} of {total} files");
            }
        }
    }

    public void Dispose()
    {
        json.Dispose();
        lines.Dispose();
        var start = Console.IsErrorRedirected ? "" : "\r";
        Console.Error.WriteLine($"{start}{succeeded} of {done} files {success}{(succeeded == done ? "" : $", {done - succeeded} not: see their lines")}.");
    }
}
