using PluginHost.Sdk;

namespace PluginHost.Serving.Jobs;

/// <summary>
/// Jobs and their events in a SQLite file: each change is on the disk when the call returns, and one change is whole or not there. One server at a time has it.
/// Safe for concurrent use.
/// </summary>
public sealed class JobStore : IDisposable
{
    private const string Columns = "number, id, model, file, run, status, created, finished, error, hyperparameters";

    private readonly SqliteFile database;
    private TaskCompletionSource changed = New();

    /// <summary>Opens the file, or makes it.</summary>
    /// <exception cref="UserErrorException">Another server has it, or it is damaged or no such file; it is left as it is.</exception>
    public JobStore(string file) : this(file, 0)
    {
    }

    /// <param name="file">The file.</param>
    /// <param name="mostPages">Most pages of 4 KB that it may grow to, as on a small disk; 0: what the disk has.</param>
    internal JobStore(string file, int mostPages) =>
        database = new SqliteFile(file, "jobs", "give this one a file of its own (server.jobs)", """
            CREATE TABLE IF NOT EXISTS jobs (number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, model TEXT NOT NULL, file TEXT NOT NULL, run TEXT NOT NULL,
              status INTEGER NOT NULL, created INTEGER NOT NULL, finished INTEGER, error TEXT, hyperparameters TEXT NOT NULL);
            CREATE TABLE IF NOT EXISTS events (number INTEGER PRIMARY KEY AUTOINCREMENT, job TEXT NOT NULL REFERENCES jobs (id), level TEXT NOT NULL, message TEXT NOT NULL, created INTEGER NOT NULL);
            CREATE INDEX IF NOT EXISTS eventsOfJobs ON events (job, number);
            """, mostPages);

    /// <summary>Completes with the next change of any job. Ask for it first, then look at the jobs: nothing is missed in between.</summary>
    public Task Changed => Volatile.Read(ref changed).Task;

    /// <summary>Adds a job, queued.</summary>
    public TrainingJob Add(string id, string model, string file, string run, string hyperparameters, DateTimeOffset now)
    {
        var job = database.Whole(() =>
        {
            database.Execute("INSERT INTO jobs (id, model, file, run, status, created, hyperparameters) VALUES ($id, $model, $file, $run, 0, $created, $hyperparameters)",
                ("$id", id), ("$model", model), ("$file", file), ("$run", run), ("$created", now.ToUnixTimeMilliseconds()), ("$hyperparameters", hyperparameters));
            AddEvent(id, "info", $"queued; its run is {Path.GetFileName(run)}", now);
            return Find(id)!;
        });
        Tell();
        return job;
    }

    /// <summary>A job, or null.</summary>
    public TrainingJob? Find(string id) => Jobs($"SELECT {Columns} FROM jobs WHERE id = $id", ("$id", id)).FirstOrDefault();

    /// <summary>Jobs from the newest on.</summary>
    /// <param name="before">Only those that are older than this one; null: all.</param>
    /// <param name="limit">At most so many.</param>
    public IReadOnlyList<TrainingJob> List(long? before, int limit) =>
        Jobs($"SELECT {Columns} FROM jobs WHERE number < $before ORDER BY number DESC LIMIT $limit", ("$before", before ?? long.MaxValue), ("$limit", limit));

    /// <summary>The job that is to train next: one that was training when the server ended, else the one that has waited longest.</summary>
    public TrainingJob? Next() => Jobs($"SELECT {Columns} FROM jobs WHERE status IN (0, 1) ORDER BY status DESC, number LIMIT 1").FirstOrDefault();

    /// <summary>Changes where a job stands, if it stands where the caller thinks.</summary>
    /// <param name="id">The job.</param>
    /// <param name="from">Where it may stand.</param>
    /// <param name="to">Where it is to stand.</param>
    /// <param name="message">What to say about it.</param>
    /// <param name="now">When.</param>
    /// <param name="error">Why it failed; null: it has not.</param>
    /// <returns>Whether it stood there.</returns>
    public bool Change(string id, IReadOnlyList<JobStatus> from, JobStatus to, string message, DateTimeOffset now, string? error = null)
    {
        var ended = to is JobStatus.Succeeded or JobStatus.Failed or JobStatus.Cancelled;
        var changed = database.Whole(() =>
        {
            var moved = database.Execute($"UPDATE jobs SET status = $to, finished = $finished, error = $error WHERE id = $id AND status IN ({string.Join(',', from.Select(status => (int)status))})",
                ("$to", (int)to), ("$finished", ended ? now.ToUnixTimeMilliseconds() : null), ("$error", error), ("$id", id));
            if (moved > 0) AddEvent(id, to == JobStatus.Failed ? "error" : "info", message, now);
            return moved > 0;
        });
        if (changed) Tell();
        return changed;
    }

    /// <summary>Notes something that happened.</summary>
    public void Say(string id, string message, DateTimeOffset now)
    {
        AddEvent(id, "info", message, now);
        Tell();
    }

    /// <summary>Events of a job, in order.</summary>
    /// <param name="id">The job.</param>
    /// <param name="after">Only later ones; 0: all.</param>
    /// <param name="limit">At most so many.</param>
    public IReadOnlyList<JobEvent> Events(string id, long after, int limit) => database.Read(
        "SELECT number, level, message, created FROM events WHERE job = $id AND number > $after ORDER BY number LIMIT $limit",
        row => new JobEvent(row.GetInt64(0), row.GetString(1), row.GetString(2), DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(3))), ("$id", id), ("$after", after), ("$limit", limit));

    public void Dispose() => database.Dispose();

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private void Tell() => Interlocked.Exchange(ref changed, New()).SetResult();

    private void AddEvent(string id, string level, string message, DateTimeOffset now) => database.Execute(
        "INSERT INTO events (job, level, message, created) VALUES ($job, $level, $message, $created)", ("$job", id), ("$level", level), ("$message", message), ("$created", now.ToUnixTimeMilliseconds()));

    private IReadOnlyList<TrainingJob> Jobs(string sql, params (string Name, object? Value)[] values) => database.Read(sql, row =>
        new TrainingJob(row.GetInt64(0), row.GetString(1), row.GetString(2), row.GetString(3), row.GetString(4), (JobStatus)row.GetInt32(5), DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(6)))
        {
            Finished = row.IsDBNull(7) ? null : DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(7)),
            Error = row.IsDBNull(8) ? null : row.GetString(8),
            Hyperparameters = row.GetString(9),
        }, values);
}
