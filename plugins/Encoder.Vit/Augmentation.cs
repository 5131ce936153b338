// Random affine maps and colour changes of a whole batch at once, in training only. White comes in from outside the picture.
using static TorchSharp.torch;

namespace Encoder.Vit;

/// <summary>Shows each training picture a little differently every time: mirrored, turned, moved, scaled, recoloured.</summary>
/// <param name="strength">0: not at all; 1: turns up to 0.35 rad, moves up to a fifth, scales by up to 1.5, recolours by up to a third.</param>
internal sealed class Augmentation(double strength)
{
    private const double White = 1;

    /// <summary>Pictures [B, C, H, W] in 0..1 to the same.</summary>
    public Tensor Apply(Tensor pictures)
    {
        var batch = pictures.size(0);
        Tensor Spread(params long[] shape) => (rand(shape, device: pictures.device) * 2 - 1) * strength;  // -strength..strength
        var mirror = rand(batch, device: pictures.device).gt(0.5).to(pictures.dtype) * 2 - 1;
        var angle = Spread(batch) * 0.35;
        var scale = (Spread(batch) * Math.Log(1.5)).exp();
        var rows = stack(
            [
                angle.cos() * scale * mirror, -(angle.sin() * scale), Spread(batch) * 0.4,
                angle.sin() * scale * mirror, angle.cos() * scale, Spread(batch) * 0.4,
            ], 1).view(batch, 2, 3);
        var grid = nn.functional.affine_grid(rows, pictures.shape, align_corners: false);
        // What lies outside is 0, so white has to be 0 meanwhile.
        var moved = nn.functional.grid_sample(pictures - White, grid, align_corners: false) + White;
        return (moved * (1 + Spread(batch, pictures.size(1), 1, 1) * 0.33)).clamp_(0, 1);
    }
}
