using Index.Sqlite;
using PluginHost.Sdk;

namespace Plugins.Data.Tests;

/// <summary>Writes documents until it is killed: this assembly, started as a program (<c>index-writer FOLDER FIRST</c>).</summary>
internal static class IndexWriter
{
    public const int Width = 4;
    public const int InAWrite = 5;

    public static int Main(string[] arguments)
    {
        if (arguments is not ["index-writer", var folder, var first]) return 2;
        using var index = new DocumentIndex(folder, Width, true);
        for (var next = int.Parse(first); ; next += InAWrite)
        {
            index.Put([.. Enumerable.Range(next, InAWrite).Select(Document)]);
            Console.WriteLine(next + InAWrite);
            Console.Out.Flush();
        }
    }

    public static IndexedDocument Document(int number) => new($"{number}", "1", [.. Enumerable.Range(0, 2).Select(part => new IndexedChunk($"letter {number} {part}", "", Vector(number, part)))]);

    public static float[] Vector(int number, int part) => [number + part / 2f, number, part, 1];
}
