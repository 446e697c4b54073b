// Panels: some columns of a matrix copied so that the elements of a row, and then the rows, follow each other.
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Functional.Kernels;

/// <summary>Copies matrices into panels of one or two vectors.</summary>
internal static unsafe class GemmPack<TLanes, TVector, T>
    where TLanes : ILanes<TVector, T>
    where TVector : struct
    where T : unmanaged, INumber<T>
{
    /// <summary>Copies k rows of some columns into rows of the panel's width, the rest of which becomes zero.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Panel(nint k, int columns, int width, T* source, nint row, nint column, T* panel)
    {
        if (column == 1) Straight(k, columns, width, source, row, panel);
        else if (row == 1) Turn(k, columns, width, source, column, panel, width);
        else
        {
            for (nint l = 0; l < k; l++)
                for (var j = 0; j < width; j++) panel[(l * width) + j] = j < columns ? source[(l * row) + (j * column)] : default;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Straight(nint k, int columns, int width, T* source, nint row, T* panel)
    {
        int whole = columns - (columns % TLanes.Count), rest = columns - whole;
        for (; k > 0; k--, source += row, panel += width)
        {
            var j = 0;
            for (; j < whole; j += TLanes.Count) TLanes.Store(TLanes.Load(source + j), panel + j);
            if (j < width) TLanes.Store(TLanes.LoadFirst(rest, source + j), panel + j);
        }
    }

    /// <summary>Copies a matrix of k columns into its transpose, of k rows, whose columns from then on up to a width become zero.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Turn(nint k, int columns, int width, T* source, nint column, T* target, nint row)
    {
        var j = 0;
        if (Avx.IsSupported && sizeof(T) == 4)
        {
            for (; j + 8 <= columns; j += 8)
            {
                nint l = 0;
                for (; l + 8 <= k; l += 8) Square8((float*)(source + l), column, (float*)(target + (l * row)), row);
                for (; l < k; l++)
                    for (var i = 0; i < 8; i++) target[(l * row) + i] = source[l + (i * column)];
                source += 8 * column;
                target += 8;
            }
        }
        else if (Avx.IsSupported && sizeof(T) == 8)
        {
            for (; j + 4 <= columns; j += 4)
            {
                nint l = 0;
                for (; l + 4 <= k; l += 4) Square4((double*)(source + l), column, (double*)(target + (l * row)), row);
                for (; l < k; l++)
                    for (var i = 0; i < 4; i++) target[(l * row) + i] = source[l + (i * column)];
                source += 4 * column;
                target += 4;
            }
        }
        for (; j < width; j++, source += column, target++)
            for (nint l = 0; l < k; l++) target[l * row] = j < columns ? source[l] : default;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Square8(float* source, nint row, float* target, nint width)
    {
        Vector256<float> a = Vector256.Load(source), b = Vector256.Load(source + row), c = Vector256.Load(source + (2 * row)),
            d = Vector256.Load(source + (3 * row)), e = Vector256.Load(source + (4 * row)), f = Vector256.Load(source + (5 * row)),
            g = Vector256.Load(source + (6 * row)), h = Vector256.Load(source + (7 * row));
        Vector256<float> ab = Avx.UnpackLow(a, b), ab2 = Avx.UnpackHigh(a, b), cd = Avx.UnpackLow(c, d), cd2 = Avx.UnpackHigh(c, d),
            ef = Avx.UnpackLow(e, f), ef2 = Avx.UnpackHigh(e, f), gh = Avx.UnpackLow(g, h), gh2 = Avx.UnpackHigh(g, h);
        a = Avx.Shuffle(ab, cd, 0x44);
        b = Avx.Shuffle(ab, cd, 0xEE);
        c = Avx.Shuffle(ab2, cd2, 0x44);
        d = Avx.Shuffle(ab2, cd2, 0xEE);
        e = Avx.Shuffle(ef, gh, 0x44);
        f = Avx.Shuffle(ef, gh, 0xEE);
        g = Avx.Shuffle(ef2, gh2, 0x44);
        h = Avx.Shuffle(ef2, gh2, 0xEE);
        Avx.Permute2x128(a, e, 0x20).Store(target);
        Avx.Permute2x128(b, f, 0x20).Store(target + width);
        Avx.Permute2x128(c, g, 0x20).Store(target + (2 * width));
        Avx.Permute2x128(d, h, 0x20).Store(target + (3 * width));
        Avx.Permute2x128(a, e, 0x31).Store(target + (4 * width));
        Avx.Permute2x128(b, f, 0x31).Store(target + (5 * width));
        Avx.Permute2x128(c, g, 0x31).Store(target + (6 * width));
        Avx.Permute2x128(d, h, 0x31).Store(target + (7 * width));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Square4(double* source, nint row, double* target, nint width)
    {
        Vector256<double> a = Vector256.Load(source), b = Vector256.Load(source + row), c = Vector256.Load(source + (2 * row)),
            d = Vector256.Load(source + (3 * row));
        Vector256<double> ab = Avx.UnpackLow(a, b), ab2 = Avx.UnpackHigh(a, b), cd = Avx.UnpackLow(c, d), cd2 = Avx.UnpackHigh(c, d);
        Avx.Permute2x128(ab, cd, 0x20).Store(target);
        Avx.Permute2x128(ab2, cd2, 0x20).Store(target + width);
        Avx.Permute2x128(ab, cd, 0x31).Store(target + (2 * width));
        Avx.Permute2x128(ab2, cd2, 0x31).Store(target + (3 * width));
    }
}
