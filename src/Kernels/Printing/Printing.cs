using System.Globalization;
using System.Text;

namespace Functional.Kernels;

/// <summary>
/// Arrays as text, by the conventions of NumPy's str: nested brackets under each other, one width and one notation for
/// all elements, and "..." in the middle of what is long. The rules are those of numpy/_core/arrayprint.py.
/// </summary>
public static class Printing
{
    /// <summary>The array as text. A 0-d array is the bare number with all its digits, an empty one is [].</summary>
    /// <param name="x">The array.</param>
    /// <param name="options">The precision, the width, and what is left out; null for the usual.</param>
    public static string Print(NDArray x, PrintOptions? options = null)
    {
        var (precision, lineWidth, threshold, edgeItems) = (options ?? PrintOptions.Default).Checked();
        if (x.Size == 0) return "[]";
        if (x.Rank == 0) return Words(x, [0], precision)[0];
        var edge = x.Size > threshold ? edgeItems : int.MaxValue / 2;
        var shown = new List<int>();
        Visit(x.Shape, 0, 0, edge, shown);
        var lines = new Lines(x.Shape, Words(x, shown, precision), edge);
        return lines.Box(0, " ", lineWidth);
    }

    /// <summary>The row-major places of the elements that are shown.</summary>
    private static void Visit(int[] shape, int axis, int place, int edge, List<int> shown)
    {
        if (axis == shape.Length)
        {
            shown.Add(place);
            return;
        }

        var size = shape[axis];
        for (var i = 0; i < size; i++)
        {
            if (size > 2 * edge && i == edge) i = size - edge;
            if (i < size) Visit(shape, axis + 1, place * size + i, edge, shown);
        }
    }

    private static string[] Words(NDArray x, List<int> shown, int precision) => x.DType switch
    {
        // Whether an exponent is needed is asked in the precision of the elements.
        DType.Float32 => Floats(
            Of<float, DecimalNumber>(x, shown, DecimalNumber.Of), precision, x.Rank == 0,
            (min, max) => max >= 1e8 || (float)min < 0.0001f || (float)max / (float)min > 1000f),
        DType.Float64 => Floats(
            Of<double, DecimalNumber>(x, shown, DecimalNumber.Of), precision, x.Rank == 0,
            (min, max) => max >= 1e8 || min < 0.0001 || max / min > 1000),
        DType.Int32 => Aligned(Of<int, string>(x, shown, value => value.ToString(CultureInfo.InvariantCulture))),
        DType.Int64 => Aligned(Of<long, string>(x, shown, value => value.ToString(CultureInfo.InvariantCulture))),
        // Padded also when all are true, as NumPy does.
        _ => Of<bool, string>(x, shown, value => value ? x.Rank == 0 ? "True" : " True" : "False"),
    };

    private static TResult[] Of<T, TResult>(NDArray x, List<int> shown, Func<T, TResult> result)
        where T : unmanaged
    {
        var elements = x.AsSpan<T>();
        var results = new TResult[shown.Count];
        for (var i = 0; i < results.Length; i++) results[i] = result(elements[shown[i]]);
        GC.KeepAlive(x.Storage);
        return results;
    }

    private static string[] Aligned(string[] words)
    {
        var width = words.Max(word => word.Length);
        return Array.ConvertAll(words, word => word.PadLeft(width));
    }

    private static string[] Floats(DecimalNumber[] numbers, int precision, bool alone, Func<double, double, bool> needExponent)
    {
        if (alone) return [double.IsFinite(numbers[0].Value) ? numbers[0].Alone() : Special(numbers[0].Value)];
        var (min, max) = (double.PositiveInfinity, 0.0);
        foreach (var number in numbers)
        {
            var size = Math.Abs(number.Value);
            if (!double.IsFinite(size) || size == 0) continue;
            (min, max) = (Math.Min(min, size), Math.Max(max, size));
        }

        var scientific = max > 0 && needExponent(min, max);
        var words = new string[numbers.Length];
        var powers = new int[numbers.Length];
        var (whole, decimals, powerDigits) = (0, 0, 2);
        for (var i = 0; i < words.Length; i++)
        {
            if (!double.IsFinite(numbers[i].Value)) continue;
            if (scientific) (words[i], powers[i]) = numbers[i].Scientific(precision);
            else words[i] = numbers[i].Positional(precision);
            var point = words[i].IndexOf('.');
            whole = Math.Max(whole, point);
            decimals = Math.Max(decimals, words[i].Length - point - 1);
            powerDigits = Math.Max(powerDigits, Math.Abs(powers[i]).ToString(CultureInfo.InvariantCulture).Length);
        }

        for (var i = 0; i < words.Length; i++)
        {
            if (!double.IsFinite(numbers[i].Value))
            {
                words[i] = Special(numbers[i].Value);
                continue;
            }

            var missing = decimals - (words[i].Length - words[i].IndexOf('.') - 1);
            words[i] += scientific ? new string('0', missing) + "e" + DecimalNumber.Power(powers[i], powerDigits) : new string(' ', missing);
        }

        return Aligned(words);
    }

    private static string Special(double value) => double.IsNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";

    /// <summary>Puts the words, which stand in the order they are read, between brackets and into lines.</summary>
    private sealed class Lines(int[] shape, string[] words, int edge)
    {
        private int next;

        public string Box(int axis, string indent, int width)
        {
            if (axis == shape.Length) return words[next++];
            var size = shape[axis];
            var summary = size > 2 * edge;
            var text = axis == shape.Length - 1 ? Row(size, summary, indent, width) : Rows(axis, size, summary, indent, width);
            return $"[{text[indent.Length..]}]";
        }

        private string Rows(int axis, int size, bool summary, string indent, int width)
        {
            var text = new StringBuilder();
            var separator = new string('\n', shape.Length - axis - 1);
            for (var i = 0; i < size; i++)
            {
                if (i > 0) text.Append(separator);
                if (summary && i == edge)
                {
                    text.Append(indent).Append("...").Append(separator);
                    i = size - edge;
                }

                text.Append(indent).Append(Box(axis + 1, indent + " ", width - 1));
            }

            return text.ToString();
        }

        private string Row(int size, bool summary, string indent, int width)
        {
            var text = new StringBuilder();
            var line = new StringBuilder(indent);
            void Add(string word)
            {
                // A line that holds nothing yet takes even a word that is too long; the bracket needs one column.
                if (line.Length + word.Length > width - 1 && line.Length > indent.Length)
                {
                    text.Append(line.ToString().TrimEnd()).Append('\n');
                    line.Clear().Append(indent);
                }

                line.Append(word);
            }

            for (var i = 0; i < size; i++)
            {
                if (summary && i == edge)
                {
                    Add("...");
                    line.Append(' ');
                    i = size - edge;
                }

                Add(words[next++]);
                if (i < size - 1) line.Append(' ');
            }

            return text.Append(line).ToString();
        }
    }
}
