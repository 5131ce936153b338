using Filter.SafetyImage;
using PluginHost.Planted;
using PluginHost.Sdk;

namespace Plugins.Data.Tests;

public sealed class SafetyImageTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    private static string Sample(string name) => Path.Combine(AppContext.BaseDirectory, "SafetyImage", name);

    private void Copy(Func<string, string>? model = null, Func<string, string>? weights = null)
    {
        folder.Write("model.min.js", (model ?? (text => text))(File.ReadAllText(Sample("model.min.js"))));
        folder.Write("group1-shard1of1.min.js", (weights ?? (text => text))(File.ReadAllText(Sample("group1-shard1of1.min.js"))));
    }

    private string Refusal() => Assert.Throws<UserErrorException>(() => new SafetyImageFilter(new SafetyImageOptions(folder.Path)).Open(Surroundings.Filter())).Message;

    [SkippableFact]
    public void Network_PublishedWeights_SayWhatTheyDoInTheirOwnRuntime()
    {
        var model = PublishedModel.Read(Path.Combine(NpmPackages.Folder("nsfwjs", "4.4.0"), "dist", "models", "mobilenet_v2"));
        using var network = new MobileNetV2(model, TorchSharp.torch.CPU);
        foreach (var (picture, published) in DrawnPictures.All.Zip(DrawnPictures.Published))
            Assert.All(network.Probabilities(picture).Zip(published), pair => Assert.Equal(pair.Second, pair.First, 1e-3f));
    }

    [SkippableFact]
    public void Decision_OverItsBound_NamesTheClassAndAllScores()
    {
        var path = Path.Combine(NpmPackages.Folder("nsfwjs", "4.4.0"), "dist", "models", "mobilenet_v2");
        var sample = new Sample("a") { Image = DrawnPictures.All[0] };
        FilterDecision Decide(SafetyImageOptions options)
        {
            using var filter = new SafetyImageFilter(options).Open(Surroundings.Filter());
            return filter.Decide(sample);
        }
        var kept = Decide(new SafetyImageOptions(path));
        Assert.True(kept.Keep);
        Assert.StartsWith("kept: drawing 0.11, hentai 0.04, neutral 0.81, porn 0.04, sexy 0.00", kept.Reason, StringComparison.Ordinal);
        var dropped = Decide(new SafetyImageOptions(path, Porn: 0.02));
        Assert.False(dropped.Keep);
        Assert.Equal((0.042, 0.02), (Math.Round(dropped.Score, 3), dropped.Threshold));
        Assert.StartsWith("picture is porn: drawing 0.11", dropped.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Decision_WithoutAPicture_Keeps()
    {
        Copy();
        using var filter = new SafetyImageFilter(new SafetyImageOptions(folder.Path)).Open(Surroundings.Filter());
        Assert.Equal("no picture", filter.Decide(new Sample("a")).Reason);
    }

    [Fact]
    public void Model_Missing_SaysHowToInstallIt()
    {
        var error = Assert.Throws<UserErrorException>(() => new SafetyImageFilter(new SafetyImageOptions("nowhere")).Open(Surroundings.Filter(folder.Path)));
        Assert.Contains($"there is no model '{Path.Combine(folder.Path, "nowhere")}'; install it beside the project file with: npm install nsfwjs@4.4.0", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Model_WithAnotherNumberOfWeights_IsRefused()
    {
        Copy(weights: text => text.Replace("exports=\"", "exports=\"AAAA", StringComparison.Ordinal));
        Assert.Contains("holds another number of weights than the 1,091 of the manifest", Refusal(), StringComparison.Ordinal);
    }

    [Fact]
    public void Model_ThatIsLargerThanItsManifest_IsRefusedUnread()
    {
        Copy(weights: text => text + new string(' ', 20_000));
        Assert.Contains("where at most", Refusal(), StringComparison.Ordinal);
    }

    [Fact]
    public void Model_ThatStatesAnEnormousShape_IsRefusedBeforeAllocating()
    {
        Copy(model: text => text.Replace("shape:[3,3,3,2]", "shape:[3,3,3000000,2000000]", StringComparison.Ordinal));
        Assert.Contains("'Conv1/kernel' is [3, 3, 3000000, 2000000]", Refusal(), StringComparison.Ordinal);
    }

    [Fact]
    public void Model_WithoutAWeight_NamesIt()
    {
        Copy(model: text => text.Replace("block_7_expand/kernel", "block_7_other/kernel", StringComparison.Ordinal));
        Assert.Contains("has no weight 'block_7_expand/kernel'", Refusal(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{a:1", "ends too soon")]
    [InlineData("{a:f()}", "a value is expected")]
    [InlineData("{a:[1 2]}", "',' or ']' is expected")]
    [InlineData("{a:1,a:2}", "'a' is there twice")]
    public void Script_ThatIsNoPlainValue_IsRefused(string text, string reason) =>
        Assert.Contains(reason, Assert.Throws<FormatException>(() => ScriptLiteral.Read("x.exports=" + text, ".exports=")).Message, StringComparison.Ordinal);

    [Fact]
    public void Script_NestedDeeply_IsRefused() =>
        Assert.Contains("nested too deeply", Assert.Throws<FormatException>(() => ScriptLiteral.Read(".exports={a:" + new string('[', 100_000), ".exports=")).Message, StringComparison.Ordinal);

    [Fact]
    public void Script_AsMinifiersWriteIt_IsRead() =>
        Assert.Equal("""{"a":0.5,"b":true,"c":[-0.25,null,"x"]}""", ScriptLiteral.Read("!function(){m.exports={a:.5,b:!0,\"c\":[-.25,null,\"x\"]}}()", ".exports=").ToJsonString());
}
