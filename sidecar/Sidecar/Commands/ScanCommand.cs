using System.CommandLine;

namespace Sidecar.Commands;

/// <summary>`sidecar scan`: finding burned-in text. Not here yet, and it says so rather than answering "nothing found".</summary>
internal static class ScanCommand
{
    public static Command Create()
    {
        var command = new Command("scan", "Find burned-in text. Not available in this version.") { TreatUnmatchedTokensAsErrors = false };
        command.SetAction(async (_, token) =>
        {
            await Console.Error.WriteLineAsync("sidecar scan is not available in this version: nothing was looked at. Use 'sidecar mask' with regions that you know.".AsMemory(), token);
            return SidecarCommandLine.WrongUsage;
        });
        return command;
    }
}
