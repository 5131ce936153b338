// Instruction types, a file each. A wording is a Scriban template whose variables are slots; it is evaluated once into text and places, so that what
// is rendered can be parsed back and no value is ever read as a template.
using System.ComponentModel;
using PluginHost.Sdk;

namespace Template.Library;

/// <summary>Settings of <see cref="LibraryTemplates"/>.</summary>
/// <param name="Types">The types in use.</param>
/// <param name="Folder">Further types.</param>
public sealed record LibraryOptions(
    [property: Description("Ids of the types in use, such as counting; all when absent.")] string[]? Types = null,
    [property: Description("A folder with files of further types, relative to the project file; one with the id of a type of the library takes its place.")] string? Folder = null);

/// <summary>The library.</summary>
[Plugin("template.library", "Words instructions of 27 types in English and Chinese, some wordings for evaluation alone.")]
public sealed class LibraryTemplates(LibraryOptions options) : ITemplatePlugin
{
    private const string Extension = ".json";

    /// <inheritdoc/>
    public ITemplateLibrary Open(BuildContext context, string folder)
    {
        var files = Embedded().Concat(Further(folder)).GroupBy(file => file.Type.Id).Select(twins => twins.Last()).ToList();
        foreach (var wanted in options.Types ?? [])
            if (files.TrueForAll(file => file.Type.Id != wanted)) throw new UserErrorException($"template.library: there is no type '{wanted}'{Nearest.Suggestion(wanted, files.Select(file => file.Type.Id))}");
        return new OpenLibrary(files.Where(file => options.Types is null || options.Types.Contains(file.Type.Id)));
    }

    private static IEnumerable<TypeFile> Embedded()
    {
        var assembly = typeof(LibraryTemplates).Assembly;
        foreach (var name in assembly.GetManifestResourceNames().Where(name => name.EndsWith(Extension, StringComparison.Ordinal)).Order(StringComparer.Ordinal))
        {
            using var stream = assembly.GetManifestResourceStream(name)!;
            using var reader = new StreamReader(stream);
            yield return TypeFile.Read(name, reader.ReadToEnd());
        }
    }

    private IEnumerable<TypeFile> Further(string around)
    {
        if (options.Folder is not { } wanted) return [];
        var folder = Path.GetFullPath(wanted, around);
        if (!Directory.Exists(folder)) throw new UserErrorException($"template.library: there is no folder {folder} ('folder' of its settings).");
        return Directory.GetFiles(folder, "*" + Extension).Order(StringComparer.Ordinal).Select(file => TypeFile.Read(file, File.ReadAllText(file)));
    }
}
