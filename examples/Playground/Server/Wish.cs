// What a page asks for, read without believing it: every text has a longest length, every number its limits, and what does
// not keep to them is refused in a word that the page has a sentence for.
using System.Text.Json;

namespace Playground.Server;

/// <summary>Why something is not done.</summary>
/// <param name="code">The page's texts say it in every language.</param>
/// <param name="about">What the sentence names.</param>
internal sealed class Refusal(string code, object? about = null) : Exception
{
    public string Code { get; } = code;

    public object? About { get; } = about;
}

/// <summary>A message, or a part of one.</summary>
internal readonly struct Wish(JsonElement element)
{
    public bool Has(string name) => element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null;

    public Wish Part(string name) => new(Get(name, JsonValueKind.Object));

    public string Text(string name, int longest)
    {
        var text = Get(name, JsonValueKind.String).GetString()!;
        return text.Length <= longest ? text : throw new Refusal("too-long", new { name, longest });
    }

    public bool Flag(string name) => Has(name) && element.GetProperty(name).ValueKind == JsonValueKind.True;

    public double Number(string name, double least, double largest) => Bounded(name, Get(name, JsonValueKind.Number), least, largest);

    public int Whole(string name, int least, int largest) => (int)Math.Round(Number(name, least, largest));

    public double[] Numbers(string name, int most, double least = -1e9, double largest = 1e9)
    {
        var list = Get(name, JsonValueKind.Array);
        if (list.GetArrayLength() > most) throw new Refusal("too-many", new { name, most });
        return [.. list.EnumerateArray().Select(item => Bounded(name, item, least, largest))];
    }

    private static double Bounded(string name, JsonElement value, double least, double largest) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) && number >= least && number <= largest
            ? number
            : throw new Refusal("out-of-range", new { name, least, largest });

    private JsonElement Get(string name, JsonValueKind kind) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) && value.ValueKind == kind
            ? value
            : throw new Refusal("missing", new { name });
}
