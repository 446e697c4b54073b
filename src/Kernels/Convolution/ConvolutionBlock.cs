namespace Functional.Kernels;

/// <summary>
/// A part of an image [space.., channels] with its padding: where it begins along each axis (in the padding where negative)
/// and how many places it has. Read in place when it is the image itself, else copied with zeros around it.
/// </summary>
internal unsafe struct ConvolutionBlock
{
    private fixed int size[ConvolutionShape.Axes];
    private fixed int image[ConvolutionShape.Axes];
    private readonly int channels;

    public ConvolutionBlock(ReadOnlySpan<int> size, ReadOnlySpan<int> image, int channels)
    {
        for (var i = 0; i < ConvolutionShape.Axes; i++)
        {
            this.size[i] = size[i];
            this.image[i] = image[i];
        }
        this.channels = channels;
    }

    /// <summary>Elements.</summary>
    public readonly nint Count => (nint)size[0] * size[1] * size[2] * channels;

    /// <summary>The distance from a place to the next along each axis.</summary>
    public readonly nint Stride(int axis) => axis switch
    {
        0 => (nint)size[1] * size[2] * channels,
        1 => (nint)size[2] * channels,
        _ => channels,
    };

    /// <summary>Copies the block that begins at some places; only so many places of each axis are needed.</summary>
    public readonly void Copy<T>(T* source, ReadOnlySpan<int> begin, ReadOnlySpan<int> needed, T* target)
        where T : unmanaged
    {
        // Along the last axis: zeros, places of the image, zeros.
        int from = Math.Max(0, begin[2]), to = Math.Max(from, Math.Min(image[2], begin[2] + needed[2]));
        nint before = (nint)Math.Min(from - begin[2], needed[2]) * channels, inside = (nint)(to - from) * channels;
        var row = (nint)needed[2] * channels;
        for (var i = 0; i < needed[0]; i++)
        {
            for (var j = 0; j < needed[1]; j++)
            {
                var line = target + (i * Stride(0)) + (j * Stride(1));
                int plane = begin[0] + i, height = begin[1] + j;
                if (plane < 0 || plane >= image[0] || height < 0 || height >= image[1])
                {
                    new Span<T>(line, (int)row).Clear();
                    continue;
                }
                var own = source + (((((nint)plane * image[1]) + height) * image[2] + from) * channels);
                new Span<T>(line, (int)before).Clear();
                Buffer.MemoryCopy(own, line + before, inside * sizeof(T), inside * sizeof(T));
                new Span<T>(line + before + inside, (int)(row - before - inside)).Clear();
            }
        }
    }
}
