using PluginHost.Sdk.Testing;

namespace Plugins.Data.Tests;

public class ManifestSourceConformance : SourceConformance
{
    public override string Id => "source.manifest";
}

public class ScenesSourceConformance : SourceConformance
{
    public override string Id => "source.scenes";
}

public class MovingScenesSourceConformance : SourceConformance
{
    public override string Id => "source.moving-scenes";
}

public class ShardsSourceConformance : SourceConformance
{
    public override string Id => "source.shards";
}

public class StampsSourceConformance : SourceConformance
{
    public override string Id => "source.stamps";
}

public class AlignmentFilterConformance : FilterConformance
{
    public override string Id => "filter.alignment";
}

public class MediaFilterConformance : FilterConformance
{
    public override string Id => "filter.media";
}

public class NearDuplicateFilterConformance : FilterConformance
{
    public override string Id => "filter.near-duplicate";
}

public class ImageMediaConformance : MediaConformance
{
    public override string Id => "media.image";
}

public class WavMediaConformance : MediaConformance
{
    public override string Id => "media.wav";

    protected override string Modality => "audio";
}

public class VorbisMediaConformance : MediaConformance
{
    public override string Id => "media.vorbis";

    protected override string Modality => "audio";
}

public class SafetyImageFilterConformance : FilterConformance
{
    public override string Id => "filter.safety-image";
}

public class FfmpegMediaConformance : MediaConformance
{
    public override string Id => "media.ffmpeg";

    protected override string Modality => "audio";
}

public class FfmpegVideoConformance : FfmpegMediaConformance
{
    protected override string Modality => "video";

    protected override IEnumerable<string> Files => Plugin.Sample.Files.Where(file => file.EndsWith(".mp4", StringComparison.Ordinal));
}

public class ByteBpeTokenizerConformance : TokenizerConformance
{
    public override string Id => "tokenizer.byte-bpe";
}

public class LanguageFilterConformance : FilterConformance
{
    public override string Id => "filter.language";
}

public class SafetyTextFilterConformance : FilterConformance
{
    public override string Id => "filter.safety-text";
}

public class PerplexityFilterConformance : FilterConformance
{
    public override string Id => "filter.perplexity";
}

public class RotateTransformConformance : TransformConformance
{
    public override string Id => "transform.rotate";
}

public class CropTransformConformance : TransformConformance
{
    public override string Id => "transform.crop";
}

public class FlipTransformConformance : TransformConformance
{
    public override string Id => "transform.flip";
}

public class ColourTransformConformance : TransformConformance
{
    public override string Id => "transform.colour";
}

public class EraseTransformConformance : TransformConformance
{
    public override string Id => "transform.erase";
}

public class SynonymTransformConformance : TransformConformance
{
    public override string Id => "transform.synonym";
}

public class SentencePatternTransformConformance : TransformConformance
{
    public override string Id => "transform.sentence-pattern";
}

public class TokenDropoutTransformConformance : TransformConformance
{
    public override string Id => "transform.token-dropout";
}

public class NoiseTransformConformance : TransformConformance
{
    public override string Id => "transform.noise";
}

public class GainTransformConformance : TransformConformance
{
    public override string Id => "transform.gain";
}

public class ShiftTransformConformance : TransformConformance
{
    public override string Id => "transform.shift";
}

public class SpeedTransformConformance : TransformConformance
{
    public override string Id => "transform.speed";
}

public class SpecAugmentTransformConformance : TransformConformance
{
    public override string Id => "transform.spec-augment";
}

public class FrameDropTransformConformance : TransformConformance
{
    public override string Id => "transform.frame-drop";
}

public class TemporalCropTransformConformance : TransformConformance
{
    public override string Id => "transform.temporal-crop";
}

public class LibraryTemplatesConformance : TemplateConformance
{
    public override string Id => "template.library";
}

public class JsonObjectConstraintConformance : ConstraintConformance
{
    public override string Id => "constraint.json-object";
}

public class ToolCallsConstraintConformance : ConstraintConformance
{
    public override string Id => "constraint.tool-calls";
}

public class ToolRequestsSourceConformance : SourceConformance
{
    public override string Id => "source.tool-requests";
}

public class WordNetSourceConformance : SourceConformance
{
    public override string Id => "source.wordnet";
}

public class SqliteIndexConformance : IndexConformance
{
    public override string Id => "index.sqlite";
}

// It needs a server, which may not be there: PostgresIndexTests runs its checks.
internal sealed class PostgresIndexConformance : IndexConformance
{
    public override string Id => "index.postgres";
}

public class DenseRetrieverConformance : RetrieverConformance
{
    public override string Id => "retriever.dense";
}

public class LexicalRetrieverConformance : RetrieverConformance
{
    public override string Id => "retriever.lexical";
}

public class CrossEncoderRerankerConformance : RerankerConformance
{
    public override string Id => "reranker.cross-encoder";
}

public class HybridRetrieverConformance : RetrieverConformance
{
    public override string Id => "retriever.hybrid";
}

public class SuiteTests
{
    [Fact]
    public void EveryPlugin_OfThisProject_HasItsSuite() => Assert.Empty(PluginUnderTest.WithoutSuite(typeof(SuiteTests).Assembly));
}
