using System.Numerics;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Functional.Kernels;

/// <summary>
/// A convolution of given sizes: y[n, o, f] = Σ x[n, o·stride − low + k·dilation, c]·w[k, c, f] over taps k and channels c of f's
/// group, or its transpose in x or in w. Images lie channels last, x [n, space.., channels], w [window.., channels / groups,
/// features], y [n, space.., features], with one to three axes of space. A plan is made from shapes alone, can be run many
/// times and from many threads, and its result has the same bits on any number of threads.
/// </summary>
public sealed unsafe class ConvolutionPlan
{
    /// <summary>Multiply-adds from which waking the workers is worth it.</summary>
    internal const long WorthSharing = 1_000_000;

    private enum Of : byte
    {
        Output,
        Input,
        Kernel,
    }

    private readonly Of of;
    private readonly Correlation plan;

    private ConvolutionPlan(Of of, int[] strides, int[] dilations, int[] low, int groups, int[] x, int[] w, int[] y)
    {
        this.of = of;
        plan = new Correlation(new(strides, dilations, low, groups, x, w, y), of == Of.Input);
    }

    /// <summary>
    /// (x, w) ↦ y, for the shapes of the three. For every axis of space: how far the window moves, how far its taps lie apart
    /// (both at least 1), and how many zeros stand before the image; then how many groups channels and features are divided into.
    /// </summary>
    public static ConvolutionPlan Output(int[] strides, int[] dilations, int[] low, int groups, int[] x, int[] w, int[] y) =>
        new(Of.Output, strides, dilations, low, groups, x, w, y);

    /// <summary>(y, w) ↦ x: the transpose in the input.</summary>
    public static ConvolutionPlan Input(int[] strides, int[] dilations, int[] low, int groups, int[] x, int[] w, int[] y) =>
        new(Of.Input, strides, dilations, low, groups, x, w, y);

    /// <summary>(x, y) ↦ w: the transpose in the kernel.</summary>
    public static ConvolutionPlan Kernel(int[] strides, int[] dilations, int[] low, int groups, int[] x, int[] w, int[] y) =>
        new(Of.Kernel, strides, dilations, low, groups, x, w, y);

    /// <summary>Computes the result from the two others, given in the order in which the plan was named.</summary>
    /// <exception cref="NotSupportedException">The elements are no floats.</exception>
    public void Run(NDArray a, NDArray b, NDArray result) => Run(a, b, null, result);

    /// <summary>The same with a number added to every channel of the result; not for kernels.</summary>
    public void RunAdd(NDArray a, NDArray b, NDArray bias, NDArray result) => Run(a, b, bias.InStorage().Storage, result);

    private void Run(NDArray a, NDArray b, Storage? bias, NDArray result)
    {
        if (!result.DType.IsFloat())
            throw new NotSupportedException($"convolution: not defined for {result.DType}; cast to a float type");
        if (result.Size == 0) return;
        fixed (byte* pa = a.Storage, pb = b.Storage, pbias = bias, presult = result.Storage)
        {
            if (of == Of.Kernel && (a.Size == 0 || b.Size == 0)) new Span<byte>(presult, result.Storage!.ByteLength).Clear();
            else if (result.DType == DType.Float32) Run((float*)pa, (float*)pb, (float*)pbias, (float*)presult);
            else Run((double*)pa, (double*)pb, (double*)pbias, (double*)presult);
        }
        Storage.KeepAlive(a.Storage, b.Storage, bias, result.Storage);
    }

    private void Run<T>(T* a, T* b, T* bias, T* result)
        where T : unmanaged, INumber<T>
    {
        if (Vector512.IsHardwareAccelerated) Run<Lanes<Simd512<T>, T>, Simd512<T>, T>(a, b, bias, result);
        else if (Fma.IsSupported && Avx2.IsSupported) Run<Lanes<Simd256<T>, T>, Simd256<T>, T>(a, b, bias, result);
        else if (Vector128.IsHardwareAccelerated) Run<Lanes<Simd128<T>, T>, Simd128<T>, T>(a, b, bias, result);
        else Run<LanesOfOne<T>, T, T>(a, b, bias, result);
    }

    private void Run<TLanes, TVector, T>(T* a, T* b, T* bias, T* result)
        where TLanes : ILanes<TVector, T>
        where TVector : struct
        where T : unmanaged, INumber<T>
    {
        if (of == Of.Kernel) ConvolutionGradient<TLanes, TVector, T>.Run(plan, a, b, result);
        else Correlation<TLanes, TVector, T>.Run(plan, a, b, bias, result);
    }

    /// <summary>Runs chunks on the workers, or here where the work is too little for them.</summary>
    internal static void Share<TBody>(long work, int chunks, ref TBody body)
        where TBody : struct, IChunks
    {
        if (work >= WorthSharing)
        {
            Workers.Run(chunks, ref body);
            return;
        }
        for (var chunk = 0; chunk < chunks; chunk++) body.Run(chunk);
    }
}
