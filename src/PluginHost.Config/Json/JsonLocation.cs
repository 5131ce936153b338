namespace PluginHost.Config.Json;

/// <summary>A place in a config file, for messages: <c>pocket.json(6,27): $.graph.fusion</c>, or <c>--set</c> and its path.</summary>
/// <param name="File">File name, or <c>--set</c>.</param>
/// <param name="Line">Line from 1; 0 when there is no file.</param>
/// <param name="Column">Column from 1.</param>
/// <param name="Path">JSON path: <c>$.graph.fusion.settings.width</c>.</param>
public sealed record JsonLocation(string File, int Line, int Column, string Path)
{
    public override string ToString() => Line == 0 ? $"{File} {Path}" : $"{File}({Line},{Column}): {Path}";
}
