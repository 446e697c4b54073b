// Keras' strings, mapped to values at the door; a string that is not known is answered with those that are.
namespace Functional.CSharp;

internal static class Names
{
    /// <summary>The value of a name; case, spaces, dashes and underscores do not matter.</summary>
    public static T Find<T>(string kind, string name, IReadOnlyList<(string Name, T Value)> known)
    {
        ArgumentNullException.ThrowIfNull(name);
        foreach (var (candidate, value) in known)
            if (Plain(candidate) == Plain(name)) return value;

        var list = string.Join(", ", known.Select(k => $"\"{k.Name}\""));
        throw new ArgumentException($"{kind}: \"{name}\" is not known; there are {list}", nameof(name));
    }

    /// <summary>An enum's case as Keras writes it: <c>MeanSquaredError</c> is <c>mean_squared_error</c>.</summary>
    public static string Snake(Enum value)
    {
        var text = value.ToString();
        var snake = string.Concat(text.Select((c, i) => char.IsUpper(c) && i > 0 ? $"_{char.ToLowerInvariant(c)}" : $"{char.ToLowerInvariant(c)}"));
        return Enum.IsDefined(value.GetType(), value)
            ? snake
            : throw new ArgumentOutOfRangeException(nameof(value), $"{value.GetType().Name}: {text} is none of its values");
    }

    private static string Plain(string name) =>
        string.Concat(name.Where(char.IsLetterOrDigit)).ToLowerInvariant();
}
