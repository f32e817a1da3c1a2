using System.CommandLine;

namespace Sidecar.Commands;

/// <summary>The commands of the executable <c>sidecar</c>. Exit status: 0 all done, 1 something failed, 2 wrong usage.</summary>
internal static class SidecarCommandLine
{
    public const int WrongUsage = 2;

    public static async Task<int> Run(string[] args)
    {
        var root = new RootCommand("Removes burned-in patient data from DICOM images.")
        {
            ServeCommand.Create(),
            MaskCommand.Create(),
            ScanCommand.Create(),
            DoctorCommand.Create(),
            AuditCommand.Create(),
            VerifyCommand.Create(),
        };
        var parsed = root.Parse(args);
        var status = await parsed.InvokeAsync();
        return parsed.Errors.Count > 0 ? WrongUsage : status;
    }
}
