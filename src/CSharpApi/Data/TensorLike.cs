// What a model takes as data: tensors, or the arrays that a C# program has.
using System.Runtime.CompilerServices;

namespace Functional.CSharp;

/// <summary>Data for a model: a tensor, or an array that converts to one. Arrays of floats and doubles become Float32,
/// which is what models compute in; integers stay integers. The first axis counts the examples. For a model of several inputs
/// or outputs, one for each in brackets.</summary>
/// <example><code>
/// model.Fit(new float[][] { [0, 0], [0, 1], [1, 0], [1, 1] }, new float[] { 0, 1, 1, 0 });
/// pair.Fit([images, sizes], labels);
/// </code></example>
[CollectionBuilder(typeof(TensorLike), nameof(Create))]
public readonly struct TensorLike
{
    private readonly Tensor[]? tensors;

    private TensorLike(params Tensor[] tensors) => this.tensors = tensors;

    /// <summary>Data of several inputs or outputs, in order.</summary>
    /// <param name="all">A tensor for each.</param>
    public static TensorLike Create(ReadOnlySpan<TensorLike> all)
    {
        var tensors = new List<Tensor>();
        foreach (var one in all) tensors.Add(one.ToTensor());
        return new([.. tensors]);
    }

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

    /// <summary>Data of several inputs or outputs.</summary>
    public static implicit operator TensorLike(Tensor[] tensors)
    {
        ArgumentNullException.ThrowIfNull(tensors);
        return new([.. tensors]);
    }

    /// <summary>A row of integers for each example: tokens, usually.</summary>
    public static implicit operator TensorLike(int[][] rows) => new(Tensor.Of<int>(rows));

    /// <summary>A row of integers for each example: tokens, usually.</summary>
    public static implicit operator TensorLike(int[,] rows) => new(Tensor.Of<int>(rows));

    /// <summary>A row for each example.</summary>
    public static implicit operator TensorLike(float[][] rows) => new(Tensor.Of<float>(rows));

    /// <summary>A row for each example, as Float32.</summary>
    public static implicit operator TensorLike(double[][] rows) => new(Tensor.Of<double>(rows).Cast(DType.Float32));

    /// <summary>A row for each example.</summary>
    public static implicit operator TensorLike(float[,] rows) => new(Tensor.Of<float>(rows));

    /// <summary>A row for each example, as Float32.</summary>
    public static implicit operator TensorLike(double[,] rows) => new(Tensor.Of<double>(rows).Cast(DType.Float32));

    /// <summary>An array of any rank and any type of number: floats of any width become Float32, long integers stay, other
    /// integers become Int32.</summary>
    /// <exception cref="ArgumentException">Elements that are no numbers.</exception>
    public static implicit operator TensorLike(Array data)
    {
        ArgumentNullException.ThrowIfNull(data);
        int[] shape = [.. Enumerable.Range(0, data.Rank).Select(data.GetLength)];
        return new(Type.GetTypeCode(data.GetType().GetElementType()) switch
        {
            TypeCode.Single => Tensor.Of([.. data.Cast<float>()], shape),
            TypeCode.Double or TypeCode.Decimal => Tensor.Of(Numbers(data, Convert.ToSingle), shape),
            TypeCode.Int64 => Tensor.Of([.. data.Cast<long>()], shape),
            TypeCode.Byte or TypeCode.SByte or TypeCode.Int16 or TypeCode.UInt16 or TypeCode.Int32 or TypeCode.Boolean => Tensor.Of(Numbers(data, Convert.ToInt32), shape),
            _ => throw new ArgumentException($"data: an array of {data.GetType().GetElementType()} holds no numbers that a model computes with; give floats, doubles or integers", nameof(data)),
        });

        static T[] Numbers<T>(Array data, Func<object, T> convert) => [.. data.Cast<object>().Select(convert)];
    }

    /// <summary>The data as a tensor.</summary>
    /// <exception cref="ArgumentException">There is none: this is the struct's default value; or there are several.</exception>
    public Tensor ToTensor() => ToTensors() is [var one]
        ? one
        : throw new ArgumentException($"data: {tensors!.Length} tensors were given where one is needed");

    /// <summary>The data of each input or output.</summary>
    /// <exception cref="ArgumentException">There is none.</exception>
    public Tensor[] ToTensors() => tensors is { Length: > 0 }
        ? tensors
        : throw new ArgumentException("data: nothing was given; pass a tensor or an array");

    /// <summary>The data of each input or output.</summary>
    public IEnumerator<TensorLike> GetEnumerator() => ToTensors().Select(tensor => (TensorLike)tensor).GetEnumerator();
}
