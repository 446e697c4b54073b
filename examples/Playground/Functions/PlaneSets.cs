// The two-dimensional sets that people know from TensorFlow Playground (playground/src/dataset.ts), drawn from a seed.
namespace Playground.Functions;

internal static class PlaneSets
{
    public static readonly string[] Names = ["circle", "xor", "gauss", "spiral"];

    /// <summary>So many points, in random order.</summary>
    /// <param name="name">One of the names.</param>
    /// <param name="count">How many, half of each class.</param>
    /// <param name="noise">From 0 to 0.5.</param>
    /// <param name="seed">What they are drawn from.</param>
    public static (double X, double Y, double Label)[] Draw(string name, int count, double noise, int seed)
    {
        var random = new System.Random(seed);
        double Uniform(double low, double high) => low + (high - low) * random.NextDouble();
        double Normal() => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());

        (double, double, double) Circle(int i)
        {
            var label = i % 2 == 0 ? 1 : -1;
            var radius = label > 0 ? Uniform(0, 2.5) : Uniform(3.5, 5);
            var angle = Uniform(0, 2 * Math.PI);
            var (x, y) = (radius * Math.Sin(angle), radius * Math.Cos(angle));
            var (noisyX, noisyY) = (x + Uniform(-5, 5) * noise, y + Uniform(-5, 5) * noise);
            return (x, y, noisyX * noisyX + noisyY * noisyY < 6.25 ? 1 : -1);
        }

        (double, double, double) Xor(int i)
        {
            double Away(double value) => value + (value > 0 ? 0.3 : -0.3);
            var (x, y) = (Away(Uniform(-5, 5)), Away(Uniform(-5, 5)));
            return (x, y, (x + Uniform(-5, 5) * noise) * (y + Uniform(-5, 5) * noise) >= 0 ? 1 : -1);
        }

        (double, double, double) Gauss(int i)
        {
            var label = i % 2 == 0 ? 1 : -1;
            var spread = 0.7 + 3 * noise;
            return (2 * label + spread * Normal(), 2 * label + spread * Normal(), label);
        }

        (double, double, double) Spiral(int i)
        {
            var (label, along) = (i % 2 == 0 ? 1 : -1, (double)(i / 2) / (count / 2));
            var (radius, angle) = (5 * along, 1.75 * along * 2 * Math.PI + (label > 0 ? 0 : Math.PI));
            return (radius * Math.Sin(angle) + Uniform(-1, 1) * noise, radius * Math.Cos(angle) + Uniform(-1, 1) * noise, label);
        }

        Func<int, (double, double, double)> draw = name switch
        {
            "circle" => Circle,
            "xor" => Xor,
            "gauss" => Gauss,
            "spiral" => Spiral,
            _ => throw new ArgumentException($"the sets are {string.Join(", ", Names)}; {name} was given"),
        };
        var points = Enumerable.Range(0, count).Select(draw).ToArray();
        random.Shuffle(points);
        return points;
    }
}
