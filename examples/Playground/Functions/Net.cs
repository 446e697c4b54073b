// The network that the page shows: layers of neurons with one activation, the last of them a sum alone (or its tanh, where
// it tells two classes apart). Parameters are data, so they travel to the page and back as a row of numbers.
using static Functional.CSharp.TensorMath;

namespace Playground.Functions;

/// <summary>A layer's weights [inputs, outputs] and bias [outputs].</summary>
internal sealed record Linear(Tensor Weights, Tensor Bias)
{
    public Tensor Apply(Tensor x) => x.MatMul(Weights) + Bias;
}

internal sealed record Net(Linear[] Layers)
{
    /// <summary>Activations by name, as people know them from TensorFlow Playground, and two more of approximation theory.</summary>
    public static readonly Dictionary<string, Func<Tensor, Tensor>> Activations = new()
    {
        ["tanh"] = Tanh,
        ["relu"] = Relu,
        ["sigmoid"] = Sigmoid,
        ["linear"] = x => x,
        ["sin"] = Sin,
        ["gaussian"] = x => Exp(-Square(x)),
    };

    /// <summary>What every layer makes of some inputs [n, inputs]; the last one's is the answer [n, 1].</summary>
    public IEnumerable<Tensor> ApplyAll(Tensor x, Func<Tensor, Tensor> activation, bool classifies)
    {
        for (var i = 0; i < Layers.Length; i++)
        {
            x = Layers[i].Apply(x);
            if (i < Layers.Length - 1) x = activation(x);
            else if (classifies) x = Tanh(x);
            yield return x;
        }
    }

    public Tensor Apply(Tensor x, Func<Tensor, Tensor> activation, bool classifies) => ApplyAll(x, activation, classifies).Last();

    /// <summary>All parameters: layer by layer the weights, row by row, then the bias.</summary>
    public double[] Flat() => [.. Layers.SelectMany(layer => layer.Weights.ToDoubles().Concat(layer.Bias.ToDoubles()))];

    /// <summary>The same network with other parameters.</summary>
    /// <exception cref="ArgumentException">There are not as many.</exception>
    public Net With(double[] flat)
    {
        if (flat.Length != Count) throw new ArgumentException($"the network has {Count} parameters, {flat.Length} were given");
        var place = 0;
        Tensor Next(Tensor like) => Tensor.Of(flat[place..(place += like.Size)], like.Shape);
        return new Net([.. Layers.Select(layer => new Linear(Next(layer.Weights), Next(layer.Bias)))]);
    }

    public int Count => Layers.Sum(layer => layer.Weights.Size + layer.Bias.Size);

    /// <summary>A network of these widths, drawn from a seed. The first layer's neurons bend at places all over the box
    /// [−1, 1] of the inputs, so that each has something to do; the others begin as Glorot and Bengio (2010) say.</summary>
    public static Net Draw(int inputs, int[] hidden, int seed)
    {
        var random = new System.Random(seed);
        double Normal() => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
        double Uniform(double reach) => (2 * random.NextDouble() - 1) * reach;

        int[] widths = [inputs, .. hidden, 1];
        var layers = new Linear[widths.Length - 1];
        for (var i = 0; i < layers.Length; i++)
        {
            var (from, to) = (widths[i], widths[i + 1]);
            var (weights, bias) = (new double[from, to], new double[to]);
            for (var neuron = 0; neuron < to; neuron++)
                for (var input = 0; input < from; input++)
                {
                    weights[input, neuron] = i == 0 && hidden.Length > 0 ? 2.5 * Normal() : Uniform(Math.Sqrt(6.0 / (from + to)));
                    if (i == 0 && hidden.Length > 0) bias[neuron] -= weights[input, neuron] * Uniform(1);
                }
            layers[i] = new Linear(Tensor.Of(weights), Tensor.Of(bias));
        }
        return new Net(layers);
    }
}
