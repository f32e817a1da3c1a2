using Sidecar.Commands;

// Table of contents:
//   Commands/   serve, mask, scan, doctor, audit
//   MaskJobs/   masking asked for by people: endpoints, plan, store, runner
//   Scans/      text found in what comes in and in the archive: queue, ledger, runs
//   Reviews/    what people decide about findings: clusters, work list, holding of studies, templates, samples, figures
//   Audit/      who did what: a chain of rows, checkpoints, export
//   Orthanc/    the only door to Orthanc: client, study contents, safe replacement
//   Telemetry/  what the service counts about itself
//   Storage/    database, transactions, migrations
//   Http/       tokens and permissions, problems, health, OpenAPI

// The OpenAPI build step and the test host start the program with host settings (--name=value) and no command: that means serve.
return args is [] || (args[0].StartsWith("--", StringComparison.Ordinal) && args[0].Contains('='))
    ? await ServeCommand.Run(args)
    : await SidecarCommandLine.Run(args);
