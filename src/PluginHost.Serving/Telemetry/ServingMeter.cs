using System.Diagnostics;
using System.Diagnostics.Metrics;
using PluginHost.Serving.Models;

namespace PluginHost.Serving.Telemetry;

/// <summary>
/// Instruments of serving, named as OpenTelemetry's conventions for generative AI have them (<c>gen_ai.*</c>). Buckets fit what a CPU and a GPU do: a token may take half a millisecond.
/// </summary>
internal sealed class ServingMeter : IDisposable
{
    /// <summary>Name of the meter and of the source of traces.</summary>
    public const string Name = "PluginHost.Serving";

    private static readonly double[] FirstToken = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
    private static readonly double[] EachToken = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1];
    private static readonly double[] Whole = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92];
    private static readonly double[] Counts = [1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576];

    private readonly Meter meter = new(Name);
    private readonly ActivitySource traces = new(Name);
    private readonly Histogram<double> firstToken;
    private readonly Histogram<double> eachToken;
    private readonly Histogram<double> duration;
    private readonly Histogram<double> tokens;

    public ServingMeter(ModelDirectory models, ServingState state)
    {
        Histogram<double> Histogram(string name, string unit, string description, double[] bounds) => meter.CreateHistogram(name, unit, description, null, new InstrumentAdvice<double> { HistogramBucketBoundaries = bounds });
        firstToken = Histogram("gen_ai.server.time_to_first_token", "s", "Time to the first token of an answer", FirstToken);
        eachToken = Histogram("gen_ai.server.time_per_output_token", "s", "Time of each token after the first", EachToken);
        duration = Histogram("gen_ai.server.request.duration", "s", "Time of a whole answer", Whole);
        tokens = Histogram("gen_ai.client.token.usage", "{token}", "Tokens of prompts and answers", Counts);
        meter.CreateObservableGauge("pluginhost.requests.open", () => state.Open, "{request}", "Requests under way");
        meter.CreateObservableGauge("pluginhost.slots.running", () => Each(models, model => model.Figures?.Running), "{request}", "Answers that have a slot");
        meter.CreateObservableGauge("pluginhost.slots.waiting", () => Each(models, model => model.Figures?.Waiting), "{request}", "Answers that wait for a slot");
        meter.CreateObservableCounter("pluginhost.prompt.tokens", () => Each(models, model => model.Figures?.PromptTokens), "{token}", "Tokens of prompts that were read");
        meter.CreateObservableCounter("pluginhost.prompt.reused_tokens", () => Each(models, model => model.Figures?.ReusedTokens), "{token}", "Tokens of prompts that a slot still held");
        meter.CreateObservableGauge("process.memory.usage", () => Environment.WorkingSet, "By", "Resident memory");
    }

    /// <summary>Begins to measure an answer.</summary>
    /// <param name="operation"><c>chat</c> or <c>text_completion</c>.</param>
    /// <param name="model">The model's id.</param>
    public AnswerMeasure Begin(string operation, string model) => new(this, operation, model);

    public void Dispose()
    {
        meter.Dispose();
        traces.Dispose();
    }

    private static IEnumerable<Measurement<long>> Each(ModelDirectory models, Func<IServedModel, long?> of) =>
        models.All.Select(model => (model.Id, Value: of(model))).Where(item => item.Value is not null).Select(item => new Measurement<long>(item.Value!.Value, new KeyValuePair<string, object?>("gen_ai.request.model", item.Id)));

    /// <summary>An answer's clock.</summary>
    internal sealed class AnswerMeasure : IDisposable
    {
        private readonly ServingMeter owner;
        private readonly Activity? trace;
        private readonly long began = Stopwatch.GetTimestamp();
        private TagList tags;
        private TimeSpan first;

        public AnswerMeasure(ServingMeter owner, string operation, string model)
        {
            this.owner = owner;
            tags = new TagList { { "gen_ai.operation.name", operation }, { "gen_ai.provider.name", "pluginhost" }, { "gen_ai.request.model", model } };
            trace = owner.traces.StartActivity($"{operation} {model}", ActivityKind.Server, default(ActivityContext), tags);
        }

        /// <summary>Something of the answer has come.</summary>
        public void Token()
        {
            if (first != default) return;
            first = Stopwatch.GetElapsedTime(began);
            owner.firstToken.Record(first.TotalSeconds, tags);
        }

        /// <summary>The answer has ended.</summary>
        public void End(long prompt, long answer)
        {
            Count("input", prompt);
            Count("output", answer);
            if (answer > 1 && first != default) owner.eachToken.Record((Stopwatch.GetElapsedTime(began) - first).TotalSeconds / (answer - 1), tags);
            trace?.SetTag("gen_ai.usage.input_tokens", prompt).SetTag("gen_ai.usage.output_tokens", answer);
        }

        /// <summary>The answer has failed.</summary>
        public void Fail(Exception error)
        {
            tags.Add("error.type", error.GetType().Name);
            trace?.SetStatus(ActivityStatusCode.Error).SetTag("error.type", error.GetType().Name);
        }

        public void Dispose()
        {
            owner.duration.Record(Stopwatch.GetElapsedTime(began).TotalSeconds, tags);
            trace?.Dispose();
        }

        private void Count(string type, long count)
        {
            var own = tags;
            own.Add("gen_ai.token.type", type);
            owner.tokens.Record(count, own);
        }
    }
}
