// Images to learn from, made up: eight kinds of texture, in random colours, sizes and places.
internal static class Textures
{
    private const int Side = 227;

    /// <summary>What the classes are called.</summary>
    public static readonly string[] Kinds = ["horizontal", "vertical", "rising", "falling", "checks", "dots", "rings", "waves"];

    /// <summary>So many images (n × 227 × 227 × 3, from −0.5 to 0.5) and their kinds; the same seed gives the same.</summary>
    public static (Tensor Images, Tensor Labels) Draw(int count, long seed)
    {
        var dice = new System.Random(seed.GetHashCode());
        var pixels = new float[count * Side * Side * 3];
        var labels = new int[count];
        for (var i = 0; i < count; i++)
        {
            labels[i] = (i + dice.Next(Kinds.Length)) % Kinds.Length;
            Paint(pixels.AsSpan(i * Side * Side * 3, Side * Side * 3), labels[i], dice);
        }
        return (Tensor.Of(pixels, [count, Side, Side, 3]), Tensor.Of(labels));
    }

    private static void Paint(Span<float> image, int kind, System.Random dice)
    {
        float[] one = [dice.NextSingle(), dice.NextSingle(), dice.NextSingle()];
        float[] other = [1 - one[0], 1 - one[1], 1 - one[2]];
        var size = 12 + 20 * dice.NextDouble();
        double left = size * dice.NextDouble(), top = size * dice.NextDouble();
        for (var row = 0; row < Side; row++)
            for (var column = 0; column < Side; column++)
            {
                double x = (column + left) / size, y = (row + top) / size;
                var mix = (float)(0.5 + 0.5 * Math.Tanh(3 * Wave(kind, x, y)));
                for (var c = 0; c < 3; c++)
                    image[(row * Side + column) * 3 + c] = mix * one[c] + (1 - mix) * other[c] - 0.5f + 0.05f * (dice.NextSingle() - 0.5f);
            }
    }

    /// <summary>Above 0 where a texture has the one colour, below 0 where it has the other.</summary>
    private static double Wave(int kind, double x, double y)
    {
        static double Cos(double turns) => Math.Cos(2 * Math.PI * turns);
        return kind switch
        {
            0 => Cos(y),
            1 => Cos(x),
            2 => Cos((x + y) / Math.Sqrt(2)),
            3 => Cos((x - y) / Math.Sqrt(2)),
            4 => 2 * Math.Sin(Math.PI * x) * Math.Sin(Math.PI * y),
            5 => Cos(x) + Cos(y) - 0.8,
            6 => Cos(Math.Sqrt((x - 4) * (x - 4) + (y - 4) * (y - 4))),
            _ => Cos(y + 0.35 * Math.Sin(2 * Math.PI * x / 2)),
        };
    }
}
