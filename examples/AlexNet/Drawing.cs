// The network as a picture: its two streams, what each layer costs, its first filters, and what it says of textures.
using Functional.Plots;
using SkiaSharp;
using static SkiaSharp.SKTextAlign;

internal static class Drawing
{
    private const double Margin = 48;
    private const double Column = 152;
    private const double Upper = 240;
    private const double Lower = 420;
    private const double Bars = 700;
    private const double Samples = 830;

    /// <summary>The layers with parameters: their places in the network, what they are, and whether they see both streams.</summary>
    private static readonly (int Place, string Name, string How, bool Both)[] Learned =
    [
        (0, "convolution", "11×11, stride 4", true),
        (3, "convolution", "5×5", false),
        (6, "convolution", "3×3", true),
        (7, "convolution", "3×3", false),
        (8, "convolution", "3×3", false),
        (11, "dense", "dropout ½", true),
        (13, "dense", "dropout ½", true),
        (15, "dense", "softmax", true),
    ];

    /// <summary>Loss, step by step.</summary>
    public static void Curve(string path, IReadOnlyList<double> losses)
    {
        var panel = new Chart("AlexNet begins to tell textures apart", "training step", "cross-entropy of the batch");
        var steps = Enumerable.Range(1, losses.Count).Select(step => (double)step).ToArray();
        panel.Line("a guess among 1,000 classes", [1, Math.Max(2, steps.Length)], [Math.Log(1000), Math.Log(1000)], Palette.Grey, 1.5);
        panel.Line("a guess among the 8 there are", [1, Math.Max(2, steps.Length)], [Math.Log(8), Math.Log(8)], Palette.Orange, 1.5);
        panel.Line("the network", steps, losses.ToArray(), Palette.Blue, 2.5);
        panel.Legend(Corner.UpperRight);
        panel.Plot.Axes.SetLimits(1, Math.Max(2, steps.Length), 0, 1.35 * Math.Max(Math.Log(1000), losses.Max()));
        Figure.Save(path, 1, 760, 440, [panel]);
    }

    public static void Save(string path, Sequential model, IReadOnlyList<Stage> stages, Tensor images, int[] truth, int[] said)
    {
        using var sheet = new Sheet((int)(2 * Margin + 9 * Column), (int)(Samples + 430));
        sheet.Bold($"AlexNet, 2012: {model.CountParams():N0} parameters", Margin, 56, 26, Shade.Ink, Left);
        sheet.Words("Two graphics cards shared the network: where the lines do not cross, each half of the channels sees its own half only.", Margin, 86, 16, Shade.Quiet, Left);
        Streams(sheet, stages);
        Costs(sheet, stages);
        Filters(sheet, model.Weights[0]);
        Answers(sheet, images, truth, said);
        sheet.Save(path);
    }

    private static double Middle(int column) => Margin + (column + 0.5) * Column;

    /// <summary>Width and height of one stream's box: channels across, the image's side downwards.</summary>
    private static (double Width, double Height) Size(Stage stage) => stage.Output.Shape switch
    {
        [_, var side, _, var channels] => (14 + 0.2 * channels / 2, 30 + 2.2 * side),
        [_, var units] => (20, 30 + units / 2 * 0.055),
        _ => throw new InvalidOperationException($"no picture of {string.Join("×", stage.Output.Shape)}"),
    };

    private static void Streams(Sheet sheet, IReadOnlyList<Stage> stages)
    {
        const double Input = 110, Centre = 0.5 * (Upper + Lower);
        sheet.Bold("image", Middle(0), 124, 15, Shade.Ink, Center);
        sheet.Box(Middle(0) - Input / 2, Centre - Input / 2, Input, Input, Shade.Signed(-0.12));
        sheet.Frame(Middle(0) - Input / 2, Centre - Input / 2, Input, Input, Shade.Quiet, 1.5);
        sheet.Words("227×227×3", Middle(0), Lower + 128, 14, Shade.Ink, Center);

        // where lines leave the column before: its right edge, and the heights of its boxes
        (double X, double[] Y) before = (Middle(0) + Input / 2, [Centre]);
        for (var i = 0; i < Learned.Length; i++)
        {
            var (place, name, how, both) = Learned[i];
            var (stage, x) = (stages[place], Middle(i + 1));
            var (width, height) = Size(stage);
            double[] rows = i == Learned.Length - 1 ? [Centre] : [Upper, Lower];
            foreach (var row in rows)
            {
                foreach (var from in before.Y)
                    if (both || from == row) sheet.Line(before.X, from, x - width / 2, row, Shade.Quiet, 1.5);
                sheet.Box(x - width / 2, row - height / 2, width, height, Shade.Signed(stage.Output.Rank == 4 ? -0.35 : 0.35));
                sheet.Frame(x - width / 2, row - height / 2, width, height, Shade.Ink, 1.5);
            }
            sheet.Bold(name, x, 124, 15, Shade.Ink, Center);
            sheet.Words(how, x, 144, 14, Shade.Quiet, Center);
            sheet.Words(string.Join("×", stage.Output.Shape.Skip(1)), x, Lower + 128, 14, Shade.Ink, Center);
            before = (x + width / 2, rows);
        }
    }

    /// <summary>Under each layer: its parameters, and the numbers it gives for one image.</summary>
    private static void Costs(Sheet sheet, IReadOnlyList<Stage> stages)
    {
        const double High = 84, Wide = 44;
        var most = (Parameters: Learned.Max(l => stages[l.Place].Parameters), Outputs: Learned.Max(l => stages[l.Place].Outputs));
        sheet.Bold("parameters", Margin, Bars - 30, 15, Shade.Blue, Left);
        sheet.Bold("numbers it", Margin, Bars - 8, 15, Shade.Orange, Left);
        sheet.Bold("makes of an image", Margin, Bars + 10, 15, Shade.Orange, Left);
        for (var i = 0; i < Learned.Length; i++)
        {
            var (stage, x) = (stages[Learned[i].Place], Middle(i + 1));
            Bar(x - Wide - 3, (double)stage.Parameters / most.Parameters, stage.Parameters, Shade.Blue);
            Bar(x + 3, (double)stage.Outputs / most.Outputs, stage.Outputs, Shade.Orange);
        }

        void Bar(double left, double part, long number, SKColor colour)
        {
            sheet.Box(left, Bars - High * part, Wide, High * part, colour);
            sheet.Line(left, Bars, left + Wide, Bars, Shade.Quiet, 1);
            sheet.Words(number >= 1_000_000 ? $"{number / 1e6:F1}M" : $"{number / 1e3:F0}K", left + Wide / 2, Bars + 18, 13, colour, Center);
        }
    }

    /// <summary>The 96 filters of the first layer, in colour.</summary>
    private static void Filters(Sheet sheet, Tensor kernel)
    {
        const double Side = 40, Gap = 6;
        sheet.Bold("The 96 filters of the first layer, still much as they were drawn", Margin, Samples, 18, Shade.Ink, Left);
        for (var i = 0; i < 96; i++)
        {
            var filter = kernel.Slice(.., .., .., i);
            var largest = Math.Max(1e-6, Tensor.Abs(filter).Max().ToDouble());
            sheet.Image(Colours(filter / (2 * largest)), Margin + i % 12 * (Side + Gap), Samples + 22 + i / 12 * (Side + Gap), Side, Side);
        }
    }

    /// <summary>An image of each kind, with what the network says.</summary>
    private static void Answers(Sheet sheet, Tensor images, int[] truth, int[] said)
    {
        const double Side = 148, Gap = 34;
        var left = Margin + 12 * 46 + 56;
        sheet.Bold("Textures it has not seen, and what it says", left, Samples, 18, Shade.Ink, Left);
        for (var kind = 0; kind < Textures.Kinds.Length; kind++)
        {
            var place = Array.IndexOf(truth, kind);
            if (place < 0) continue;
            var (x, y) = (left + kind % 4 * (Side + Gap), Samples + 22 + kind / 4 * (Side + 44));
            sheet.Image(Colours(images.Slice(place)), x, y, Side, Side);
            var answer = said[place] < Textures.Kinds.Length ? Textures.Kinds[said[place]] : $"class {said[place]}";
            var right = said[place] == kind;
            sheet.Words(right ? answer : $"{answer}, not {Textures.Kinds[kind]}", x, y + Side + 21, 15, right ? Shade.Green : Shade.Orange, Left);
        }
    }

    /// <summary>Red, green and blue from −½ to ½ as colours.</summary>
    private static SKColor[,] Colours(Tensor image)
    {
        var (rows, columns, numbers) = (image.Shape[0], image.Shape[1], image.ToDoubles());
        byte Level(int row, int column, int channel) => (byte)(255 * Math.Clamp(numbers[(row * columns + column) * 3 + channel] + 0.5, 0, 1));
        var colours = new SKColor[rows, columns];
        for (var row = 0; row < rows; row++)
            for (var column = 0; column < columns; column++)
                colours[row, column] = new SKColor(Level(row, column, 0), Level(row, column, 1), Level(row, column, 2));
        return colours;
    }
}
