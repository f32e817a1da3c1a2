using System.CommandLine;
using System.Security.Cryptography;
using Sidecar.Audit;

namespace Sidecar.Commands;

/// <summary><c>sidecar verify</c>: is this certificate whole, and are these files the masked images it speaks of? Needs no server and no database.</summary>
internal static class VerifyCommand
{
    public static Command Create()
    {
        var certificate = new Argument<FileInfo>("CERTIFICATE") { Description = "The JSON form of a certificate." };
        var inputs = new Argument<string[]>("FILES") { Description = "DICOM files as they are in the archive, or directories of them.", Arity = ArgumentArity.ZeroOrMore };
        var publicKey = new Option<string?>("--public-key") { Description = "PEM file with the key that must have signed it." };
        var command = new Command("verify", "Checks a certificate and the files it speaks of. Exit status 1 if anything does not hold.") { certificate, inputs, publicKey };
        command.SetAction((parsed, token) => Run(parsed.GetValue(certificate)!.FullName, parsed.GetValue(inputs) ?? [], parsed.GetValue(publicKey), Console.Out, Console.Error, token));
        return command;
    }

    internal static async Task<int> Run(string certificateFile, IReadOnlyList<string> inputs, string? keyFile, TextWriter output, TextWriter error, CancellationToken token)
    {
        try
        {
            using var key = keyFile is null ? null : AuditKey.Read(keyFile);
            var certificate = Certificate.Parse(await File.ReadAllTextAsync(certificateFile, token));
            var whole = await CheckCertificate(certificate, key, output);
            var files = InputFiles.Find(inputs, new DirectoryInfo(Path.Combine(Path.GetTempPath(), Path.GetRandomFileName())));
            var same = await CheckFiles(certificate.MaskedImages(), files, output, token);
            return whole && same ? 0 : 1;
        }
        catch (WrongUsageException e)
        {
            await error.WriteLineAsync($"sidecar verify: {e.Message}");
            return SidecarCommandLine.WrongUsage;
        }
        catch (Exception e) when (e is CertificateException or IOException or UnauthorizedAccessException or InvalidOperationException)
        {
            await error.WriteLineAsync($"sidecar verify: {certificateFile}: {e.Message}");
            return 1;
        }
    }

    private static async Task<bool> CheckCertificate(Certificate certificate, AuditKey? key, TextWriter output)
    {
        var faults = certificate.FindFaults(key);
        foreach (var fault in faults)
        {
            await output.WriteLineAsync($"FAILED  certificate: {fault}");
        }

        if (faults.Count > 0)
        {
            return false;
        }

        await output.WriteLineAsync($"ok      certificate: {certificate.Events.Count} audit rows hold");
        if (certificate.RestorableUntil() is { } until)
        {
            var restored = certificate.Events.Count(e => e.Row.Action == "instanceRestored");
            await output.WriteLineAsync($"note    until {until} the originals could be restored" + (restored > 0 ? $"; {restored} were, so those images are not masked any more" : ""));
        }

        if (certificate.Signature is null)
        {
            await output.WriteLineAsync("note    it is not signed: compare the hash of its last row with the audit or a checkpoint");
        }
        else
        {
            using var own = AuditKey.Parse(certificate.PublicKey!);
            await output.WriteLineAsync(key is null
                ? $"note    signed with the key {own.Fingerprint}, which it brings itself: give --public-key, or compare this with the hospital"
                : $"ok      signed with the key {key.Fingerprint}");
        }

        return true;
    }

    private static async Task<bool> CheckFiles(IReadOnlyList<Certificate.MaskedImage> images, IReadOnlyList<InputFile> files, TextWriter output, CancellationToken token)
    {
        var masked = images.ToLookup(i => i.OutputSha256);
        var originals = images.Where(i => i.Sha256 != i.OutputSha256).ToLookup(i => i.Sha256);
        var seen = new HashSet<string>();
        var allGood = true;
        foreach (var file in files)
        {
            await using var stream = File.OpenRead(file.Path);
            var hash = Convert.ToHexStringLower(await SHA256.HashDataAsync(stream, token));
            if (masked[hash].FirstOrDefault() is { } image)
            {
                seen.Add(hash);
                await output.WriteLineAsync($"ok      {file.Name}: image {image.SopInstanceUid}, as it was masked");
                continue;
            }

            allGood = false;
            await output.WriteLineAsync(originals[hash].FirstOrDefault() is { } original
                ? $"FAILED  {file.Name}: this is the ORIGINAL of image {original.SopInstanceUid}, not masked"
                : $"FAILED  {file.Name}: no image of this certificate, or changed since it was masked");
        }

        if (files.Count > 0 && seen.Count < masked.Count)
        {
            await output.WriteLineAsync($"note    {masked.Count - seen.Count} of the {masked.Count} masked images of the certificate are not among the files");
        }

        return allGood;
    }
}
