namespace PluginHost.Runs.Tests.Training;

[Collection("torch")]
public class NonFiniteSearchTests
{
    private static string Message(string image, string mixed, string objective)
    {
        using var run = new SmallRun(
            $$"""{ "image": { "use": "encoder.small", "in": { "pixels": "sample.image" }, "settings": { {{image}} } }, "mixed": { "use": "mixer.small", "in": { "vector": "image.pooled" }, "settings": { {{mixed}} } } }""",
            $$"""{ "name": "one", "steps": 2, "batch": 2, "objectives": { "near": { "use": "objective.square", "in": { "vector": "mixed.mixed" }, "settings": { {{objective}} } } } }""");
        return Assert.Throws<RunFailedException>(() => run.Train()).Message.Replace($" {run.Version})", " VERSION)", StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"badOutput\": true", "", "", "The first to blame is 'image' (encoder.small VERSION): its output 'tokens' [2,1,4] has 8 values that are infinite, from finite inputs.")]
    [InlineData("", "\"badOutput\": true", "", "The first to blame is 'mixed' (mixer.small VERSION): its output 'mixed' [2,4] has 8 values that are infinite, from finite inputs.")]
    [InlineData("", "", "\"badLoss\": true", "The first to blame is the objective 'near' (objective.square VERSION): its loss is infinite, from finite inputs.")]
    [InlineData("\"badGradient\": true", "", "", "The first to blame is 'image' (encoder.small VERSION): its gradient of 'image.map.weight' [4,3] has 12 values that are NaN")]
    [InlineData("", "\"badGradient\": true", "", "The first to blame is 'mixed' (mixer.small VERSION): its gradient of its input 'vector' [2,4] has 8 values that are NaN")]
    [InlineData("\"badGradient\": true", "\"badGradient\": true", "", "The first to blame is 'mixed'")]
    public void Run_OneIsNotFinite_NamesNodePluginAndTensor(string image, string mixed, string objective, string expected)
    {
        var message = Message(image, mixed, objective);
        Assert.StartsWith("Stage 'one', step 1: ", message, StringComparison.Ordinal);
        Assert.Contains(expected, message, StringComparison.Ordinal);
        Assert.Contains("Samples: train-", message, StringComparison.Ordinal);
    }
}
