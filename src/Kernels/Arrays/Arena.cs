namespace Functional.Kernels;

/// <summary>Memory that stays where it is, cut into arrays by a plan; nothing in it is ever given back singly.</summary>
/// <remarks>It is made of blocks, since one array of .NET holds 2 GB. An array in it lies in one block.</remarks>
public sealed class Arena
{
    /// <summary>Every array in an arena begins at a multiple of this many bytes.</summary>
    public const int Alignment = 64;

    /// <summary>The most bytes of a block: as many as the largest array takes, and a multiple of the alignment.</summary>
    public const int LargestBlock = (ArraySize.Limit + Alignment - 1) / Alignment * Alignment;

    private readonly long block;
    private readonly (byte[] Bytes, int Start)[] blocks;

    /// <summary>An arena in one block, for a single array.</summary>
    public Arena(int size)
        : this(size, LargestBlock)
    {
    }

    /// <summary>An arena of some bytes, of which each block but the last holds <paramref name="block"/>.</summary>
    /// <exception cref="OutOfMemoryException">There is no room for so much; the message says how much.</exception>
    public Arena(long size, int block)
    {
        Size = size;
        this.block = block;
        // an array without elements lies in a block, too
        blocks = new (byte[], int)[Math.Max(1, (size + block - 1) / block)];
        for (var i = 0; i < blocks.Length; i++)
        {
            var bytes = Allocate((int)Math.Min(block, size - (i * this.block)));
            blocks[i] = (bytes, Pool.AlignedOffset(bytes));
        }
    }

    /// <summary>The number of bytes.</summary>
    public long Size { get; }

    /// <summary>The array of a shape that begins at an offset.</summary>
    public NDArray At(long offset, int[] shape, DType type) => new(shape, View(offset, shape, type), type);

    /// <summary>An array that can be moved along; see <see cref="StorageView"/>.</summary>
    public StorageView View(long offset, int[] shape, DType type)
    {
        var (bytes, start) = blocks[offset / block];
        return new StorageView(bytes, start + (int)(offset % block), (int)ArraySize.Bytes(shape, type));
    }

    private byte[] Allocate(int length)
    {
        try
        {
            // the largest blocks are not aligned: there is no room for it
            return LargePages.Allocate((int)Math.Min((long)length + Alignment, Array.MaxLength));
        }
        catch (OutOfMemoryException e)
        {
            throw new OutOfMemoryException($"a compiled program needs {Size.ToString("N0", System.Globalization.CultureInfo.InvariantCulture)} bytes for what it computes on the way, and there is no room for them; smaller batches need less", e);
        }
    }
}

/// <summary>Part of another storage's bytes. A loop moves it from place to place instead of making one for each.</summary>
public sealed class StorageView : Storage
{
    internal StorageView(byte[] data, int offset, int length)
        : base(data, offset, length) => Expose();

    /// <summary>A view of the first bytes of a storage, which the view keeps from being reused.</summary>
    public static StorageView Of(Storage whole, int length)
    {
        whole.Expose();
        var view = Nowhere(length);
        view.Rebase(whole);
        return view;
    }

    /// <summary>A view of so many bytes that looks nowhere yet.</summary>
    public static StorageView Nowhere(int length) => new([], 0, length);

    private int origin;

    /// <summary>Looks at the bytes from an offset of the whole on.</summary>
    public void MoveTo(int position) => offset = origin + position;

    /// <summary>Looks at the same place of another whole.</summary>
    public void Rebase(Storage whole)
    {
        Show(whole);
        origin = whole.Offset;
        offset = origin;
    }
}
