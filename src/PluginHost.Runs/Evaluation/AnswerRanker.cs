using PluginHost.Data;
using PluginHost.Graph;
using PluginHost.Runs.Inference;
using PluginHost.Sdk;

namespace PluginHost.Runs.Evaluation;

/// <summary>
/// Answers questions without a decoder: of the answers that training samples give to the question's task, the one that the graph's ranking
/// objective likes best.
/// </summary>
internal sealed class AnswerRanker
{
    /// <summary>Answers considered for a question, the most frequent of its task.</summary>
    private const int Considered = 100;

    /// <summary>Rows at a time, each as long as sixteen answers: more would take memory and no less time.</summary>
    private const int Rows = 16;

    private readonly Dataset data;
    private readonly CandidateScores scores;

    /// <exception cref="UserErrorException">The graph has nothing that ranks.</exception>
    public AnswerRanker(ExecutableGraph graph, Dataset data)
    {
        this.data = data;
        var ranking = graph.Ranking ?? throw new UserErrorException("The graph has neither a decoder nor an objective that reads 'sample.candidates', so there is nothing that could answer.");
        scores = new CandidateScores(graph, data, ranking);
    }

    /// <summary>Answers each question.</summary>
    /// <param name="asked">Samples and their questions; the right answers are not looked at.</param>
    /// <param name="blank">Modalities to be blanked: the blind control.</param>
    /// <param name="progress">Told the number of answers so far.</param>
    /// <param name="cancellation">Ends the ranking between batches.</param>
    /// <exception cref="UserErrorException">A task is in no training sample, so there are no answers to choose from.</exception>
    public string[] Answer(IReadOnlyList<(Sample Sample, Turn Turn)> asked, IReadOnlyList<string> blank, Action<int> progress, CancellationToken cancellation)
    {
        var best = new (string Answer, float Score)[asked.Count];
        Array.Fill(best, ("", float.NegativeInfinity));
        // Rows of like length share a batch.
        var rows = asked.SelectMany((row, index) => Candidates(row.Turn.Task).Chunk(CandidateScores.InRow).Select(answers => (index, row.Sample, row.Turn, answers)))
            .OrderByDescending(row => row.answers.Length).ThenBy(row => row.Turn.Prompt.Length).ToList();
        var done = 0;
        foreach (var chunk in rows.Chunk(Rows))
        {
            cancellation.ThrowIfCancellationRequested();
            var liked = scores.Of([.. chunk.Select(row => (row.Sample, row.Turn, (IReadOnlyList<string>)row.answers))], blank);
            var next = 0;
            foreach (var (index, _, _, answers) in chunk)
                foreach (var answer in answers)
                    // Of equals the more frequent answer, which comes first.
                    if (liked[next++] is var score && score > best[index].Score) best[index] = (answer, score);
            progress((int)((long)asked.Count * (done += chunk.Length) / rows.Count));
        }
        return [.. best.Select(item => item.Answer)];
    }

    private IEnumerable<string> Candidates(string task) => data.AnswersOf(task) is { Count: > 0 } answers
        ? answers.Take(Considered)
        : throw new UserErrorException($"No training sample that was looked at has a turn of the task '{task}', so there are no answers to rank; take it out of 'tasks' of the evaluation.");
}
