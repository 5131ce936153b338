using Scorer.Testing;

namespace PluginHost.Sdk.Testing.Tests;

public class DotScorerConformance : ScorerConformance
{
    public override string Id => "scorer.dot";
}

public class CosineScorerConformance : ScorerConformance
{
    public override string Id => "scorer.cosine";
}
