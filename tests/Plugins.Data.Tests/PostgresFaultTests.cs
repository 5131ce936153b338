using System.Net;
using System.Net.Sockets;
using Index.Postgres;
using Npgsql;
using PluginHost.Sdk;

namespace Plugins.Data.Tests;

/// <summary>The plugin beside a server that is missing, refuses, or is killed. Words alone: the machine's own server need not have pgvector.</summary>
public sealed class PostgresFaultTests : IDisposable
{
    private const string PasswordVariable = "PLUGINHOST_TEST_PASSWORD";
    private const int Kills = 5;

    private readonly string folder = Directory.CreateTempSubdirectory("postgres-index").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Open_WrongSettings_SaysWhichAndKeepsThePassword()
    {
        const string Variable = "PLUGINHOST_TEST_CONNECTION";
        var options = new PostgresOptions(ConnectionVariable: Variable);
        Environment.SetEnvironmentVariable(Variable, null);
        Assert.Contains($"the environment variable {Variable}, which 'connectionVariable' names, is not set", Refusal(options), StringComparison.Ordinal);
        foreach (var bad in new[] { "Host=a;Pasword=secret", "secret", "Host=a;Port=secret", "Password=secret" })
        {
            Environment.SetEnvironmentVariable(Variable, bad);
            var message = Refusal(options);
            Assert.Contains("has no connection string", message, StringComparison.Ordinal);
            Assert.DoesNotContain("secret", message, StringComparison.Ordinal);
        }
        Assert.Contains("'prefix'", Refusal(new(Prefix: "Robert'); DROP SCHEMA")), StringComparison.Ordinal);
        Assert.Contains("'efConstruction' (64) is at least twice 'm' (40)", Refusal(new(M: 40)), StringComparison.Ordinal);
        Assert.Contains("'language'", Refusal(new(Language: "english; DROP")), StringComparison.Ordinal);
        Assert.Contains("set 'exact' to true", Refusal(new(), 2001), StringComparison.Ordinal);
        Assert.Contains("16000", Refusal(new(Exact: true), 16001), StringComparison.Ordinal);
        File.WriteAllText(Path.Combine(folder, IndexName.File), "a\"; DROP");
        Assert.Contains("is damaged", Refusal(new()), StringComparison.Ordinal);
    }

    [SkippableFact]
    public void Open_ServerDownOrRefusing_SaysWhatToDo()
    {
        PostgresOptions options;
        using (var server = new PostgresServer())
        {
            options = Options(server);
            Environment.SetEnvironmentVariable(PasswordVariable, "wrong");
            Assert.Contains($"put the password of 'owner' into the environment variable {PasswordVariable}", Refusal(options), StringComparison.Ordinal);
            Environment.SetEnvironmentVariable(PasswordVariable, null);
            Assert.Contains(PasswordVariable, Refusal(options), StringComparison.Ordinal);
            Environment.SetEnvironmentVariable(PasswordVariable, PostgresServer.Password);
            Assert.Contains("createdb", Refusal(options with { Database = "none" }), StringComparison.Ordinal);
        }
        Assert.Contains($"127.0.0.1:{options.Port}/postgres", Refusal(options), StringComparison.Ordinal);
        Assert.Contains("start the server", Refusal(options), StringComparison.Ordinal);
    }

    [Fact]
    public void Open_ServerThatSaysNothing_GivesUp()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();

        var message = Refusal(new(Host: "127.0.0.1", Port: ((IPEndPoint)silent.LocalEndpoint).Port, ConnectSeconds: 1));
        Assert.Contains("no answer in time", message, StringComparison.Ordinal);
    }

    [SkippableFact]
    public void Put_StatementThatDoesNotEnd_GivesUpAndLeavesNothing()
    {
        using var server = new PostgresServer();
        using var index = DocumentIndex.Open(Options(server) with { StatementSeconds = 1 }, folder, 0);
        using (var other = new NpgsqlConnection($"Host=127.0.0.1;Port={server.Port};Database=postgres;Username=owner;Password={PostgresServer.Password}"))
        {
            other.Open();
            using var transaction = other.BeginTransaction();
            Sql.Run(other, $"LOCK TABLE \"{IndexName.Of(folder, "pluginhost")}\".state");
            Assert.Contains("'statementSeconds' (1)", Assert.ThrowsAny<IOException>(() => index.Put([Document(1)])).Message, StringComparison.Ordinal);
        }
        Assert.Equal(0, index.Chunks);
        index.Put([Document(1)]);
        Assert.Equal(2, index.Chunks);
    }

    [SkippableFact]
    public void Search_ByManyBesideWrites_SeesWholeWrites()
    {
        using var server = new PostgresServer();
        using var index = DocumentIndex.Open(Options(server), folder, 0);
        using var done = new CancellationTokenSource();
        var searches = 0;
        Task[] searching = [.. Enumerable.Range(0, 8).Select(_ => Task.Factory.StartNew(
            () =>
            {
                while (!done.IsCancellationRequested)
                {
                    Assert.All(index.SearchText("letter", 1000).GroupBy(found => found.Document), chunks => Assert.Equal(2, chunks.Count()));
                    Interlocked.Increment(ref searches);
                }
            }, TaskCreationOptions.LongRunning))];
        Task[] writing = [.. Enumerable.Range(0, 3).Select(writer => Task.Factory.StartNew(
            () =>
            {
                for (var round = 0; round < 10; round++)
                {
                    index.Put([.. Enumerable.Range(10 * writer, 10).Select(Document)]);
                    index.Delete([$"{10 * writer + round}"]);
                }
            }, TaskCreationOptions.LongRunning))];
        Task.WaitAll(writing);
        done.Cancel();
        Task.WaitAll(searching);

        Assert.True(searches > 8);
        Assert.Equal((27, 54), (index.Documents.Count, index.Chunks));
    }

    [SkippableFact]
    public void Open_ServerWithoutPgvector_SaysHowToGetIt()
    {
        using var server = new PostgresServer();
        Skip.If(server.HasVectors, "needs a PostgreSQL server without pgvector");

        Assert.Contains("CREATE EXTENSION vector", Refusal(Options(server), 4), StringComparison.Ordinal);
        DocumentIndex.Open(Options(server), folder, 0).Dispose();
    }

    [SkippableFact]
    public void Search_ConnectionLostAndBack_FindsAgain()
    {
        using var server = new PostgresServer();
        using var index = DocumentIndex.Open(Options(server), folder, 0);
        index.Put([Document(1)]);

        server.Kill();
        Assert.Contains("start the server", Assert.ThrowsAny<IOException>(() => index.SearchText("letter", 5)).Message, StringComparison.Ordinal);
        Assert.ThrowsAny<IOException>(() => index.Put([Document(2)]));
        server.Start();
        Assert.Equal(2, index.SearchText("letter", 5).Count);
        // What the pool still holds is lost once more; a write that has not begun begins anew.
        server.Kill();
        server.Start();
        index.Put([Document(3)]);
        Assert.Equal(["1", "3"], index.Documents.Keys.Order());
    }

    /// <summary>The server is killed in the middle of writes, five times over.</summary>
    [SkippableFact]
    public void Put_ServerKilledMidWrite_KeepsWhatWasAcknowledgedAndNothingElse()
    {
        using var server = new PostgresServer();
        using var index = DocumentIndex.Open(Options(server), folder, 0);
        var random = new Random(3);
        var next = 0;
        for (var kill = 0; kill < Kills; kill++)
        {
            var told = next;
            var writer = new Thread(() =>
            {
                try
                {
                    while (true)
                    {
                        index.Put([.. Enumerable.Range(told, IndexWriter.InAWrite).Select(Document)]);
                        Volatile.Write(ref told, told + IndexWriter.InAWrite);
                    }
                }
                catch (IOException)
                {
                    // The server is gone.
                }
            });
            writer.Start();
            var goal = next + IndexWriter.InAWrite * random.Next(1, 12);
            Assert.True(SpinWait.SpinUntil(() => Volatile.Read(ref told) >= goal, TimeSpan.FromMinutes(2)), "nothing was written before the kill");
            server.Kill();
            writer.Join();
            server.Start();
            // The write that was under way may have been done without having been told of, whole.
            var there = index.Documents.Keys.Select(int.Parse).Order().ToArray();
            Assert.Equal(Enumerable.Range(0, there.Length), there);
            Assert.InRange(there.Length, told, told + IndexWriter.InAWrite);
            Assert.Equal(0, there.Length % IndexWriter.InAWrite);
            Assert.Equal(there.Length * 2, index.Chunks);
            Assert.Equal(there.Length * 2, index.SearchText("letter", int.MaxValue).Count);
            next = there.Length;
        }
    }

    private static PostgresOptions Options(PostgresServer server)
    {
        Environment.SetEnvironmentVariable(PasswordVariable, PostgresServer.Password);
        return new(Host: "127.0.0.1", Port: server.Port, Database: "postgres", User: "owner", PasswordVariable: PasswordVariable);
    }

    private static IndexedDocument Document(int number)
    {
        var document = IndexWriter.Document(number);
        return document with { Chunks = [.. document.Chunks.Select(chunk => chunk with { Vector = default })] };
    }

    private string Refusal(PostgresOptions options, int width = 0) => Assert.Throws<UserErrorException>(() => DocumentIndex.Open(options, folder, width)).Message;
}
