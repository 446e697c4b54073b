// What every layer must do: give Keras' shapes, and come back from a file.
using static Functional.CSharp.TensorMath;

namespace Fixtures;

internal static class LayerChecks
{
    public static Tensor Numbers(int batch, int[] shape) => Tensor.RandomNormal([batch, .. shape], RandomKey.Create(8), DType.Float32);

    /// <summary>Output shapes and numbers of weights, as Keras has them.</summary>
    public static void Shapes(IEnumerable<(Layer Layer, int[] Input, int[] Output, int Weights)> table)
    {
        foreach (var (layer, input, output, weights) in table)
        {
            var model = new Sequential([layer], seed: 1);
            model.Build(input);
            var name = $"{layer.GetType().Name} of ({string.Join(", ", input)})";
            Expect.Equal($"{name}: {string.Join(", ", model.OutputShape)}", $"{name}: {string.Join(", ", output)}");
            Expect.Equal($"{name}: {model.CountParams()}", $"{name}: {weights}");
            Expect.Shape(model.Predict(Input(layer, input)), [2, .. output]);
        }
    }

    /// <summary>A layer that was saved and loaded answers as before, and is saved as before.</summary>
    public static void Files(IEnumerable<(Layer Layer, int[] Input, int[] Output, int Weights)> table)
    {
        var path = Path.GetTempFileName();
        try
        {
            foreach (var (layer, input, _, _) in table)
            {
                var model = new Sequential([layer], seed: 1);
                model.Build(input);
                model.Save(path);
                var loaded = Sequential.Load(path);
                Expect.Equal(loaded.Layers[0].GetType(), layer.GetType());
                Expect.Equal(loaded.Summary(TextWriter.Null), model.Summary(TextWriter.Null));
                var x = Input(layer, input);
                Expect.Equal(Abs(loaded.Predict(x) - model.Predict(x)).Max().ToDouble(), 0.0);
                loaded.Save(path + "2");
                Expect.True(File.ReadAllBytes(path + "2").SequenceEqual(File.ReadAllBytes(path)), $"{layer.GetType().Name}: saved again, the file is another");
            }
        }
        finally
        {
            File.Delete(path);
            File.Delete(path + "2");
        }
    }

    private static Tensor Input(Layer layer, int[] shape) => layer is Embedding ? Tensor.Zeros([2, .. shape], DType.Int32) : Numbers(2, shape);
}
