using PluginHost.Sdk.Testing;

namespace Plugins.Neural.Tests;

public class MidFusionConformance : FusionConformance
{
    public override string Id => "fusion.mid";
}

public class EarlyFusionConformance : FusionConformance
{
    public override string Id => "fusion.early";
}

public class LateFusionConformance : FusionConformance
{
    public override string Id => "fusion.late";
}

public class SingleStreamFusionConformance : FusionConformance
{
    public override string Id => "fusion.single-stream";
}

public class PatchesEncoderConformance : EncoderConformance
{
    public override string Id => "encoder.patches";
}

public class ClipVisionEncoderConformance : EncoderConformance
{
    public override string Id => "encoder.clip-vision";
}

public class VitEncoderConformance : EncoderConformance
{
    public override string Id => "encoder.vit";
}

public class TextTransformerEncoderConformance : EncoderConformance
{
    public override string Id => "encoder.text-transformer";
}

public class LogMelEncoderConformance : EncoderConformance
{
    public override string Id => "encoder.log-mel";
}

public class CausalDecoderConformance : DecoderConformance
{
    public override string Id => "decoder.causal";
}

public class NextTokenObjectiveConformance : ObjectiveConformance
{
    public override string Id => "objective.next-token";
}

public class ContrastiveObjectiveConformance : ObjectiveConformance
{
    public override string Id => "objective.contrastive";
}

public class MatchingObjectiveConformance : ObjectiveConformance
{
    public override string Id => "objective.matching";
}

public class RecallMetricConformance : MetricConformance
{
    public override string Id => "metric.recall";
}

public class BleuMetricConformance : MetricConformance
{
    public override string Id => "metric.bleu";
}

public class VqaAccuracyMetricConformance : MetricConformance
{
    public override string Id => "metric.vqa-accuracy";
}

public class SelfBleuMetricConformance : MetricConformance
{
    public override string Id => "metric.self-bleu";
}

public class RougeMetricConformance : MetricConformance
{
    public override string Id => "metric.rouge";
}

public class ExactMatchMetricConformance : MetricConformance
{
    public override string Id => "metric.exact-match";
}

public class DistinctMetricConformance : MetricConformance
{
    public override string Id => "metric.distinct";
}

public class CalibrationMetricConformance : MetricConformance
{
    public override string Id => "metric.calibration";
}

public class ClipScoreMetricConformance : MetricConformance
{
    public override string Id => "metric.clip-score";
}

public class FrechetMetricConformance : MetricConformance
{
    public override string Id => "metric.frechet";
}

public class InceptionStyleMetricConformance : MetricConformance
{
    public override string Id => "metric.inception-style";
}

public class VideoEncoderConformance : EncoderConformance
{
    public override string Id => "encoder.video";
}

public class SuiteTests
{
    [Fact]
    public void EveryPlugin_OfThisProject_HasItsSuite() => Assert.Empty(PluginUnderTest.WithoutSuite(typeof(SuiteTests).Assembly));
}

public class StaticWeightingConformance : WeightingConformance
{
    public override string Id => "weighting.static";
}

public class UncertaintyWeightingConformance : WeightingConformance
{
    public override string Id => "weighting.uncertainty";
}

public class GradNormWeightingConformance : WeightingConformance
{
    public override string Id => "weighting.grad-norm";
}

public class FullTuningConformance : TuningConformance
{
    public override string Id => "tuning.full";
}

public class LoraTuningConformance : TuningConformance
{
    public override string Id => "tuning.lora";
}

public class DualTowerConformance : NodeConformance
{
    public override string Id => "tower.dual";

    public override string Kind => "tower";
}

public class CrossTowerConformance : NodeConformance
{
    public override string Id => "tower.cross";

    public override string Kind => "tower";
}

public class ListwiseObjectiveConformance : ObjectiveConformance
{
    public override string Id => "objective.listwise";
}

public class PrefixTuningConformance : TuningConformance
{
    public override string Id => "tuning.prefix";
}
