namespace PluginHost.Config.Json;

/// <summary>A place in a config file, for messages: <c>pocket.json(6,27): $.graph.fusion</c>, or <c>--set</c> and its path.</summary>
public sealed record JsonLocation
{
    private readonly JsonLocation? parent;
    private readonly string step;
    private readonly int index;

    /// <param name="file">File name, or <c>--set</c>.</param>
    /// <param name="line">Line from 1; 0 when there is no file.</param>
    /// <param name="column">Column from 1.</param>
    /// <param name="path">JSON path: <c>$.graph.fusion.settings.width</c>.</param>
    public JsonLocation(string file, int line, int column, string path) => (File, Line, Column, step) = (file, line, column, path);

    private JsonLocation(JsonLocation parent, int line, int column, string step, int index) : this(parent.File, line, column, step) => (this.parent, this.index) = (parent, index);

    /// <summary>File name, or <c>--set</c>.</summary>
    public string File { get; }

    /// <summary>Line from 1; 0 when there is no file.</summary>
    public int Line { get; }

    /// <summary>Column from 1.</summary>
    public int Column { get; }

    /// <summary>JSON path: <c>$.graph.fusion.settings.width</c>. Made when it is asked for: nearly no value of a file has anything wrong with it.</summary>
    public string Path => parent is null ? step : step.Length > 0 || index < 0 ? JsonTreeReader.PathOf(parent.Path, step) : $"{parent.Path}[{index}]";

    /// <summary>The place of a property of the value at this one.</summary>
    internal JsonLocation Property(string name, int line, int column) => new(this, line, column, name, -1);

    /// <summary>The place of an item of the array at this one.</summary>
    internal JsonLocation Item(int position, int line, int column) => new(this, line, column, "", position);

    /// <summary>Whether both say the same.</summary>
    public bool Equals(JsonLocation? other) => other is not null && (File, Line, Column) == (other.File, other.Line, other.Column) && Path == other.Path;

    public override int GetHashCode() => HashCode.Combine(File, Line, Column);

    public override string ToString() => Line == 0 ? $"{File} {Path}" : $"{File}({Line},{Column}): {Path}";
}
