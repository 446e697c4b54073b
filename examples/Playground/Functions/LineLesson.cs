// A function of one variable: typed, drawn, or given by points.
using Playground.Server;

namespace Playground.Functions;

internal sealed class LineLesson : Lesson
{
    private const int Examples = 200;

    /// <summary>The largest error is looked for at as many places, five times as many as are learnt from, and not at those.</summary>
    private const int FinePlaces = 1001;

    /// <summary>Every so many of them is drawn.</summary>
    private const int Stride = 5;

    private readonly double[] x;
    private readonly double[] truth;
    private readonly double[]? points;

    private LineLesson(double[] x, double[] truth, Scale scaleX, double[]? points)
    {
        (this.x, this.truth, this.points) = (x, truth, points);
        Places = Tensor.Of([.. x.Select(scaleX.In)], [x.Length, 1]);
    }

    public override bool Classifies => false;

    public override Tensor Places { get; }

    /// <summary>A function on an interval.</summary>
    /// <exception cref="Refusal">It is not finite everywhere; the refusal says where.</exception>
    public static LineLesson Of(Func<double[], double[]> function, double from, double to)
    {
        var fine = Grid(from, to, FinePlaces);
        var truth = function(fine);
        if (Array.FindIndex(truth, value => !double.IsFinite(value)) is >= 0 and var place)
            throw new Refusal("pole", new { at = fine[place] });
        var largest = truth.Max(Math.Abs);
        if (largest > 1e6) throw new Refusal("too-large", new { at = fine[Array.FindIndex(truth, value => Math.Abs(value) == largest)], value = largest });
        var learnt = Grid(from, to, Examples);
        var taught = function(learnt);
        if (Array.FindIndex(taught, value => !double.IsFinite(value)) is >= 0 and var other)
            throw new Refusal("pole", new { at = learnt[other] });
        return Make(learnt, taught, fine, truth, Scale.Between(from, to), null);
    }

    /// <summary>Points (x, y), of which nothing is known in between.</summary>
    public static LineLesson Of((double X, double Y)[] points)
    {
        var sorted = points.OrderBy(point => point.X).ToArray();
        double[] x = [.. sorted.Select(point => point.X)], y = [.. sorted.Select(point => point.Y)];
        if (x[^1] <= x[0]) throw new Refusal("one-place", new { at = x[0] });
        return Make(x, y, Grid(x[0], x[^1], FinePlaces), [], Scale.Between(x[0], x[^1]), [.. sorted.SelectMany(point => new[] { point.X, point.Y })]);
    }

    public override object Describe() => new
    {
        kind = "line",
        x = Drawn(x),
        f = truth.Length > 0 ? Drawn(truth) : null,
        points,
    };

    public override Seen See(double[] answers, Net net, Func<Tensor, Tensor> activation)
    {
        double[] curve = [.. answers.Select(OutputScale.Out)];
        double[] errors = points is null
            ? [.. curve.Zip(truth, (a, b) => a - b)]
            : [.. (net.Apply(X, activation, classifies: false) - Y).ToDoubles().Select(error => error * OutputScale.Half)];
        return new Seen(errors.Max(Math.Abs), Math.Sqrt(errors.Average(error => error * error)), Curve: Drawn(curve));
    }

    public override double[] Thin(double[] values) => [.. Enumerable.Range(0, (values.Length + 9) / 10).Select(i => values[10 * i])];

    private static LineLesson Make(double[] x, double[] y, double[] fine, double[] truth, Scale scaleX, double[]? points)
    {
        var scaleY = Scale.Of(y);
        return new LineLesson(fine, truth, scaleX, points)
        {
            InputScales = [scaleX],
            OutputScale = scaleY,
            X = Tensor.Of([.. x.Select(scaleX.In)], [x.Length, 1]),
            Y = Tensor.Of([.. y.Select(scaleY.In)], [y.Length, 1]),
        };
    }

    private static double[] Grid(double from, double to, int count) =>
        [.. Enumerable.Range(0, count).Select(i => from + (to - from) * i / (count - 1))];

    private static float[] Drawn(double[] values) =>
        [.. Enumerable.Range(0, (values.Length - 1) / Stride + 1).Select(i => (float)values[i * Stride])];
}
