using PluginHost.Sdk;

namespace PluginHost.Data.Tests;

public class BatchTests
{
    private static Batch Collate(params Sample[] samples) => Make.Dataset(new ListSource()).CollateTurns(samples, [], 1, 0);

    [Fact]
    public void Pictures_BecomePlanesFrom0To1()
    {
        using var batch = Collate(Make.Sample("1"), Make.Sample("2") with { Image = null });
        Assert.Equal([2L, 3, 8, 8], batch.Image!.Data.shape);
        Assert.Equal([1f, 0f, 0.2f], Enumerable.Range(0, 3).Select(plane => batch.Image.Data[0, plane, 3, 4].item<float>()));
        Assert.Equal(0f, batch.Image.Data[1].abs().max().item<float>());
        Assert.Equal([true, false], batch.Image.Mask.data<bool>().ToArray());
    }

    [Fact]
    public void Picture_KeepsItsRowsAndColumns()
    {
        var picture = Make.Picture(0, 0, 0);
        picture.Rgb[3 * (8 * 2 + 5) + 1] = 255; // green at row 2, column 5
        using var batch = Collate(Make.Sample("1") with { Image = picture });
        Assert.Equal(1f, batch.Image!.Data[0, 1, 2, 5].item<float>());
        Assert.Equal(1f, batch.Image.Data.sum().item<float>());
    }

    [Fact]
    public void Sounds_ArePaddedAndCut_UnderTheirMask()
    {
        using var batch = Collate(Make.Sample("1") with { Audio = Make.Sound(50) }, Make.Sample("2") with { Audio = Make.Sound(999) }, Make.Sample("3"));
        Assert.Equal([3L, 200], batch.Audio!.Data.shape);
        Assert.Equal([50L, 200, 0], batch.Audio.Mask.sum(1).data<long>().ToArray());
        Assert.Equal(0.5f, batch.Audio.Data[0, 49].item<float>());
        Assert.Equal(0f, batch.Audio.Data[0, 50].item<float>());
    }

    [Fact]
    public void Blank_TakesOneModalityAway_AndOutlivesItsOriginal()
    {
        var batch = Collate(Make.Sample("1") with { Audio = Make.Sound() });
        using var blank = batch.Blank("image");
        batch.Dispose();
        Assert.Equal(0f, blank.Image!.Data.abs().sum().item<float>());
        Assert.False(blank.Image.Mask.any().item<bool>());
        Assert.Equal(100f, blank.Audio!.Data.sum().item<float>(), 0.01f);
        Assert.True(blank.Audio.Mask.all().item<bool>());
        Assert.Equal(1, blank.Text!.Ids[0, 0].item<long>());
        Assert.Equal(1, blank.Caption!.Ids[0, 0].item<long>());
    }

    [Fact]
    public void Tensors_OutliveTheScopeTheyWereMadeIn_UntilDisposed()
    {
        Batch batch;
        using (TorchSharp.torch.NewDisposeScope()) batch = Collate(Make.Sample("1"));
        Assert.Equal(1, batch.Text!.Ids[0, 0].item<long>());
        batch.Dispose();
        Assert.True(batch.Text.Ids.IsInvalid);
        Assert.True(batch.Text.Weights.IsInvalid);
        Assert.True(batch.Image!.Mask.IsInvalid);
    }

    [Fact]
    public void ModalitiesThatTheGraphDoesNotUse_AreNeitherDecodedNorCollated()
    {
        var decoder = new FakeDecoder(_ => Make.Sound());
        var source = new ListSource(Make.Sample("1") with { Audio = new MediaFile("/a.ogg") });
        using var data = new Dataset(Make.Config, source, [new MediaPlugin("media.fake", ["*"], decoder)], new RejectionLog(), TorchSharp.torch.CPU)
        {
            Modalities = ["image"],
            Tokenizer = new ByteTokenizer(),
        };
        var sample = Assert.Single(data.Load("train", 0, []));
        using var batch = data.CollateTurns([sample], [], 1, 0);
        Assert.Null(batch.Audio);
        Assert.DoesNotContain(5L, batch.Text!.Ids.data<long>().ToArray());
        Assert.Empty(decoder.Asked);
    }

    [Fact]
    public void ProjectWithoutTokenizer_HasNoText()
    {
        using var data = new Dataset(Make.Config, new ListSource(), [], new RejectionLog(), TorchSharp.torch.CPU);
        using var batch = data.CollateTurns([Make.Sample("1")], [], 1, 0);
        Assert.Null(batch.Text);
        Assert.Null(batch.Caption);
        Assert.Contains("data.tokenizer", Assert.Throws<InvalidOperationException>(() => data.EncodePrompt(Make.Sample("1"), "?")).Message);
    }
}
