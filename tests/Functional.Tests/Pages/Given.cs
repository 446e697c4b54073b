// What the examples of C#'s docstrings take as given: members of the class that is named like their folder, or of Given. It is
// compiled together with the examples (CSharpProgram.fs), each of which is a class that inherits one of these.
global using System;
global using System.Collections.Generic;
global using System.IO;
global using System.Linq;
global using System.Threading.Tasks;
global using Functional;
global using Functional.CSharp;
global using Functional.Kernels;
global using Functional.Plots;
global using static Functional.CSharp.Differentiate;
global using static Functional.CSharp.Staging;
global using static Functional.CSharp.TensorMath;
global using DType = Functional.DType;
using System.Globalization;
using System.Text.RegularExpressions;

public abstract class Given
{
    public readonly List<string> Failures = [];

    public abstract Task Run();

    protected static Tensor Numbers(params int[] shape) => Tensor.RandomNormal(shape, RandomKey.Create(shape.Length), DType.Float32);

    // "shape 2×3", or numbers, of all values in turn
    protected void Check(string place, string words, params object[] values)
    {
        var isShape = words.StartsWith("shape ");
        double[] wanted = [.. Regex.Matches(words, @"-?\d+(\.\d+)?").Select(m => double.Parse(m.Value, CultureInfo.InvariantCulture))];
        double[] found = [.. values.SelectMany(value => value is Tensor t ? isShape ? [.. t.Shape.Select(n => (double)n)] : t.ToDoubles() : [Convert.ToDouble(value)])];
        if (wanted.Length != found.Length || wanted.Zip(found).Any(p => Math.Abs(p.First - p.Second) > 1e-6 * (1 + Math.Abs(p.First))))
            Failures.Add($"{place}: it is {string.Join(", ", found)}, not {words}");
    }

    protected void CheckText(string place, string text, object value)
    {
        var found = Convert.ToString(value, CultureInfo.InvariantCulture);
        if (found != text) Failures.Add($"{place}: it is {found}, not {text}");
    }
}

public abstract class DataGiven : Given
{
    protected readonly Sequential model = new([new Dense(1, inputDim: 2)]);
    protected readonly Model pair;
    protected readonly Tensor images = Numbers(4, 8), sizes = Numbers(4, 2), labels = Numbers(4, 1);

    protected DataGiven()
    {
        var (a, b) = (Model.Input(8), Model.Input(2));
        pair = new Model([a, b], new Dense(1).Apply(new Concatenate().Apply([a, b])));
        model.Compile("mse", "sgd");
        pair.Compile("mse", "sgd");
    }
}

public abstract class DifferentiationGiven : Given
{
    public sealed record Net(Tensor W);
    protected readonly Net net = new(Tensor.Of(2.0, 1.0));
    protected readonly Tensor x = Tensor.Of(1.0, 2.0), y = Tensor.Of(3.0, 5.0), v = Tensor.Of(1.0, 1.0);
    protected readonly Tensor a = Tensor.Scalar(2), b = Tensor.Scalar(1), xs = Tensor.Of(1.0, 2.0, 3.0);
    protected readonly Tensor batch = Tensor.Ones([3, 2]);
    protected readonly Tensor w = Tensor.Eye(2);
    protected readonly Func<Tensor, Tensor> f = x => (x * x * x).Sum();
    protected static Tensor Loss(Net net, Tensor batch) => (net.W * batch).Sum();
    protected static Tensor Loss(Net net, Tensor x, Tensor y) => Square(net.W * x - y).Mean();
}

public abstract class StagingGiven : DifferentiationGiven
{
    protected new readonly Tensor x = Tensor.Scalar(3), y = Tensor.Scalar(5);
}

public abstract class LayersGiven : Given
{
    protected readonly Sequential model = new();
    protected readonly Node x = Model.Input(6, 8), y = Model.Input(5, 8), gate = Model.Input(6, 8);
    protected readonly Node left = Model.Input(8), right = Model.Input(8);
    protected readonly Node queries = Model.Input(5, 8), values = Model.Input(6, 8), keys = Model.Input(6, 8);
    protected readonly Node decoded = Model.Input(5, 8), encoded = Model.Input(6, 8), sequence = Model.Input(6, 8);
    protected readonly Node present = Model.Input(6), question = Model.Input(6, 8), answer = Model.Input(5, 8);
}

public abstract class ModelsGiven : Given
{
    protected readonly Sequential model = new([new Dense(500, inputDim: 784), new Dense(500), new Dense(10, "softmax")]);
    protected readonly Tensor x = Numbers(8, 784), y = Numbers(8, 10), xTest = Numbers(4, 784), yTest = Numbers(4, 10);

    protected ModelsGiven() => model.Compile("mse", "sgd", ["accuracy"]);
}

public abstract class ModelSavingGiven : ModelsGiven
{
    protected ModelSavingGiven() => model.Save("model.safetensors");
}

public abstract class SequentialGiven : ModelSavingGiven;

public abstract class ModelTrainingGiven : ModelsGiven
{
    protected readonly Tensor images = Numbers(8, 784), labels = Numbers(8, 10), left = Numbers(4, 20), right = Numbers(4, 20);
    protected readonly Model twoOutputs, twins;

    protected ModelTrainingGiven()
    {
        var (a, b) = (Model.Input(20), Model.Input(20));
        twoOutputs = new Model(a, [new Dense(3, "softmax").Apply(a), new Dense(1).Apply(a)]);
        twins = new Model([a, b], new Dense(1).Apply(new Concatenate().Apply([a, b])));
        twins.Compile("mse", "sgd");
    }

    protected static IEnumerable<(Tensor X, Tensor Y)> Augmented(Tensor x, Tensor y, long seed) => [(x, y)];

    protected static IEnumerable<(Tensor[] X, Tensor[] Y)> PairsOf(Tensor x, long seed) => [([Numbers(4, 20), Numbers(4, 20)], [Numbers(4, 1)])];

    protected static async IAsyncEnumerable<(Tensor X, Tensor Y)> ReadBatches(string path)
    {
        await Task.Yield();
        yield return (Numbers(8, 784), Numbers(8, 10));
    }

    protected static async IAsyncEnumerable<(Tensor[] X, Tensor[] Y)> ReadPairs(string path)
    {
        await Task.Yield();
        yield return ([Numbers(4, 20), Numbers(4, 20)], [Numbers(4, 1)]);
    }
}

public abstract class ModelEvaluationGiven : ModelTrainingGiven;

public abstract class ModelBatchesGiven : ModelTrainingGiven;

public abstract class ModelGiven : ModelsGiven
{
    protected new readonly Node x = Model.Input(20);
    protected readonly Node features, left = Model.Input(20), right = Model.Input(20), question = Model.Input(20);
    protected readonly Model tower, encoder;
    protected readonly Tensor data = Numbers(8, 28, 28), texts = Tensor.Ones([4, 20], DType.Int32), counts = Numbers(4, 4), labels = Numbers(4, 1);
    protected readonly (Tensor X, Tensor Y)[] songs = [(Numbers(3, 10, 1), Numbers(3, 1))];

    protected ModelGiven()
    {
        features = new Dense(5).Apply(x);
        var inner = Model.Input(20);
        tower = new Model(inner, new Dense(3).Apply(inner));
        encoder = new Model(inner, [new Dense(3).Apply(inner), new Dense(2).Apply(inner)]);
    }
}

public abstract class TrainingGiven : ModelsGiven;

public abstract class TensorsGiven : Given
{
    protected readonly Tensor x = Tensor.Of(new double[,] { { 0.5, 0.25 }, { 0.75, 0.1 }, { 0.2, 0.3 }, { 0.4, 0.6 } });
    protected readonly Tensor y = Tensor.Of(new double[,] { { 1.5, 0.1 }, { 0.3, 2.2 }, { 1, 1 }, { 2, 2 } });
    protected readonly Tensor w = Tensor.Of(new double[,] { { 1, 2 }, { 3, 4 } });
    protected readonly Tensor p = Tensor.Of(0.25, 0.75), b = Tensor.Of(1.0, 2.0), v = Tensor.Of(3.0, 4.0), variance = Tensor.Of(1.0);
    protected readonly Tensor first = Tensor.Ones([2, 3]), second = Tensor.Zeros([2, 3]), weights = Tensor.Ones([3]), output = Tensor.Ones([2]);
    protected readonly Tensor logits = Numbers(2, 10), probabilities = Softmax(Numbers(2, 10)), distances = Numbers(2, 10), scores = Numbers(2, 10);
    protected readonly Tensor labels = Tensor.Of(1, 2, 3), answers = Tensor.Of(1, 0, 3);
    protected readonly Tensor steps = Numbers(4, 2), factors = Tensor.Full([4], 1.1);
    protected Tensor error = Tensor.Scalar(1);
}

public abstract class TensorAlgebraGiven : TensorsGiven
{
    protected readonly Tensor a = Tensor.Of(new double[,] { { 2, 1 }, { 1, 3 } }), c = Tensor.Eye(2), l = Tensor.Eye(2);
    protected readonly Tensor covariance = Tensor.Of(new double[,] { { 2, 1 }, { 1, 3 } }), symmetric = Tensor.Eye(2) * Tensor.Of(1.0, 2.0);
    protected readonly Tensor hessians = Tensor.Zeros([3, 2, 2]), gradients = Tensor.Ones([3, 2, 1]), batch = Tensor.Ones([3, 2, 2]);
}

public abstract class TensorShapesGiven : TensorsGiven
{
    protected readonly Tensor images = Numbers(5, 3, 28, 28), image = Numbers(4, 4), bias = Numbers(10), matrix = Numbers(2, 3);
    protected readonly Tensor vector = Numbers(3), column = Numbers(3, 1), row = Numbers(1, 3);
}

public abstract class GemmPackedGiven : Given
{
    protected readonly NDArray w = NDArray.Allocate([128, 512], DType.Float32), x = NDArray.Allocate([4, 128], DType.Float32), y = NDArray.Allocate([4, 512], DType.Float32);
}
