using Sidecar.Orthanc;
using Sidecar.Workers;

namespace Sidecar.MaskJobs;

/// <summary>
/// What a person is told of an image that a job gave up before it was touched: where its files are, and what to do. Of a masking the original is in
/// Orthanc; of a restoring the masked image is, and the original is kept here until its time is over.
/// </summary>
internal static class GivenUp
{
    private const string Stays = "The masked image stays in the archive (Orthanc), the original is kept in this service until its time is over.";

    /// <summary>Whether it is this service's own disk that failed, not Orthanc.</summary>
    public static bool IsOwnDisk(Exception fault) => fault is IOException and not OrthancException and not WorkersUnavailableException or UnauthorizedAccessException;

    public static string AwayTooLong(MaskJob job, Exception fault) => (IsOwnDisk(fault), job.RestoresJobId is not null) switch
    {
        (true, false) => "The service's own folder (Storage:Directory) could not be written for too long: its disk is full or broken, or may not be used. This image was not touched. Tell the administrator; mask it again when there is room.",
        (true, true) => $"The service's own folder (Storage:Directory) could not be used for too long: its disk is full or broken. {Stays} Tell the administrator; ask for the restoring again when there is room.",
        (false, false) => "The image archive (Orthanc) could not be used for too long. This image was not touched; mask it again when the archive works.",
        (false, true) => $"The image archive (Orthanc) could not be used for too long. {Stays} Ask for the restoring again when the archive works.",
    };

    public static string OwnFault(MaskJob job) => job.RestoresJobId is null
        ? "The software failed on this job. This image was not touched; please report this to the administrator."
        : $"The software failed on this job. {Stays} Please report this to the administrator before that time is over.";

    public static string StudyDeleted(MaskJob job) => job.RestoresJobId is null
        ? "The study is no longer in the image archive (Orthanc); somebody deleted it after the job was started."
        : "The study is no longer in the image archive (Orthanc). The original is kept in this service until its time is over, but is only put back over its masked image: send that to the archive again, then ask for the restoring again.";

    public static string NotDelivered(MaskJob job, string why) => job.RestoresJobId is null
        ? $"The image archive does not deliver this image. {why}"
        : $"The image archive (Orthanc) does not deliver the masked image. {why} The original is kept in this service until its time is over; ask for the restoring again when the archive works.";

    /// <summary>A refusal in the words of this job.</summary>
    public static string Refused(MaskJob job, ReplacementOutcome.Refused refused) => (job.RestoresJobId, refused.Cause) switch
    {
        (not null, RefusalCause.Deleted) =>
            "The masked image is no longer in the archive (Orthanc). The original is kept in this service until its time is over, but is only put back over its masked image: send that to the archive again, then ask for the restoring again.",
        (not null, RefusalCause.Changed) =>
            "The image in the archive (Orthanc) is another one than this masking stored: somebody sent it again or masked it once more. It was left as it is; the original is kept in this service until its time is over. If it was masked once more, restore that masking first.",
        (not null, RefusalCause.Archive) => $"{refused.Reason} {Stays}",
        _ => refused.Reason,
    };
}
