// What the network has learnt, and what it sees: its first filters, and for a few digits what each layer makes of them.
using Functional.Plots;
using SkiaSharp;
using static SkiaSharp.SKTextAlign;

internal static class Drawing
{
    private const double Margin = 44;
    private const double Line = 30;

    /// <summary>Loss and accuracy, epoch by epoch.</summary>
    public static void Curves(string path, History history)
    {
        var epochs = Enumerable.Range(1, history.Epochs).Select(epoch => (double)epoch).ToArray();
        Chart Panel(string title, string name, Corner corner)
        {
            var panel = new Chart(title, "epoch", name);
            panel.Line("digits learnt from, moved and with dropout", epochs, history[name], Palette.Grey, 2.5);
            panel.Line("new digits", epochs, history["val_" + name], Palette.Blue, 2.5);
            panel.Legend(corner);
            panel.Plot.Axes.SetLimitsX(1, Math.Max(2, epochs.Length));
            return panel;
        }
        Figure.Save(path, 2, 680, 440,
        [
            Panel("Cross-entropy", "loss", Corner.UpperRight),
            Panel($"Accuracy: {history["val_accuracy"][^1]:P2} of new digits in the end", "accuracy", Corner.LowerRight),
        ]);
    }

    /// <summary>The filters of the first convolution, and for a few new digits the maps of both convolutions and the answer.</summary>
    public static void Sight(string path, Sequential model, DigitSet digits)
    {
        const double Filter = 44, Image = 224, First = 68, Second = 32, Gap = 4, Space = 44, Answer = 180;
        var labels = digits.YTest.ToArray<int>();
        int[] shown = [Array.IndexOf(labels, 2), Array.IndexOf(labels, 4), Array.IndexOf(labels, 5)];
        var x = Tensor.Concat(shown.Select(place => digits.XTest.Slice(place..(place + 1))));
        var filters = model.Weights[0];
        var (first, second, said) = (After(model, 2, x), After(model, 4, x), model.Predict(x));

        const double FirstWidth = 8 * (First + Gap), SecondWidth = 8 * (Second + Gap);
        const double Width = 2 * Margin + Image + Space + FirstWidth + Space + SecondWidth + Space + Answer;
        const double Row = 4 * (First + Gap) + 40;
        using var sheet = new Sheet((int)Width, (int)(Margin + 3 * Line + 2 * (Filter + Gap) + 2 * Line + shown.Length * Row));
        var y = Margin;
        sheet.Bold("What the network has learnt to look for", Margin, y + 10, 24, Shade.Ink, Left);
        sheet.Words("the 32 filters of the first layer: orange weighs for, blue against", Margin, y + 10 + Line, 16, Shade.Quiet, Left);
        y += 10 + 1.7 * Line;
        for (var i = 0; i < 32; i++)
        {
            var (left, top) = (Margin + i % 16 * (Filter + 12), y + i / 16 * (Filter + 12));
            sheet.Image(Signed(Channel(filters.Reshape(1, 5, 5, 32), 0, i)), left, top, Filter, Filter);
            sheet.Frame(left, top, Filter, Filter, Shade.Line, 1);
        }
        y += 2 * (Filter + 12) + 1.6 * Line;

        sheet.Bold("What it sees", Margin, y, 24, Shade.Ink, Left);
        var firstLeft = Margin + Image + Space;
        var secondLeft = firstLeft + FirstWidth + Space;
        var answerLeft = secondLeft + SecondWidth + Space;
        sheet.Words("32 maps of the first convolution, 24×24", firstLeft, y, 16, Shade.Quiet, Left);
        sheet.Words("64 maps of the second, 8×8", secondLeft, y, 16, Shade.Quiet, Left);
        sheet.Words("the answer", answerLeft, y, 16, Shade.Quiet, Left);
        y += 20;
        for (var k = 0; k < shown.Length; k++, y += Row)
        {
            sheet.Image(Dark(Channel(x.Reshape(shown.Length, 28, 28, 1), k, 0)), Margin, y, Image, Image);
            sheet.Frame(Margin, y, Image, Image, Shade.Line, 1);
            Maps(sheet, first, k, First, firstLeft, y);
            Maps(sheet, second, k, Second, secondLeft, y);
            for (var digit = 0; digit < 10; digit++)
            {
                var (top, sure) = (y + digit * 29, said.Slice(k, digit).ToDouble());
                var colour = digit == labels[shown[k]] ? Shade.Green : Shade.Orange;
                sheet.Words($"{digit}", answerLeft + 6, top + 16, 16, Shade.Ink, Center);
                sheet.Box(answerLeft + 22, top, Answer - 22, 20, SKColor.Parse("#EEF0F2"));
                sheet.Box(answerLeft + 22, top, (Answer - 22) * sure, 20, colour);
            }
        }
        sheet.Save(path);

        void Maps(Sheet on, Tensor maps, int example, double size, double left, double top)
        {
            for (var i = 0; i < maps.Shape[3]; i++)
            {
                var (mapLeft, mapTop) = (left + i % 8 * (size + Gap), top + i / 8 * (size + Gap));
                on.Image(Dark(Channel(maps, example, i)), mapLeft, mapTop, size, size);
                on.Frame(mapLeft, mapTop, size, size, Shade.Line, 1);
            }
        }
    }

    /// <summary>What the first so many layers make of some images: a model of these layers, with the weights they have learnt.</summary>
    private static Tensor After(Sequential model, int layers, Tensor x)
    {
        var part = new Sequential(model.Layers.Take(layers));
        part.Build(x.Shape[1..]);
        part.Weights = [.. model.Weights.Take(part.Weights.Count)];
        return part.Predict(x);
    }

    private static double[,] Channel(Tensor images, int example, int channel) => images.Slice(example, .., .., channel).ToArray2D();

    private static SKColor[,] Dark(double[,] values) => Colours(values, Shade.Dark);

    private static SKColor[,] Signed(double[,] values) => Colours(values, Shade.Signed);

    /// <summary>Each number's colour, the largest in size being 1; nothing but zeros stays white.</summary>
    private static SKColor[,] Colours(double[,] values, Func<double, SKColor> colour)
    {
        var largest = Math.Max(1e-6, values.Cast<double>().Max(Math.Abs));
        var colours = new SKColor[values.GetLength(0), values.GetLength(1)];
        for (var row = 0; row < values.GetLength(0); row++)
            for (var column = 0; column < values.GetLength(1); column++) colours[row, column] = colour(values[row, column] / largest);
        return colours;
    }
}
