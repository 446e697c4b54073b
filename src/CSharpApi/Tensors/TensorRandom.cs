// Random tensors from keys: the same key always gives the same numbers, on any number of threads.
namespace Functional.CSharp;

/// <summary>Keys: where random numbers come from. A key is a tensor; the same key always gives the same numbers. Never use
/// a key twice: split it.</summary>
/// <example><code>
/// var keys = RandomKey.Split(RandomKey.Create(42), 2);
/// var w = Tensor.RandomNormal([784, 500], keys[0]);
/// var mask = Tensor.RandomBernoulli(0.5, [500], keys[1]);
/// </code></example>
public static class RandomKey
{
    /// <summary>The key of a seed.</summary>
    public static Tensor Create(long seed) => Key.create(seed);

    /// <summary>Independent keys made from one.</summary>
    /// <param name="key">A key that is not used again.</param>
    /// <param name="count">How many.</param>
    public static Tensor[] Split(Tensor key, int count)
    {
        ArgumentNullException.ThrowIfNull(key);
        return Key.split(count, key);
    }

    /// <summary>A key for a number, as an epoch's: different numbers give independent keys.</summary>
    /// <param name="key">The key.</param>
    /// <param name="data">The number.</param>
    public static Tensor Fold(Tensor key, long data)
    {
        ArgumentNullException.ThrowIfNull(key);
        return Key.fold(data, key);
    }
}

/// <summary>Makes random tensors: these members read as static members of <see cref="Tensor"/>.</summary>
public static class TensorRandom
{
    extension(Tensor)
    {
        /// <summary>Uniform on [0, 1).</summary>
        /// <example><code>var u = Tensor.RandomUniform([2, 3], RandomKey.Create(1));</code></example>
        public static Tensor RandomUniform(int[] shape, Tensor key, DType dtype = DType.Float64) => RandomModule.uniform(dtype, NotNull(shape), NotNull(key));

        /// <summary>Standard normal.</summary>
        /// <example><code>var z = Tensor.RandomNormal([2, 3], RandomKey.Create(1));</code></example>
        public static Tensor RandomNormal(int[] shape, Tensor key, DType dtype = DType.Float64) => RandomModule.normal(dtype, NotNull(shape), NotNull(key));

        /// <summary>True with a probability.</summary>
        /// <example><code>var kept = Tensor.RandomBernoulli(0.8, [500], RandomKey.Create(1));</code></example>
        public static Tensor RandomBernoulli(double probability, int[] shape, Tensor key) => RandomModule.bernoulli(probability, NotNull(shape), NotNull(key));

        /// <summary>0 … count − 1 in random order, Int32.</summary>
        /// <example><code>var order = Tensor.RandomPermutation(60_000, RandomKey.Create(1));</code></example>
        public static Tensor RandomPermutation(int count, Tensor key) => RandomModule.permutation(count, NotNull(key));
    }

    private static T NotNull<T>(T value)
        where T : class
    {
        ArgumentNullException.ThrowIfNull(value);
        return value;
    }
}
