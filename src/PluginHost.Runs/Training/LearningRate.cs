namespace PluginHost.Runs.Training;

/// <summary>Linear warm-up, then a cosine down to a part of the peak (Loshchilov and Hutter, SGDR, 2017).</summary>
public static class LearningRate
{
    /// <param name="step">The step about to be taken, from 0.</param>
    /// <param name="steps">Number of steps of the stage.</param>
    /// <param name="peak">The rate at the end of the warm-up.</param>
    /// <param name="warmup">Steps of warm-up; at most the whole stage.</param>
    /// <param name="final">The rate at the last step, as a part of the peak.</param>
    public static double At(int step, int steps, double peak, int warmup, double final)
    {
        warmup = Math.Min(warmup, steps);
        if (step < warmup) return peak * (step + 1) / warmup;
        var progress = steps - warmup <= 1 ? 1 : (double)(step - warmup) / (steps - warmup - 1);
        return peak * (final + (1 - final) * 0.5 * (1 + Math.Cos(Math.PI * progress)));
    }
}
