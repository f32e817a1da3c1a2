using System.Text.Json;
using Sidecar.TestData;

const string Usage = """
    Writes the demo studies: generated images of invented patients with their names burned in.
    demo-studies --out DIR [--only ultrasound-still|ultrasound-cine|ct|radiograph] [--seed TEXT]
    --seed gives other UIDs and patient numbers, for tests that each want their own copy. Prints one JSON object a study.
    """;

var options = new Dictionary<string, string>();
for (var index = 0; index < args.Length; index += 2)
{
    if (args[index] is not ("--out" or "--only" or "--seed") || index + 1 == args.Length)
    {
        Console.Error.WriteLine(Usage);
        return 2;
    }

    options[args[index]] = args[index + 1];
}

if (!options.TryGetValue("--out", out var directory))
{
    Console.Error.WriteLine(Usage);
    return 2;
}

var studies = DemoStudies.All(options.GetValueOrDefault("--seed", "demo"))
    .Where(study => !options.TryGetValue("--only", out var only) || only == study.Name)
    .ToArray();
if (studies.Length == 0)
{
    Console.Error.WriteLine($"There is no demo study '{options["--only"]}'.\n{Usage}");
    return 2;
}

foreach (var study in studies)
{
    var folder = Directory.CreateDirectory(Path.Combine(directory, study.Name)).FullName;
    var instances = study.Instances();
    for (var index = 0; index < instances.Count; index++)
    {
        File.WriteAllBytes(Path.Combine(folder, $"{index + 1:000}.dcm"), instances[index]);
    }

    var (x, y, width, height) = study.Banner;
    Console.WriteLine(JsonSerializer.Serialize(new
    {
        name = study.Name,
        directory = folder,
        instances = instances.Count,
        studyInstanceUid = study.StudyInstanceUid,
        banner = new { x, y, width, height },
    }));
}

return 0;
