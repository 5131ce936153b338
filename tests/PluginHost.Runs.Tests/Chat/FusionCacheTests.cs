using CsCheck;
using PluginHost.Runs.Chat;
using PluginHost.Runs.Decoding;

namespace PluginHost.Runs.Tests.Chat;

public sealed class FusionCacheTests
{
    private readonly List<Counted> made = [];

    private FusedPrompt Make()
    {
        made.Add(new Counted());
        return new FusedPrompt(null, made[^1]);
    }

    [Fact]
    public void Get_SameMedia_AreMadeOnceAndKept()
    {
        var cache = new FusionCache(1);

        cache.Get("a", 0, Make).Owner!.Dispose();
        var again = cache.Get("a", 0, Make);

        Assert.True(again.Lasting);
        Assert.Single(made);
        Assert.Equal(0, made[0].Disposed);
        again.Owner!.Dispose();
        cache.Get("b", 0, Make).Owner!.Dispose();
        Assert.Equal([1, 0], made.Select(item => item.Disposed)); // one is kept, the one used last
    }

    [Fact]
    public void Get_WithoutAKey_IsTheRequestsAlone()
    {
        var cache = new FusionCache(4);

        var own = cache.Get(null, 0, Make);
        own.Owner!.Dispose();

        Assert.False(own.Lasting);
        Assert.Equal((1, 0), (made[0].Disposed, cache.Count));
    }

    [Fact]
    public void Clear_WhatIsInUse_GoesWithItsLastUser()
    {
        var cache = new FusionCache(4);
        var (first, second) = (cache.Get("a", 0, Make), cache.Get("a", 0, Make));

        cache.Clear();

        first.Owner!.Dispose();
        Assert.Equal(0, made[0].Disposed);
        second.Owner!.Dispose();
        second.Owner.Dispose();
        Assert.Equal(1, made[0].Disposed);
        Assert.False(cache.Get("a", 0, Make).Lasting); // asked before the clearing: nobody after it may meet it
        Assert.True(cache.Get("a", cache.Generation, Make).Lasting);
    }

    [Fact]
    public void AnyOrderOfUses_DisposesEachFusionOnce()
    {
        Gen.Select(Gen.Int[0, 3], Gen.Int[0, 5].Array[0, 60]).Sample((capacity, moves) =>
        {
            made.Clear();
            var cache = new FusionCache(capacity);
            var held = new Queue<IDisposable>();
            foreach (var move in moves)
            {
                if (move == 5) cache.Clear();
                else if (move == 4 && held.TryDequeue(out var oldest)) oldest.Dispose();
                else held.Enqueue(cache.Get($"{move}", cache.Generation, Make).Owner!);
            }
            while (held.TryDequeue(out var left)) left.Dispose();
            Assert.True(cache.Count <= capacity);
            Assert.Equal(cache.Count, made.Count(item => item.Disposed == 0));
            cache.Clear();
            Assert.All(made, item => Assert.Equal(1, item.Disposed));
        }, threads: 1);
    }

    private sealed class Counted : IDisposable
    {
        public int Disposed { get; private set; }

        public void Dispose() => Disposed++;
    }
}
