// What the network has learnt, as a picture: how many sums are right after each epoch, of all and of each kind.
using Functional.Plots;
using static Functional.Plots.Corner;

namespace Addition;

internal static class Drawing
{
    /// <summary>The learning curve, and that of the sums kept for the test by the number of carries they need.</summary>
    public static void Save(string path, History history, Sums fresh, IReadOnlyList<bool[]> rightAfter)
    {
        double[] epochs = [.. Enumerable.Range(1, history.Epochs).Select(epoch => (double)epoch)];
        double[] Percent(string name) => [.. history[name].Select(part => 100 * part)];

        var curve = new Chart("Sums that are right in every digit", "epoch", "percent");
        curve.Line("learnt from (while learning)", epochs, Percent("exact"), Palette.Blue, 2);
        curve.Line("never seen", epochs, Percent("val_exact"), Palette.Orange, 2);
        curve.Legend(LowerRight);
        curve.Plot.Axes.SetLimitsY(0, 104);

        var kinds = new Chart("Never seen, by how often one has to carry", "epoch", "percent");
        ScottPlot.Color[] colours = [Palette.Blue, Palette.Orange, Palette.Green, Palette.Yellow];
        foreach (var group in Enumerable.Range(0, fresh.Pairs.Count).GroupBy(i => Carries(fresh.Pairs[i])).OrderBy(group => group.Key))
        {
            var name = group.Key switch { 0 => "never", 1 => "once", var times => $"{times} times" };
            double[] percent = [.. rightAfter.Select(right => 100.0 * group.Count(i => right[i]) / group.Count())];
            kinds.Line($"{name} ({group.Count():N0} sums)", epochs, percent, colours[group.Key % colours.Length], 2);
        }
        kinds.Legend(LowerRight);
        kinds.Plot.Axes.SetLimitsY(0, 104);
        Figure.Save(path, 2, 620, 480, [curve, kinds]);
    }

    private static int Carries((int A, int B) pair)
    {
        var (a, b, carry, count) = (pair.A, pair.B, 0, 0);
        for (; a > 0 || b > 0; a /= 10, b /= 10)
        {
            carry = (a % 10) + (b % 10) + carry >= 10 ? 1 : 0;
            count += carry;
        }
        return count;
    }
}
