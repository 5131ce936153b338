using System.Reflection;
using Xunit.Sdk;

namespace PluginHost.Sdk.Testing.Tests;

/// <summary>A suite is worth what it finds: each plugin of the fixture breaks one promise, and one fact fails for it.</summary>
public class SuiteTests
{
    public sealed class FaultySuite : EncoderConformance
    {
        public string Tested { get; init; } = "encoder.sound";

        public override string Id => Tested;
    }

    [Theory]
    [InlineData("encoder.sound", "")]
    [InlineData("encoder.leaking", "Encode_AbsentRow_HasNoTokensAndZeros, Outputs_MaskedPositionsChanged_StayTheSame")]
    [InlineData("encoder.dividing", "Encode_AbsentRow_HasNoTokensAndZeros, Outputs_MaskedPositionsChanged_StayTheSame, Outputs_OfOddInputs_AreFinite")]
    [InlineData("encoder.miscounting", "Cost_Parameters_AreThoseOfTheBuiltNode")]
    [InlineData("encoder.misshapen", "Outputs_OfTheSample_HaveTheirDeclaredShapes")]
    [InlineData("encoder.restless", "Build_SameSeed_GivesTheSameWeightsAndOutputs, State_CopiedToAnotherBuild_GivesTheSameOutputs")]
    [InlineData("encoder.idle", "Backward_ReachesEveryParameter")]
    [InlineData("encoder.clinging", "Plugin_Inspected_IsOfItsKindAndExplainsItself, Plugin_UsedAndUnloaded_LeavesNothingInMemory")]
    public async Task Encoder_ThatBreaksAPromise_FailsItsFact(string id, string expected)
    {
        var failed = new List<string>();
        foreach (var fact in typeof(FaultySuite).GetMethods().Where(method => method.GetCustomAttribute<FactAttribute>() is not null).OrderBy(method => method.Name, StringComparer.Ordinal))
        {
            try
            {
                if (fact.Invoke(new FaultySuite { Tested = id }, null) is Task running) await running;
            }
            catch (Exception error) when (error is TargetInvocationException { InnerException: XunitException } or XunitException)
            {
                failed.Add(fact.Name);
            }
        }
        Assert.Equal(expected, string.Join(", ", failed));
    }

    [Fact]
    public void WithoutSuite_PluginsOfTheFixture_AreNamedButForTheTestedOne()
    {
        var missing = PluginUnderTest.WithoutSuite(typeof(SuiteTests).Assembly);

        Assert.Contains("encoder.leaking", missing);
        Assert.DoesNotContain("encoder.sound", missing);
        Assert.DoesNotContain("scorer.dot", missing);
    }

    [Fact]
    public void Find_UnknownId_NamesTheNearest()
    {
        var error = Assert.ThrowsAny<XunitException>(() => PluginUnderTest.Find(typeof(SuiteTests).Assembly, "encoder.leeking"));

        Assert.Contains("did you mean 'encoder.leaking'?", error.Message, StringComparison.Ordinal);
    }
}
