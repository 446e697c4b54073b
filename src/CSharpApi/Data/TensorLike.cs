// What a model takes as data: tensors, or the arrays that a C# program has.
namespace Functional.CSharp;

/// <summary>Data for a model: a tensor, or an array that converts to one. Arrays of floats and doubles become Float32,
/// which is what models compute in; integers stay integers. The first axis counts the examples.</summary>
/// <example><code>
/// model.Fit(new float[][] { [0, 0], [0, 1], [1, 0], [1, 1] }, new float[] { 0, 1, 1, 0 });
/// </code></example>
public readonly struct TensorLike
{
    private readonly Tensor? tensor;

    private TensorLike(Tensor tensor) => this.tensor = tensor;

    /// <summary>A tensor as it is.</summary>
    public static implicit operator TensorLike(Tensor tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        return new(tensor);
    }

    /// <summary>One number for each example.</summary>
    public static implicit operator TensorLike(float[] numbers) => new(Tensor.Of<float>(numbers));

    /// <summary>One number for each example, as Float32.</summary>
    public static implicit operator TensorLike(double[] numbers) => new(Tensor.Of<double>(numbers).Cast(DType.Float32));

    /// <summary>One integer for each example: classes, usually.</summary>
    public static implicit operator TensorLike(int[] numbers) => new(Tensor.Of<int>(numbers));

    /// <summary>A row for each example.</summary>
    public static implicit operator TensorLike(float[][] rows) => new(Tensor.Of<float>(rows));

    /// <summary>A row for each example, as Float32.</summary>
    public static implicit operator TensorLike(double[][] rows) => new(Tensor.Of<double>(rows).Cast(DType.Float32));

    /// <summary>A row for each example.</summary>
    public static implicit operator TensorLike(float[,] rows) => new(Tensor.Of<float>(rows));

    /// <summary>A row for each example, as Float32.</summary>
    public static implicit operator TensorLike(double[,] rows) => new(Tensor.Of<double>(rows).Cast(DType.Float32));

    /// <summary>The data as a tensor.</summary>
    /// <exception cref="ArgumentException">There is none: this is the struct's default value.</exception>
    public Tensor ToTensor() =>
        tensor ?? throw new ArgumentException("data: nothing was given; pass a tensor or an array");
}
