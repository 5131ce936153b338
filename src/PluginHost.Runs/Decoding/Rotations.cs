namespace PluginHost.Runs.Decoding;

/// <summary>Rotary positions (Su et al. 2021), the halves of a head turned against each other. Its table grows on demand.</summary>
internal sealed class Rotations(int headWidth, double rotaryBase)
{
    private readonly int half = headWidth / 2;
    private float[] cosines = [];
    private float[] sines = [];

    /// <summary>Turns a head by a position.</summary>
    public void Rotate(Span<float> head, int position)
    {
        if ((position + 1) * half > cosines.Length) Grow(2 * (position + 1));
        var cosine = cosines.AsSpan(position * half, half);
        var sine = sines.AsSpan(position * half, half);
        for (var i = 0; i < half; i++)
        {
            var (first, second) = (head[i], head[i + half]);
            head[i] = first * cosine[i] - second * sine[i];
            head[i + half] = second * cosine[i] + first * sine[i];
        }
    }

    private void Grow(int positions)
    {
        (cosines, sines) = (new float[positions * half], new float[positions * half]);
        for (var position = 0; position < positions; position++)
            for (var i = 0; i < half; i++)
            {
                var angle = position * Math.Pow(rotaryBase, -(double)i / half);
                (cosines[position * half + i], sines[position * half + i]) = ((float)Math.Cos(angle), (float)Math.Sin(angle));
            }
    }
}
