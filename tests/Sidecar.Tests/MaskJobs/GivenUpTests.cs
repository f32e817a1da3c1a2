using Sidecar.MaskJobs;
using Sidecar.Orthanc;
using Sidecar.Workers;
using Xunit;
using static Sidecar.Tests.MaskJobs.JobStores;

namespace Sidecar.Tests.MaskJobs;

/// <summary>What people read of an image that a job left as it was, word for word: where its files are, and what to do.</summary>
public sealed class GivenUpTests
{
    private const string Stays = "The masked image stays in the archive (Orthanc), the original is kept in this service until its time is over.";
    private static readonly MaskJob Masking = Job();
    private static readonly MaskJob Restoring = Job() with { RestoresJobId = "job" };

    [Fact]
    public void Of_a_masking_the_original_is_in_the_archive()
    {
        Assert.Equal(
            "The service's own folder (Storage:Directory) could not be written for too long: its disk is full or broken, or may not be used. This image was not touched. Tell the administrator; mask it again when there is room.",
            GivenUp.AwayTooLong(Masking, new IOException("No space left on device")));
        Assert.Equal("The image archive (Orthanc) could not be used for too long. This image was not touched; mask it again when the archive works.", GivenUp.AwayTooLong(Masking, new OrthancException("No answer.")));
        Assert.Equal("The software failed on this job. This image was not touched; please report this to the administrator.", GivenUp.OwnFault(Masking));
        Assert.Equal("The study is no longer in the image archive (Orthanc); somebody deleted it after the job was started.", GivenUp.StudyDeleted(Masking));
        Assert.Equal("The image archive does not deliver this image. Why.", GivenUp.NotDelivered(Masking, "Why."));
        Assert.All(Enum.GetValues<RefusalCause>(), cause => Assert.Equal("Why.", GivenUp.Refused(Masking, new(cause, "Why."))));
    }

    [Fact]
    public void Of_a_restoring_the_masked_image_is_there_and_the_original_is_kept()
    {
        Assert.Equal(
            $"The service's own folder (Storage:Directory) could not be used for too long: its disk is full or broken. {Stays} Tell the administrator; ask for the restoring again when there is room.",
            GivenUp.AwayTooLong(Restoring, new UnauthorizedAccessException()));
        Assert.Equal($"The image archive (Orthanc) could not be used for too long. {Stays} Ask for the restoring again when the archive works.", GivenUp.AwayTooLong(Restoring, new OrthancException("No answer.")));
        Assert.Equal($"The software failed on this job. {Stays} Please report this to the administrator before that time is over.", GivenUp.OwnFault(Restoring));
        Assert.Equal(
            "The study is no longer in the image archive (Orthanc). The original is kept in this service until its time is over, but is only put back over its masked image: send that to the archive again, then ask for the restoring again.",
            GivenUp.StudyDeleted(Restoring));
        Assert.Equal(
            "The image archive (Orthanc) does not deliver the masked image. Why. The original is kept in this service until its time is over; ask for the restoring again when the archive works.",
            GivenUp.NotDelivered(Restoring, "Why."));
        Assert.Equal(
            "The masked image is no longer in the archive (Orthanc). The original is kept in this service until its time is over, but is only put back over its masked image: send that to the archive again, then ask for the restoring again.",
            GivenUp.Refused(Restoring, new(RefusalCause.Deleted, "Why.")));
        Assert.Equal(
            "The image in the archive (Orthanc) is another one than this masking stored: somebody sent it again or masked it once more. It was left as it is; the original is kept in this service until its time is over. If it was masked once more, restore that masking first.",
            GivenUp.Refused(Restoring, new(RefusalCause.Changed, "Why.")));
        Assert.Equal($"Why. {Stays}", GivenUp.Refused(Restoring, new(RefusalCause.Archive, "Why.")));
        Assert.Equal("Why.", GivenUp.Refused(Restoring, new(RefusalCause.Damaged, "Why.")));
    }

    [Fact]
    public void A_disk_of_the_service_is_not_taken_for_the_archive_or_for_a_worker()
    {
        Assert.True(GivenUp.IsOwnDisk(new IOException()));
        Assert.True(GivenUp.IsOwnDisk(new UnauthorizedAccessException()));
        Assert.False(GivenUp.IsOwnDisk(new OrthancException("No answer.")));
        Assert.False(GivenUp.IsOwnDisk(new WorkersUnavailableException("Missing.")));
    }
}
