namespace Functional.Kernels;

/// <summary>One block of memory that stays where it is, cut into arrays by a plan; nothing in it is ever given back singly.</summary>
public sealed class Arena
{
    /// <summary>Every array in an arena begins at a multiple of this many bytes.</summary>
    public const int Alignment = 64;

    private readonly byte[] bytes;
    private readonly int start;

    public Arena(int size)
    {
        Size = size;
        bytes = LargePages.Allocate(size + Alignment);
        start = Pool.AlignedOffset(bytes);
    }

    public int Size { get; }

    /// <summary>The array of a shape that begins at an offset.</summary>
    public NDArray At(int offset, int[] shape, DType type) => new(shape, View(offset, shape, type), type);

    /// <summary>An array that can be moved along; see <see cref="StorageView"/>.</summary>
    public StorageView View(int offset, int[] shape, DType type)
    {
        var length = type.Size();
        foreach (var size in shape) length *= size;
        return new StorageView(bytes, start + offset, length);
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
        return new StorageView(whole.Bytes, whole.Offset, length) { origin = whole.Offset };
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
