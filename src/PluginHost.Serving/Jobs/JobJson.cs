using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using PluginHost.Serving.Http;

namespace PluginHost.Serving.Jobs;

/// <summary>Jobs, their events and checkpoints as OpenAI's JSON.</summary>
internal static class JobJson
{
    /// <summary>Answers with a page of a list.</summary>
    /// <param name="context">The request.</param>
    /// <param name="items">What is on the page, and one more where there is a next page.</param>
    /// <param name="limit">Most items of a page.</param>
    /// <param name="write">Writes one.</param>
    public static Task ListAsync<T>(HttpContext context, IReadOnlyList<T> items, int limit, Action<Utf8JsonWriter, T> write) => ApiJson.WriteAsync(context, writer =>
    {
        writer.WriteStartObject();
        writer.WriteString("object", "list");
        writer.WriteStartArray("data");
        foreach (var item in items.Take(limit)) write(writer, item);
        writer.WriteEndArray();
        writer.WriteBoolean("has_more", items.Count > limit);
        writer.WriteEndObject();
    });

    /// <summary><c>fine_tuning.job</c>.</summary>
    public static void Job(Utf8JsonWriter writer, TrainingJob job)
    {
        writer.WriteStartObject();
        writer.WriteString("object", "fine_tuning.job");
        writer.WriteString("id", job.Id);
        writer.WriteString("model", job.Model);
        writer.WriteString("training_file", job.File);
        writer.WriteNull("validation_file");
        writer.WriteString("status", NameOf(job.Status));
        writer.WriteNumber("created_at", job.Created.ToUnixTimeSeconds());
        if (job.Finished is { } finished) writer.WriteNumber("finished_at", finished.ToUnixTimeSeconds());
        else writer.WriteNull("finished_at");
        writer.WriteString("fine_tuned_model", job.Status == JobStatus.Succeeded ? Path.GetFileName(job.Run) : null);
        writer.WriteString("run", Path.GetFileName(job.Run));
        writer.WritePropertyName("hyperparameters");
        writer.WriteRawValue(job.Hyperparameters);
        writer.WriteString("organization_id", "");
        writer.WriteStartArray("result_files");
        writer.WriteEndArray();
        writer.WriteNull("trained_tokens");
        if (job.Error is { } error)
        {
            writer.WriteStartObject("error");
            writer.WriteString("code", "training_failed");
            writer.WriteString("message", error);
            writer.WriteNull("param");
            writer.WriteEndObject();
        }
        else writer.WriteNull("error");
        writer.WriteEndObject();
    }

    /// <summary><c>fine_tuning.job.event</c>.</summary>
    public static void Event(Utf8JsonWriter writer, JobEvent item)
    {
        writer.WriteStartObject();
        writer.WriteString("object", "fine_tuning.job.event");
        writer.WriteString("id", item.Number.ToString(CultureInfo.InvariantCulture));
        writer.WriteNumber("created_at", item.Created.ToUnixTimeSeconds());
        writer.WriteString("level", item.Level);
        writer.WriteString("message", item.Message);
        writer.WriteString("type", "message");
        writer.WriteEndObject();
    }

    /// <summary><c>fine_tuning.job.checkpoint</c> of a file <c>STAGE-STEP.safetensors</c> or <c>STAGE-STEP-best.safetensors</c>.</summary>
    public static void Checkpoint(Utf8JsonWriter writer, TrainingJob job, string file)
    {
        var name = Path.GetFileNameWithoutExtension(file);
        writer.WriteStartObject();
        writer.WriteString("object", "fine_tuning.job.checkpoint");
        writer.WriteString("id", name);
        writer.WriteNumber("created_at", new DateTimeOffset(File.GetLastWriteTimeUtc(file)).ToUnixTimeSeconds());
        writer.WriteString("fine_tuning_job_id", job.Id);
        writer.WriteString("fine_tuned_model_checkpoint", $"{Path.GetFileName(job.Run)}/{name}");
        if (name.Split('-') is [_, var step, ..] && int.TryParse(step, NumberStyles.None, CultureInfo.InvariantCulture, out var number)) writer.WriteNumber("step_number", number);
        writer.WriteStartObject("metrics");
        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    /// <summary>A state's name.</summary>
    public static string NameOf(JobStatus status) => status switch
    {
        JobStatus.Queued => "queued",
        JobStatus.Running => "running",
        JobStatus.Paused => "paused",
        JobStatus.Succeeded => "succeeded",
        JobStatus.Failed => "failed",
        _ => "cancelled",
    };
}
