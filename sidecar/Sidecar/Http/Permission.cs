using System.Text.Json.Serialization;

namespace Sidecar.Http;

/// <summary>What a person may do here.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<Permission>))]
internal enum Permission
{
    [JsonStringEnumMemberName("mask")]
    Mask,
    [JsonStringEnumMemberName("confirm")]
    Confirm,
    [JsonStringEnumMemberName("restore")]
    Restore,
    [JsonStringEnumMemberName("review")]
    Review,
    [JsonStringEnumMemberName("audit")]
    Audit,
    [JsonStringEnumMemberName("administer")]
    Administer,
}
