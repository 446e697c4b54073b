// Marks of an axis on which logarithms stand: powers of ten, or 1, 2, 5 and ten where there are few of those.
using System.Globalization;
using ScottPlot;

namespace Functional.Plots;

internal sealed class LogarithmicTicks : ITickGenerator
{
    private const string Digits = "⁰¹²³⁴⁵⁶⁷⁸⁹";

    public Tick[] Ticks { get; set; } = [];

    public int MaxTickCount { get; set; } = 100;

    public void Regenerate(CoordinateRange range, Edge edge, PixelLength size, Paint paint, LabelStyle labelStyle)
    {
        var (low, high) = ((int)Math.Floor(range.Min), (int)Math.Ceiling(range.Max));
        // a name wants some 40 pixels, lying side by side more
        var room = Math.Max(2, size.Length / (edge is Edge.Bottom or Edge.Top ? 60 : 36));
        var step = Math.Max(1, (int)Math.Ceiling((high - low) / room));
        var isShort = high - low <= 2;
        Ticks =
        [
            .. from power in Enumerable.Range(low, high - low + 1)
               from digit in Enumerable.Range(1, 9)
               let place = power + Math.Log10(digit)
               where range.Contains(place)
               let isNamed = isShort ? digit is 1 or 2 or 5 : digit == 1 && power % step == 0
               where isNamed || step == 1
               select isNamed ? Tick.Major(place, isShort ? Number(digit, power) : Power(power)) : Tick.Minor(place),
        ];
    }

    private static string Power(int power) =>
        "10" + string.Concat(power.ToString(CultureInfo.InvariantCulture).Select(c => c == '-' ? '⁻' : Digits[c - '0']));

    private static string Number(int digit, int power) => power is >= -3 and <= 5
        ? (digit * Math.Pow(10, power)).ToString("G3", CultureInfo.InvariantCulture)
        : digit == 1 ? Power(power) : $"{digit}·{Power(power)}";
}
