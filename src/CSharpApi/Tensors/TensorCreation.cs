// Making tensors from C#: static members that C# sees on Tensor itself, `Tensor.Of([1.0, 2.0])`.
namespace Functional.CSharp;

/// <summary>Makes tensors: these members read as static members of <see cref="Tensor"/>.</summary>
/// <example><code>
/// var x = Tensor.Of([1.0, 2.0, 3.0]);                 // Float64, shape 3
/// var w = Tensor.Of(new float[,] { { 1, 2 }, { 3, 4 } }); // Float32, shape 2×2
/// var z = Tensor.Zeros([2, 3], DType.Float32);
/// </code></example>
public static class TensorCreation
{
    extension(Tensor)
    {
        /// <summary>A vector; the element type is that of the numbers (float, double, int, long or bool).</summary>
        /// <param name="elements">The numbers, in order.</param>
        /// <example><code>var x = Tensor.Of(1.0, 2.0, 3.0);   // shape 3</code></example>
        /// <exception cref="NotSupportedException">Tensors do not hold elements of this type.</exception>
        public static Tensor Of<T>(params T[] elements)
            where T : unmanaged
        {
            ArgumentNullException.ThrowIfNull(elements);
            return Make([elements.Length], elements);
        }

        /// <summary>Elements under a shape, in row-major order.</summary>
        /// <param name="elements">The numbers, as many as the shape has places.</param>
        /// <param name="shape">The sizes of the axes; none for a single number.</param>
        /// <example><code>var x = Tensor.Of([1.0, 2, 3, 4, 5, 6], shape: [2, 3]);</code></example>
        /// <exception cref="ArgumentException">The shape has another number of places.</exception>
        public static Tensor Of<T>(T[] elements, int[] shape)
            where T : unmanaged
        {
            ArgumentNullException.ThrowIfNull(elements);
            ArgumentNullException.ThrowIfNull(shape);
            return Make([.. shape], elements);
        }

        /// <summary>A matrix from a two-dimensional array.</summary>
        /// <param name="elements">Rows and columns.</param>
        /// <example><code>var w = Tensor.Of(new double[,] { { 1, 2 }, { 3, 4 } });   // shape 2×2</code></example>
        public static Tensor Of<T>(T[,] elements)
            where T : unmanaged
        {
            ArgumentNullException.ThrowIfNull(elements);
            return Make([elements.GetLength(0), elements.GetLength(1)], [.. elements.Cast<T>()]);
        }

        /// <summary>A matrix from rows of equal length.</summary>
        /// <param name="rows">The rows, from the first to the last.</param>
        /// <example><code>var x = Tensor.Of(new double[][] { [1, 2], [3, 4] });   // shape 2×2</code></example>
        /// <exception cref="ArgumentException">The rows differ in length.</exception>
        public static Tensor Of<T>(T[][] rows)
            where T : unmanaged
        {
            ArgumentNullException.ThrowIfNull(rows);
            return TensorModule.ofRows<T[], T>(rows);
        }

        /// <summary>A single number: shape [].</summary>
        /// <param name="value">The number.</param>
        /// <param name="dtype">Its element type; Float64 unless said otherwise.</param>
        /// <example><code>var two = Tensor.Scalar(2.0);</code></example>
        public static Tensor Scalar(double value, DType dtype = DType.Float64) => TensorModule.scalarOf(dtype, value);

        /// <summary>Equal elements.</summary>
        /// <param name="shape">The sizes of the axes.</param>
        /// <param name="value">Every element.</param>
        /// <param name="dtype">The element type; Float64 unless said otherwise.</param>
        /// <example><code>var half = Tensor.Full([2, 3], 0.5);</code></example>
        public static Tensor Full(int[] shape, double value, DType dtype = DType.Float64)
        {
            ArgumentNullException.ThrowIfNull(shape);
            return TensorModule.full(dtype, shape, value);
        }

        /// <summary>Zeros.</summary>
        /// <param name="shape">The sizes of the axes.</param>
        /// <param name="dtype">The element type; Float64 unless said otherwise.</param>
        /// <example><code>var bias = Tensor.Zeros([10], DType.Float32);</code></example>
        public static Tensor Zeros(int[] shape, DType dtype = DType.Float64) => Tensor.Full(shape, 0.0, dtype);

        /// <summary>Ones.</summary>
        /// <param name="shape">The sizes of the axes.</param>
        /// <param name="dtype">The element type; Float64 unless said otherwise.</param>
        /// <example><code>var scale = Tensor.Ones([10], DType.Float32);</code></example>
        public static Tensor Ones(int[] shape, DType dtype = DType.Float64) => Tensor.Full(shape, 1.0, dtype);

        /// <summary>Zeros of another tensor's shape and element type.</summary>
        /// <param name="like">The tensor to be like.</param>
        /// <example><code>var velocity = Tensor.ZerosLike(weights);</code></example>
        public static Tensor ZerosLike(Tensor like)
        {
            ArgumentNullException.ThrowIfNull(like);
            return TensorModule.zerosLike(like);
        }

        /// <summary>Ones of another tensor's shape and element type.</summary>
        /// <param name="like">The tensor to be like.</param>
        /// <example><code>var seed = Tensor.OnesLike(output);</code></example>
        public static Tensor OnesLike(Tensor like)
        {
            ArgumentNullException.ThrowIfNull(like);
            return TensorModule.onesLike(like);
        }

        /// <summary>0, 1 … count − 1, Int32.</summary>
        /// <param name="count">How many.</param>
        /// <example><code>var places = Tensor.Iota(4);   // 0, 1, 2, 3</code></example>
        public static Tensor Iota(int count) => TensorModule.iota(count);

        /// <summary>Numbers from start in steps, up to and without stop, Float64.</summary>
        /// <param name="start">The first.</param>
        /// <param name="stop">The end, not included.</param>
        /// <param name="step">The distance between neighbours.</param>
        /// <example><code>var x = Tensor.Arange(0, 1, 0.25);   // 0, 0.25, 0.5, 0.75</code></example>
        public static Tensor Arange(double start, double stop, double step = 1.0) => TensorModule.arange(start, stop, step);

        /// <summary>Evenly spaced numbers, both ends included, Float64.</summary>
        /// <param name="start">The first.</param>
        /// <param name="stop">The last.</param>
        /// <param name="count">How many.</param>
        /// <example><code>var x = Tensor.Linspace(0, 1, 5);   // 0, 0.25, 0.5, 0.75, 1</code></example>
        public static Tensor Linspace(double start, double stop, int count) => TensorModule.linspace(start, stop, count);

        /// <summary>The identity matrix.</summary>
        /// <param name="size">The number of rows, and of columns.</param>
        /// <param name="dtype">The element type; Float64 unless said otherwise.</param>
        /// <example><code>var identity = Tensor.Eye(3);</code></example>
        public static Tensor Eye(int size, DType dtype = DType.Float64) => TensorModule.eye(dtype, size);

        /// <summary>Tensors joined along an axis they have.</summary>
        /// <param name="tensors">At least one; equal in every other axis.</param>
        /// <param name="axis">The axis to join along; negative ones count from the end.</param>
        /// <example><code>var both = Tensor.Concat([first, second], axis: 1);</code></example>
        public static Tensor Concat(IEnumerable<Tensor> tensors, int axis = 0)
        {
            ArgumentNullException.ThrowIfNull(tensors);
            return Functions.concat(axis, tensors);
        }

        /// <summary>Tensors of one shape joined along a new axis.</summary>
        /// <param name="tensors">At least one.</param>
        /// <param name="axis">Where the new axis stands in the result.</param>
        /// <example><code>var rows = Tensor.Stack([first, second]);   // shape 2×…</code></example>
        public static Tensor Stack(IEnumerable<Tensor> tensors, int axis = 0)
        {
            ArgumentNullException.ThrowIfNull(tensors);
            return Functions.stack(axis, tensors);
        }
    }

    /// <summary>Bytes are how the kernels see truth values; from a C# program they are numbers that no tensor holds.</summary>
    private static Tensor Make<T>(int[] shape, T[] elements)
        where T : unmanaged =>
        typeof(T) == typeof(byte)
            ? throw new NotSupportedException("Tensor.Of: tensors do not hold bytes; convert them to float, double, int, long or bool")
            : TensorModule.create(shape, elements);
}
