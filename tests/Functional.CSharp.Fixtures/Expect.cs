// Expectations with messages that say what was expected and what came.
namespace Fixtures;

internal static class Expect
{
    public static void Numbers(Tensor actual, params double[] expected)
    {
        var numbers = actual.ToDoubles();
        if (numbers.Length != expected.Length || numbers.Zip(expected).Any(pair => !(Math.Abs(pair.First - pair.Second) <= 1e-9)))
            throw new InvalidOperationException($"expected {string.Join(", ", expected)}; got {string.Join(", ", numbers)}");
    }

    public static void Shape(Tensor actual, params int[] expected)
    {
        if (!actual.Shape.SequenceEqual(expected))
            throw new InvalidOperationException($"expected shape {string.Join("×", expected)}; got {string.Join("×", actual.Shape)}");
    }

    public static void Equal<T>(T actual, T expected)
    {
        if (!EqualityComparer<T>.Default.Equals(actual, expected))
            throw new InvalidOperationException($"expected {expected}; got {actual}");
    }

    public static void True(bool condition, string what)
    {
        if (!condition) throw new InvalidOperationException(what);
    }

    /// <summary>The action throws this exception, and its message contains all these parts.</summary>
    public static void Throws<TException>(Action action, params string[] parts)
        where TException : Exception
    {
        try
        {
            action();
        }
        catch (TException e)
        {
            foreach (var part in parts)
                True(e.Message.Contains(part, StringComparison.OrdinalIgnoreCase), $"expected '{part}' in the message: {e.Message}");
            return;
        }
        throw new InvalidOperationException($"expected {typeof(TException).Name}; nothing was thrown");
    }
}
