using System.ComponentModel;
using System.Text.Json.Serialization;

namespace Sidecar.Reviews;

internal sealed record TemplateDevice(string Manufacturer, string Model);

[Description("Masks that a person approved for one kind of image: the same device, size, colour model and SOP class. They are proposed for the next such study.")]
internal sealed record MaskTemplate(
    string Id,
    string Name,
    TemplateDevice Device,
    int Rows,
    int Columns,
    string Photometric,
    string SopClass,
    IReadOnlyList<FindingRegion> Regions,
    string CreatedBy,
    DateTimeOffset CreatedAt,
    [property: Description("Studies in which it was accepted.")] int Uses);

internal sealed record MaskTemplateRequest(
    [property: Description("1 to 100 characters.")] string Name,
    TemplateDevice Device,
    int Rows,
    int Columns,
    [property: Description("PhotometricInterpretation.")] string Photometric,
    [property: Description("SOP Class UID.")] string SopClass,
    [property: Description("1 to 100, inside of the image.")] IReadOnlyList<FindingRegion> Regions);

[Description("By device, then name.")]
internal sealed record MaskTemplateList(IReadOnlyList<MaskTemplate> Templates);

[Description("The file that is exported and imported.")]
internal sealed record MaskTemplateFile(
    [property: Description("sidecar-mask-templates-1")] string Format,
    IReadOnlyList<MaskTemplateRequest> Templates);

internal sealed record MaskTemplateImport(
    int Added,
    [property: Description("The same masks under the same name were there already.")] int Known);

[JsonSourceGenerationOptions(
    System.Text.Json.JsonSerializerDefaults.Web,
    NumberHandling = JsonNumberHandling.Strict,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(MaskTemplate))]
[JsonSerializable(typeof(MaskTemplateRequest))]
[JsonSerializable(typeof(MaskTemplateList))]
[JsonSerializable(typeof(MaskTemplateFile))]
[JsonSerializable(typeof(MaskTemplateImport))]
[JsonSerializable(typeof(IReadOnlyList<FindingRegion>))]
internal sealed partial class TemplateJson : JsonSerializerContext;
