using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Functional.Kernels;

/// <summary>The bytes behind an array.</summary>
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

    public int ByteLength { get; }

    public bool IsReleased => data is null;

    public static Storage Allocate(int bytes) => new(GC.AllocateUninitializedArray<byte>(bytes), 0, bytes);

    public ref byte GetPinnableReference() =>
        ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(Live()), offset);

    public Span<T> Span<T>()
        where T : unmanaged => MemoryMarshal.Cast<byte, T>(Live().AsSpan(offset, ByteLength));

    private byte[] Live() => data ?? throw new ObjectDisposedException("tensor");
}
