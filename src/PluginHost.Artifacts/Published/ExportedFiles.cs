namespace PluginHost.Artifacts.Published;

/// <summary>What an export wrote.</summary>
/// <param name="Files">Names of the files.</param>
/// <param name="LeftOut">Why each part of the run that could not be written was left out.</param>
public sealed record ExportedFiles(IReadOnlyList<string> Files, IReadOnlyList<string> LeftOut);
