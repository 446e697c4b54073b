// A network far too large for its few digits learns them by heart; the same with dropout has to spread what it knows. Both are
// measured with dropout switched off, on the digits they have seen and on new ones.
using Playground.Digits;

namespace Playground.Slides;

internal sealed class Overfitting
{
    private const int Seen = 300, Fresh = 600;

    private readonly Tensor x, y, freshX, freshY;
    private readonly Sequential plain, dropped;

    public Overfitting(Taught taught, double rate)
    {
        // a tenth of the labels is wrong, and can be learnt by heart only
        var random = new System.Random(1);
        var labels = taught.Labels.Slice(..(Seen + Fresh)).ToArray<int>();
        var answers = Tensor.Of([.. labels.Select(label => random.Next(10) == 0 ? random.Next(10) : label)]).OneHot(10);
        (x, freshX) = (taught.Images.Slice(..Seen), taught.Images.Slice(Seen..(Seen + Fresh)));
        (y, freshY) = (answers.Slice(..Seen), answers.Slice(Seen..));
        (plain, dropped) = (Network(0), Network(rate));
    }

    /// <summary>An epoch more, and the losses after it.</summary>
    public object Learn()
    {
        plain.Fit(x, y, batchSize: 50, verbose: 0);
        dropped.Fit(x, y, batchSize: 50, verbose: 0);
        return Look();
    }

    public object Look() => new
    {
        plain = new { seen = Loss(plain, x, y), fresh = Loss(plain, freshX, freshY) },
        dropped = new { seen = Loss(dropped, x, y), fresh = Loss(dropped, freshX, freshY) },
    };

    private static double Loss(Sequential network, Tensor x, Tensor y) => network.Evaluate(x, y, batchSize: Fresh)["loss"];

    private static Sequential Network(double rate)
    {
        var network = new Sequential("digits", seed: 1);
        network.Add(new Dropout(rate / 3) { InputShape = [28 * 28] });
        foreach (var _ in (int[])[1, 2])
        {
            network.Add(new Dense(128, activation: "relu"));
            network.Add(new Dropout(rate));
        }
        network.Add(new Dense(10, activation: "softmax"));
        network.Compile(loss: "categorical_crossentropy", optimizer: new Adam(0.002));
        return network;
    }
}
