namespace PluginHost.Config.Tests;

public sealed class PluginSampleTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("pluginhost-sample-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private PluginSample Read(string json)
    {
        File.WriteAllText(Path.Combine(folder, PluginSample.FileName), json);
        return PluginSample.Read(folder);
    }

    [Fact]
    public void Read_WithoutAFile_IsTheStandard()
    {
        var sample = PluginSample.Read(folder);

        Assert.Null(sample.Settings);
        Assert.Equal(32, sample.Dimensions["D"]);
        Assert.Equal(["image", "audio"], sample.Inputs.Keys);
    }

    [Fact]
    public void Read_Keys_ReplaceTheStandardOneByOne()
    {
        var sample = Read("""{ "settings": { "every": 2 }, "variants": [{}], "dimensions": { "D": 8 }, "inputs": { "depth": { "N_i": 4, "D_i": 6 } }, "files": ["sample/a.png"] }""");

        Assert.Equal("2", sample.Settings!.Find("every")!.Text);
        Assert.Single(sample.Variants);
        Assert.Equal((8, 3), (sample.Dimensions["D"], sample.Dimensions["L"]));
        Assert.Equal(6, Assert.Single(sample.Inputs).Value["D_i"]);
        Assert.Equal(Path.Combine(folder, "sample", "a.png"), Assert.Single(sample.Files));
    }

    [Fact]
    public void Read_Mistakes_AreAllNamedWithTheirPlace()
    {
        var error = Assert.Throws<ConfigException>(() => Read("""{ "setings": {}, "dimensions": { "D": 0 } }"""));

        Assert.Equal(
            [
                "sample.json(1,39): $.dimensions.D: 'D' is a whole number from 1, not 0",
                "sample.json(1,3): $.setings: unknown key 'setings' of a sample; did you mean 'settings'?",
            ], error.Errors.Select(item => item.ToString()));
    }
}
