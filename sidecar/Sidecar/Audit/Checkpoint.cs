namespace Sidecar.Audit;

/// <summary>How the chain stood at one time, kept outside the database: a row's number and hash.</summary>
internal sealed record Checkpoint(long Sequence, string Hash, string At, string? Signature = null);
