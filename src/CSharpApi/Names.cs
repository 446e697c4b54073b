// Keras' strings, mapped to values at the door; a string that is not known is answered with those that are.
using System.Text.RegularExpressions;

namespace Functional.CSharp;

internal static partial class Names
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
    public static string Snake(Enum value) => Enum.IsDefined(value.GetType(), value)
        ? Snake(value.ToString())
        : throw new ArgumentOutOfRangeException(nameof(value), $"{value.GetType().Name}: {value} is none of its values");

    /// <summary>A class as Keras calls its instances: <c>MaxPooling2D</c> is <c>max_pooling2d</c>, <c>SimpleRNN</c> is
    /// <c>simple_rnn</c>.</summary>
    public static string Snake(string name) => WordEnd().Replace(WordStart().Replace(name, "$1_$2"), "$1_$2").ToLowerInvariant();

    private static string Plain(string name) =>
        string.Concat(name.Where(char.IsLetterOrDigit)).ToLowerInvariant();

    [GeneratedRegex("(.)([A-Z][a-z0-9]+)")]
    private static partial Regex WordStart();

    [GeneratedRegex("([a-z])([A-Z])")]
    private static partial Regex WordEnd();
}
