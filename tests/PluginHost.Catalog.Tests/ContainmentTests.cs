using System.Diagnostics;

namespace PluginHost.Catalog.Tests;

public class ContainmentTests
{
    [Theory]
    [InlineData("metric.fault-constructor", "metric.fault-constructor failed while being created: FaultException: in the constructor")]
    [InlineData("metric.fault-static", "metric.fault-static failed while being created: FaultException: in the static constructor")]
    [InlineData("metric.fault-call", "metric.fault-call failed while computing: FaultException: in the call")]
    [InlineData("metric.fault-torch", "metric.fault-torch failed while computing: ExternalException: mat1 and mat2 shapes cannot be multiplied")]
    [InlineData("metric.fault-thread", "FaultException in a thread, timer or finalizer of its own: in a thread")]
    [InlineData("metric.fault-timer", "FaultException in a thread, timer or finalizer of its own: in a timer")]
    [InlineData("metric.fault-task", "FaultException in a task that nobody awaits: in a task")]
    [InlineData("metric.fault-finalizer", "FaultException in a thread, timer or finalizer of its own: in a finalizer")]
    public void Plugin_ThatThrows_IsOneEventAndTheHostGoesOn(string id, string detail)
    {
        var (exitCode, output) = Run(id);

        Assert.True(exitCode == 0, output);
        Assert.StartsWith($"Faulted {id}: {detail}", Assert.Single(output.Split('\n'), line => line.StartsWith("Faulted", StringComparison.Ordinal)), StringComparison.Ordinal);
        Assert.Contains("the others work", output, StringComparison.Ordinal);
    }

    [Fact]
    public void Backward_ThatThrows_GivesZeroGradientsAndAnExceptionOfTheHosts()
    {
        var (exitCode, output) = Run("mixer.fault-backward");

        Assert.True(exitCode == 0, output);
        Assert.Equal(
            ["gradient 0", "BackwardFailedException: Fixture.Faults.BackwardFault+Crooked failed in its backward pass: FaultException: in the backward pass", "the others work"],
            output.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    private static (int ExitCode, string Output) Run(string id)
    {
        var path = typeof(FaultHost).Assembly.Location;
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in (string[])["exec", path, id]) start.ArgumentList.Add(argument);
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, process.ExitCode == 0 ? output : output + errors.Result);
    }
}
