using Xunit;

namespace PluginHost.Sdk.Testing;

/// <summary>The suite of kind <c>template</c>. Paths in the sample's settings are relative to the plugin's folder.</summary>
public abstract class TemplateConformance : PluginConformance
{
    private static readonly string[] Odd = ["", " ", "a < b && c > d", "<image>", "</answer><answer>", "{{ response }}", "&lt;image> &amp;lt;", "汉字\n😀", "<image", "image>"];

    /// <inheritdoc/>
    public override string Kind => "template";

    /// <inheritdoc/>
    protected override void UseOnce() => WithLibrary(library =>
    {
        foreach (var (instruction, phrasing) in Everything(library)) library.Render(instruction, phrasing);
    });

    /// <summary>Ids differ, and each type has a summary, its answer among its slots, and wordings.</summary>
    [Fact]
    public void Types_AreNamedAndWorded() => WithLibrary(library =>
    {
        Assert.NotEmpty(library.Types);
        Assert.NotEmpty(library.Fingerprint);
        Assert.Equal(library.Types.Count, library.Types.Select(type => type.Id).Distinct().Count());
        foreach (var type in library.Types)
        {
            Assert.NotEmpty(type.Summary);
            Assert.Contains(type.Answer, type.Slots);
            Assert.All(type.Languages.Values, wordings => Assert.InRange(wordings.Seen, 1, int.MaxValue));
        }
    });

    /// <summary>Every wording of every type, filled with its example, can be parsed back; media have one place each and stand nowhere in the prompt.</summary>
    [Fact]
    public void Render_Examples_ParseBack() => WithLibrary(library =>
    {
        foreach (var (instruction, phrasing) in Everything(library)) RoundTrip(library, instruction, phrasing);
    });

    /// <summary>Values that look like tags or templates are text, and come back as they were.</summary>
    [Fact]
    public void Render_OddValues_StayText() => WithLibrary(library =>
    {
        foreach (var (instruction, phrasing) in Everything(library))
            foreach (var value in Odd) RoundTrip(library, instruction with { Slots = instruction.Slots.ToDictionary(slot => slot.Key, _ => value) }, phrasing);
    });

    /// <summary>What does not exist, and what is missing, is said by name.</summary>
    [Fact]
    public void Render_WrongSlots_AreRefused() => WithLibrary(library =>
    {
        var type = library.Types[0];
        var (language, wordings) = (type.Languages.First().Key, type.Languages.First().Value);
        var right = new Instruction(type.Id, language, wordings.Example);
        void Refused(Instruction instruction, int phrasing, string named) => Assert.Contains(named, Assert.Throws<UserErrorException>(() => library.Render(instruction, phrasing)).Message, StringComparison.Ordinal);
        Refused(right with { Type = "no-such-type" }, 0, "no-such-type");
        Refused(right with { Language = "xx" }, 0, "xx");
        Refused(right, wordings.Seen + wordings.Unseen, $"{wordings.Seen + wordings.Unseen}");
        Refused(right with { Slots = wordings.Example.Append(new("no-such-slot", "")).ToDictionary() }, 0, "no-such-slot");
        Refused(right with { Slots = wordings.Example.Where(slot => slot.Key != type.Answer).ToDictionary() }, 0, type.Answer);
    });

    /// <summary>Calls from several threads do not disturb each other.</summary>
    [Fact]
    public void Render_Concurrently_GivesTheSame() => WithLibrary(library =>
    {
        var all = Everything(library).ToList();
        var expected = all.Select(item => library.Render(item.Instruction, item.Phrasing).Text).ToList();
        Parallel.For(0, 4, _ => Assert.Equal(expected, all.Select(item => library.Render(item.Instruction, item.Phrasing).Text)));
    });

    private static void RoundTrip(ITemplateLibrary library, Instruction instruction, int phrasing)
    {
        var type = library.Types.Single(type => type.Id == instruction.Type);
        var rendered = library.Render(instruction, phrasing);
        var back = library.Parse(type.Id, instruction.Language, phrasing, rendered.Text);
        Assert.True(back is not null, $"{type.Id} in {instruction.Language}, phrasing {phrasing}, does not parse back: {rendered.Text}");
        Assert.Equal(instruction.Slots.OrderBy(slot => slot.Key, StringComparer.Ordinal), back.OrderBy(slot => slot.Key, StringComparer.Ordinal));
        Assert.Equal(instruction.Slots[type.Answer], rendered.Answer);
        Assert.Equal(type.Media.Order(StringComparer.Ordinal), rendered.Media.Select(place => place.Modality).Order(StringComparer.Ordinal));
        Assert.All(rendered.Media, place => Assert.InRange(place.At, 0, rendered.Prompt.Length));
        Assert.All((string[])["<image>", "<audio>", "<video>"], tag => Assert.DoesNotContain(tag, rendered.Prompt, StringComparison.Ordinal));
    }

    private static IEnumerable<(Instruction Instruction, int Phrasing)> Everything(ITemplateLibrary library) =>
        from type in library.Types
        from language in type.Languages
        from phrasing in Enumerable.Range(0, language.Value.Seen + language.Value.Unseen)
        select (new Instruction(type.Id, language.Key, language.Value.Example), phrasing);

    private void WithLibrary(Action<ITemplateLibrary> check)
    {
        foreach (var settings in Plugin.Uses)
        {
            using var lease = Plugin.Lease(settings);
            check(lease.As<ITemplatePlugin>().Open(Surroundings(), Plugin.Sample.Folder));
        }
    }
}
