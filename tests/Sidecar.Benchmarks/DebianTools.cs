using System.Diagnostics;

namespace Sidecar.Benchmarks;

/// <summary>Compresses a file with the tools Debian has, so that the codecs are measured on other encoders' codestreams.</summary>
internal static class DebianTools
{
    /// <param name="native">An uncompressed Part 10 file.</param>
    /// <param name="command">The program and its options; input and output are appended.</param>
    /// <exception cref="InvalidOperationException">The program failed; dcmtk and libgdcm-tools must be installed.</exception>
    public static byte[] Compress(byte[] native, params string[] command)
    {
        var folder = Directory.CreateTempSubdirectory("sidecar-benchmark");
        try
        {
            var (input, output) = (Path.Combine(folder.FullName, "input.dcm"), Path.Combine(folder.FullName, "output.dcm"));
            File.WriteAllBytes(input, native);
            using var tool = Process.Start(command[0], [.. command[1..], input, output]);
            tool.WaitForExit();
            return tool.ExitCode == 0 ? File.ReadAllBytes(output) : throw new InvalidOperationException($"{command[0]} failed with status {tool.ExitCode}.");
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
