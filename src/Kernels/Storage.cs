// The bytes behind an array, and who may reuse them.
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Functional.Kernels;

/// <summary>
/// The bytes behind an array. A kernel pins what it touches and keeps it alive until it is done:
/// <code>
/// fixed (byte* px = x.Storage, py = y.Storage) { ... }
/// Storage.KeepAlive(x.Storage, y.Storage);
/// </code>
/// The pin alone is not enough: it holds the bytes, but a storage that is unreachable gives its bytes to the next array.
/// </summary>
public class Storage
{
    private byte[]? data;
    private readonly int offset;

    internal Storage(byte[] data, int offset, int length)
    {
        this.data = data;
        this.offset = offset;
        ByteLength = length;
    }

    /// <summary>How many bytes there are.</summary>
    public int ByteLength { get; }

    /// <summary>Whether the bytes were given back.</summary>
    public bool IsReleased => data is null;

    /// <summary>Whether the bytes were handed out bare, so that they are never given to another array.</summary>
    public bool IsExposed { get; private set; }

    /// <summary>Room for some bytes, whose values are not set.</summary>
    public static Storage Allocate(int bytes) => new(GC.AllocateUninitializedArray<byte>(bytes), 0, bytes);

    /// <summary>The first byte, for <c>fixed</c>.</summary>
    public ref byte GetPinnableReference() =>
        ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(Live()), offset);

    /// <summary>The bytes as elements. Whoever uses the span keeps the storage alive meanwhile.</summary>
    public Span<T> Span<T>()
        where T : unmanaged => MemoryMarshal.Cast<byte, T>(Live().AsSpan(offset, ByteLength));

    /// <summary>Says that the bytes may be seen by somebody who does not hold this storage: they are never reused.</summary>
    public void Expose() => IsExposed = true;

    /// <summary>Gives the bytes back; every later access throws. Does nothing the second time, or when exposed.</summary>
    public void Release()
    {
        if (!IsExposed) data = null;
    }

    /// <summary>Keeps storages from being reclaimed before this point; to be called after a kernel's last access.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void KeepAlive(Storage? a, Storage? b = null, Storage? c = null, Storage? d = null)
    {
        GC.KeepAlive(a);
        GC.KeepAlive(b);
        GC.KeepAlive(c);
        GC.KeepAlive(d);
    }

    private byte[] Live() => data ?? throw new ObjectDisposedException(
        "tensor", "this tensor was released when its transformation returned; return it from the function to keep it");
}
