// Shapes of examples: null for a size that is not known before there is data, as Keras' None; −1 in F#.
namespace Functional.CSharp;

internal static class Dimensions
{
    /// <summary>A shape as F# has it.</summary>
    public static int[] Known(IEnumerable<int?> shape) => [.. shape.Select(size => size ?? UnknownSize.Value)];

    /// <summary>A shape as C# sees it.</summary>
    public static int?[] Seen(IEnumerable<int> shape) => [.. shape.Select(size => size == UnknownSize.Value ? (int?)null : size)];

    /// <summary>A shape for people.</summary>
    public static string Show(IEnumerable<int> shape) => $"({string.Join(", ", shape.Select(UnknownSize.name))})";

    /// <summary>Whether data (or a node) of a shape can be given where another is expected.</summary>
    public static bool Fits(ReadOnlySpan<int> given, int[] expected)
    {
        if (given.Length != expected.Length) return false;
        for (var i = 0; i < expected.Length; i++)
            if (given[i] != expected[i] && expected[i] != UnknownSize.Value) return false;
        return true;
    }
}
