namespace Source.ToolRequests;

/// <summary>A function over scenes, with all that it may be called.</summary>
/// <param name="Names">Its own name first.</param>
/// <param name="Descriptions">Its own first.</param>
/// <param name="Arguments">For each the slot and its names, its own first.</param>
/// <param name="Wordings">How it is asked for in training.</param>
/// <param name="HeldWordings">How it is asked for in tests.</param>
internal sealed record SceneTool(string[] Names, string[] Descriptions, (string Slot, string[] Names)[] Arguments, string[] Wordings, string[] HeldWordings)
{
    /// <summary>As tests offer it.</summary>
    public OfferedTool Plain() => new(Names[0], Descriptions[0], [.. Arguments.Select(argument => new Argument(argument.Names[0], argument.Slot))], Wordings, HeldWordings);

    /// <summary>As training offers it: any name with any description.</summary>
    public OfferedTool Varied(Random random) => new(
        Words.Any(Names, random), Words.Any(Descriptions, random), [.. Arguments.Select(argument => new Argument(Words.Any(argument.Names, random), argument.Slot))], Wordings, HeldWordings);
}

/// <summary>The functions over scenes.</summary>
internal static class SceneTools
{
    private static readonly string[] Shape = ["shape", "figure", "form"];
    private static readonly string[] Colour = ["colour", "paint", "shade"];
    private static readonly string[] Place = ["place", "side", "where"];
    private static readonly string[] Count = ["times", "count", "number"];

    /// <summary>The six that training has.</summary>
    public static readonly IReadOnlyList<SceneTool> Seen =
    [
        new(["draw_shape", "add_shape", "create_shape", "new_shape"], ["draw a shape in a colour", "add a new shape of a colour", "create a shape"], [("shape", Shape), ("colour", Colour)],
            [
                "draw {det} {colour} {shape}", "draw {det} {shape} in {colour}", "add {det} {colour} {shape}", "create {det} new {shape} in {colour}", "put {det} new {colour} {shape} there", "draw {det} {shape} that is {colour}",
                "add {det} {shape}, {colour}", "create {det} {shape} of {colour}", "put {det} {shape} in {colour} here", "sketch {det} {colour} {shape}", "in {colour}, draw {det} {shape}",
            ],
            ["draw me a {shape}, a {colour} one", "add one more {shape} in {colour}", "create some {colour} {shape}"]),
        new(["move_shape", "shift_shape", "place_shape", "bring_shape"], ["move a shape to a place", "shift a shape to a side", "bring a shape somewhere"], [("shape", Shape), ("place", Place)],
            [
                "move {det} {shape} to the {place}", "shift {det} {shape} to the {place}", "bring {det} {shape} over to the {place}", "let {det} {shape} go to the {place}", "move {det} {shape} {place}", "move that {shape} {place}",
                "shift {det} {shape} towards the {place}", "bring {det} {shape} {place}", "push {det} {shape} onto the {place}", "to the {place}, move {det} {shape}", "take {det} {shape} up to the {place}",
            ],
            ["move this {shape} into the {place}", "have the {shape} shift to the {place}", "bring me the {shape} to the {place}"]),
        new(["remove_shape", "delete_shape", "erase_shape", "drop_shape"], ["remove a shape of a colour", "delete a shape", "erase a shape in a colour"], [("shape", Shape), ("colour", Colour)],
            [
                "remove {det} {colour} {shape}", "delete {det} {colour} {shape}", "erase {det} {shape} in {colour}", "take away {det} {colour} {shape}", "get rid of {det} {colour} {shape}", "remove {det} {shape} in {colour}",
                "delete {det} {shape} that is {colour}", "erase {det} {colour} {shape} there", "wipe out {det} {colour} {shape}", "we do not need {det} {colour} {shape}, delete it", "there is {det} {colour} {shape}: remove it",
            ],
            ["remove that {shape}, the {colour} one", "delete every {colour} {shape}", "erase my {colour} {shape}"]),
        new(["count_shapes", "how_many", "number_of_shapes", "total_shapes"], ["count the shapes of a colour", "tell how many shapes there are", "give the number of shapes in a colour"], [("colour", Colour)],
            [
                "count the {colour} shapes", "tell me how many shapes are {colour}", "say how many {colour} things there are", "count all that is {colour}", "give me the number of {colour} shapes", "how many are {colour}",
                "say the number of {colour} things", "count up what is in {colour}", "work out how many {colour} ones we have", "the {colour} shapes, count them", "see how many of the shapes are {colour}",
            ],
            ["count everything in {colour}", "find out how many shapes are in {colour}", "tell the number of shapes that are {colour}"]),
        new(["play_tone", "make_sound", "beep", "sound_tone"], ["play a tone some times", "make a sound of a pitch", "beep in a pitch"], [("pitch", ["pitch", "tone", "height"]), ("count", Count)],
            [
                "play {det} {pitch} tone {count} times", "beep {count} times in {det} {pitch} pitch", "make {det} {pitch} sound {count} times", "let me hear {count} {pitch} tones", "play {count} {pitch} beeps", "sound {det} {pitch} tone, {count} times",
                "{count} times, play {det} {pitch} tone", "beep with {det} {pitch} tone {count} times", "make {count} {pitch} noises", "play something {pitch} {count} times", "{count} {pitch} beeps",
            ],
            ["play the {pitch} sound {count} times", "beep {count} times, {pitch} please", "make {count} tones that are {pitch}"]),
        new(["paint_background", "fill_background", "set_background", "colour_canvas"], ["paint the background in a colour", "fill the background", "set the colour of the background"], [("colour", Colour)],
            [
                "paint the background {colour}", "fill the background with {colour}", "make the background {colour}", "set the background to {colour}", "let all behind it be {colour}", "colour the background {colour}",
                "make {colour} the colour of the background", "the background should be {colour}", "put {colour} on the background", "turn the background {colour}", "let {colour} be behind the shapes",
            ],
            ["paint the whole background in {colour}", "change the background to {colour}", "give me a {colour} background"]),
    ];

    /// <summary>The two that it never has, nor what they do: rotating and saving a picture.</summary>
    public static readonly IReadOnlyList<SceneTool> Unseen =
    [
        new(["rotate_figure"], ["rotate the figure by an angle"], [("shape", ["figure"]), ("degrees", ["angle"])],
            [], ["rotate the {shape} by {degrees}", "rotate that {shape} by {degrees} degrees", "rotate my {shape} by {degrees}"]),
        new(["save_picture"], ["save the picture under a title"], [("title", ["title"])],
            [], ["save the picture as {title}", "save my picture as {title}", "save this picture under the title {title}"]),
    ];
}
