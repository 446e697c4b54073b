// What the network has learnt, as a picture: how many sums are right after each epoch, of all and of each kind.
using Examples;
using static ScottPlot.Alignment;

namespace Addition;

internal static class Drawing
{
    /// <summary>The learning curve, and that of the sums kept for the test by the number of carries they need.</summary>
    public static void Save(string path, History history, Sums fresh, IReadOnlyList<bool[]> rightAfter)
    {
        double[] epochs = [.. Enumerable.Range(1, history.Epochs).Select(epoch => (double)epoch)];
        double[] Percent(string name) => [.. history[name].Select(part => 100 * part)];

        var curve = Picture.panel("Sums that are right in every digit", "epoch", "percent");
        Picture.line(Picture.blue, 2, "learnt from (while learning)", epochs, Percent("exact"), curve);
        Picture.line(Picture.orange, 2, "never seen", epochs, Percent("val_exact"), curve);
        Picture.legend(LowerRight, curve);
        curve.Axes.SetLimitsY(0, 104);

        var kinds = Picture.panel("Never seen, by how often one has to carry", "epoch", "percent");
        ScottPlot.Color[] colours = [Picture.blue, Picture.orange, Picture.green, Picture.yellow];
        foreach (var group in Enumerable.Range(0, fresh.Pairs.Count).GroupBy(i => Carries(fresh.Pairs[i])).OrderBy(group => group.Key))
        {
            var name = group.Key switch { 0 => "never", 1 => "once", var times => $"{times} times" };
            double[] percent = [.. rightAfter.Select(right => 100.0 * group.Count(i => right[i]) / group.Count())];
            Picture.line(colours[group.Key % colours.Length], 2, $"{name} ({group.Count():N0} sums)", epochs, percent, kinds);
        }
        Picture.legend(LowerRight, kinds);
        kinds.Axes.SetLimitsY(0, 104);
        Picture.save(path, 2, 620, 480, [curve, kinds]);
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
