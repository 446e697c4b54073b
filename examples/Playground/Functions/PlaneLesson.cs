// Points of two colours in the plane: the sets of TensorFlow Playground, or the visitor's own table.
namespace Playground.Functions;

internal sealed class PlaneLesson : Lesson
{
    /// <summary>Places along each side of the decision field, and of a neuron's little picture.</summary>
    private const int Side = 61, Small = 21;

    private readonly (double X, double Y, double Label)[] known, fresh;
    private readonly (Scale X, Scale Y) scale;
    private readonly Tensor freshX;

    private PlaneLesson((double X, double Y, double Label)[] known, (double X, double Y, double Label)[] fresh, (Scale X, Scale Y) scale)
    {
        (this.known, this.fresh, this.scale) = (known, fresh, scale);
        freshX = Matrix(fresh.Length == 0 ? known : fresh, scale);
        var places = new double[Side * Side, 2];
        for (var i = 0; i < Side * Side; i++)
            (places[i, 0], places[i, 1]) = (2.0 * (i % Side) / (Side - 1) - 1, 2.0 * (i / Side) / (Side - 1) - 1);
        Places = Tensor.Of(places);
    }

    public override bool Classifies => true;

    public override Tensor Places { get; }

    /// <summary>Points to learn from, and others to be tested on, which may be none.</summary>
    public static PlaneLesson Of((double X, double Y, double Label)[] known, (double X, double Y, double Label)[] fresh)
    {
        var all = known.Concat(fresh).ToArray();
        var scale = (Widened(Scale.Of(all.Select(p => p.X))), Widened(Scale.Of(all.Select(p => p.Y))));
        return new PlaneLesson(known, fresh, scale)
        {
            InputScales = [scale.Item1, scale.Item2],
            X = Matrix(known, scale),
            Y = Tensor.Of([.. known.Select(p => p.Label)], [known.Length, 1]),
        };
    }

    public override object Describe() => new
    {
        kind = "plane",
        box = new[] { scale.X.Out(-1), scale.X.Out(1), scale.Y.Out(-1), scale.Y.Out(1) },
        side = Side,
        small = Small,
        points = Flat(known),
        fresh = Flat(fresh),
    };

    public override Seen See(double[] answers, Net net, Func<Tensor, Tensor> activation)
    {
        var said = net.Apply(freshX, activation, classifies: true).ToDoubles();
        var labels = fresh.Length == 0 ? known : fresh;
        var right = said.Zip(labels).Count(pair => pair.First >= 0 == pair.Second.Label > 0);
        return new Seen(Right: (double)right / labels.Length, Field: Bytes.Of(answers, 1));
    }

    public override double[] Thin(double[] values)
    {
        var thin = new double[Small * Small];
        const int stride = (Side - 1) / (Small - 1);
        for (var row = 0; row < Small; row++)
            for (var column = 0; column < Small; column++)
                thin[row * Small + column] = values[row * stride * Side + column * stride];
        return thin;
    }

    /// <summary>A margin around the points.</summary>
    private static Scale Widened(Scale scale) => scale with { Half = 1.1 * scale.Half };

    private static Tensor Matrix((double X, double Y, double Label)[] points, (Scale X, Scale Y) scale) =>
        Tensor.Of([.. points.SelectMany(p => new[] { scale.X.In(p.X), scale.Y.In(p.Y) })], [points.Length, 2]);

    private static float[] Flat((double X, double Y, double Label)[] points) =>
        [.. points.SelectMany(p => new[] { (float)p.X, (float)p.Y, (float)p.Label })];
}

/// <summary>Pictures of numbers, a byte each: 127 is 0, 254 the largest, 0 its opposite.</summary>
internal static class Bytes
{
    public static byte[] Of(double[] values, double largest) =>
        [.. values.Select(value => (byte)Math.Clamp(Math.Round(127 + 127 * (double.IsFinite(value) ? value / largest : 0)), 0, 254))];
}
