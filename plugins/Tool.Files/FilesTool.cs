// Files of one folder, to be read and never written. Paths are resolved, links included, before anything is opened: what leads out of the folder is not there.
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;
using PluginHost.Sdk;

namespace Tool.Files;

/// <summary>Settings of <see cref="FilesTool"/>.</summary>
/// <param name="Root">The folder.</param>
/// <param name="MaxBytes">Bytes of a file that are read at once.</param>
/// <param name="MaxEntries">Entries of a folder that are listed.</param>
public sealed record FilesOptions(
    [property: Description("The folder whose files can be read; relative to the host file.")] string? Root = null,
    [property: Range(256, 1 << 20), Description("Bytes of a file that are read at once at most.")] int MaxBytes = 32768,
    [property: Range(1, 10000), Description("Entries of a folder that are listed at most.")] int MaxEntries = 500);

/// <summary>Lists and reads the files of a folder.</summary>
[Plugin("tool.files", "Lists and reads the files of one folder.")]
public sealed class FilesTool(FilesOptions options) : IToolPlugin
{
    /// <inheritdoc/>
    public IReadOnlyList<ToolFunction> Open(ToolContext context)
    {
        if (options.Root is null) throw new UserErrorException("tool.files: 'root' names the folder whose files can be read");
        var root = Path.GetFullPath(options.Root, context.Folder);
        if (!Directory.Exists(root)) throw new UserErrorException($"tool.files: there is no folder {root} ('root')");
        var folder = new ReadOnlyFolder(root);
        return [new ListFunction(folder, options.MaxEntries), new ReadFunction(folder, options.MaxBytes)];
    }

    private sealed class ListFunction(ReadOnlyFolder folder, int most) : ToolFunction("list", "Lists the files and folders in a folder.", """
        {
          "type": "object",
          "properties": { "path": { "type": "string", "maxLength": 1000, "default": ".", "description": "The folder, such as notes/2026" } },
          "additionalProperties": false
        }
        """)
    {
        protected override ValueTask<object?> InvokeCoreAsync(AIFunctionArguments arguments, CancellationToken cancellationToken)
        {
            var path = Text(arguments, "path") ?? ".";
            var found = folder.Find(path);
            if (!Directory.Exists(found)) throw new UserErrorException($"there is no folder '{path}'");
            var entries = new DirectoryInfo(found).EnumerateFileSystemInfos().OrderBy(entry => entry.Name, StringComparer.Ordinal).Take(most + 1).ToList();
            var listed = new JsonArray([.. entries.Take(most).Select(entry => (JsonNode)(entry is FileInfo file
                ? new JsonObject { ["name"] = file.Name, ["bytes"] = file.Length }
                : new JsonObject { ["name"] = entry.Name + "/" }))]);
            return ValueTask.FromResult<object?>(new JsonObject { ["entries"] = listed, ["more"] = entries.Count > most });
        }
    }

    private sealed class ReadFunction(ReadOnlyFolder folder, int most) : ToolFunction("read", "Reads a text file, or the part of it that begins at an offset.", """
        {
          "type": "object",
          "properties": {
            "path": { "type": "string", "minLength": 1, "maxLength": 1000, "description": "The file, such as notes/2026/plan.md" },
            "offset": { "type": "integer", "minimum": 0, "default": 0, "description": "The byte to begin at" }
          },
          "required": ["path"],
          "additionalProperties": false
        }
        """)
    {
        protected override async ValueTask<object?> InvokeCoreAsync(AIFunctionArguments arguments, CancellationToken cancellationToken)
        {
            var path = Text(arguments, "path") ?? "";
            var offset = Argument(arguments, "offset")?.GetInt64() ?? 0;
            var file = new FileInfo(folder.Find(path));
            if (!file.Exists) throw new UserErrorException($"there is no file '{path}'");
            if (offset >= file.Length) return ""; // pipes and devices, whose length is 0, are never opened
            await using var stream = new FileStream(file.FullName, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            stream.Seek(offset, SeekOrigin.Begin);
            var bytes = new byte[Math.Min(most, file.Length - offset)];
            var count = await stream.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
            if (bytes.AsSpan(0, count).Contains((byte)0)) throw new UserErrorException($"'{path}' is no text file");
            var text = Encoding.UTF8.GetString(bytes, 0, count);
            return offset + count < file.Length ? $"{text}\n[{file.Length - offset - count} more bytes from offset {offset + count}]" : text;
        }
    }
}
