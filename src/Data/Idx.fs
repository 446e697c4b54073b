/// Reading IDX files, the format of MNIST and its relatives: two zero bytes, the element type, the number of axes, their
/// sizes as big-endian 32-bit integers, then the elements, big-endian. Gzipped or not. The format is described at the
/// end of the MNIST database's page (LeCun, Cortes, Burges).
[<RequireQualifiedAccess>]
module Functional.Idx

open System
open System.Buffers.Binary
open System.IO
open System.IO.Compression
open Functional.Kernels

/// What the elements of an IDX file are.
type ElementType =
    | UnsignedByte
    | SignedByte
    | Int16
    | Int32
    | Float32
    | Float64

/// An IDX file as it is: shape, element type, and the bytes of the elements (big-endian).
type Contents = { Shape: int[]; Type: ElementType; Bytes: byte[] }

// What this file has to complain of; a damaged gzip stream throws InvalidDataException of its own.
exception private Malformed of message: string

let private fail name message = raise (Malformed $"{name}: {message}")

let private elementType name code =
    match code with
    | 0x08uy -> UnsignedByte
    | 0x09uy -> SignedByte
    | 0x0Buy -> Int16
    | 0x0Cuy -> Int32
    | 0x0Duy -> Float32
    | 0x0Euy -> Float64
    | other ->
        fail
            name
            $"the element type 0x{other:X2} is none of IDX (08 and 09: bytes, 0B: int16, 0C: int32, 0D: float, 0E: double)"

let private elementSize elementType =
    match elementType with
    | UnsignedByte
    | SignedByte -> 1
    | Int16 -> 2
    | Int32
    | Float32 -> 4
    | Float64 -> 8

let private readUpTo (stream: Stream) (buffer: byte[]) =
    stream.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream = false)

let private bytes name part (stream: Stream) count =
    let buffer = Array.zeroCreate<byte> count
    let got = readUpTo stream buffer

    if got < count then
        fail name $"the file ends within its {part}: {got} of {count} bytes are there"

    buffer

/// Where the length of the data is not known beforehand, this much is made room for at first, and more as it comes.
[<Literal>]
let private FirstBytes = 65536

/// What a header announces: the element type, the shape, and how many bytes of elements and of header there are.
[<Struct>]
type private Announced = { Elements: ElementType; Sizes: int[]; Bytes: int; Header: int }

let private header name (stream: Stream) : Announced =
    let magic = bytes name "first four bytes" stream 4

    if magic[0] <> 0uy || magic[1] <> 0uy then
        fail
            name
            $"not an IDX file: it begins with {Convert.ToHexString magic}, an IDX file with 0000, the element type (08 to 0E) and the number of axes"

    let elementType = elementType name magic[2]
    let header = bytes name "header" stream (4 * int magic[3])

    let sizes =
        Array.init (int magic[3]) (fun axis -> BinaryPrimitives.ReadUInt32BigEndian(ReadOnlySpan(header, 4 * axis, 4)))

    let product =
        Array.fold (fun product (size: uint32) -> product * bigint size) (bigint (elementSize elementType))

    // where one size is 0 there are no elements, but the others are sizes still
    if product (sizes |> Array.filter ((<>) 0u)) > bigint Array.MaxLength then
        let shown = String.Join("×", sizes)

        fail
            name
            $"the header announces {shown} elements of type {elementType}, more than one array holds; the file is damaged"

    {
        Elements = elementType
        Sizes = Array.map int sizes
        Bytes = int (product sizes)
        Header = 4 + header.Length
    }

let private show (announced: Announced) =
    let shown = String.Join("×", announced.Sizes)
    $"the header announces {shown} elements, {announced.Bytes} bytes"

let private truncated name announced (got: int64) =
    fail name $"truncated: {show announced}, and the file holds {got} of them"

let private goesOn name announced = fail name $"{show announced}, and the file goes on after them"

/// The elements of a file whose length is known: it has to fit before there is memory for them.
let private plain name (file: FileStream) : Contents =
    use buffered = new BufferedStream(file, 1 <<< 16)
    let announced = header name buffered
    let held = file.Length - int64 announced.Header

    if held < announced.Bytes then
        truncated name announced held

    if held > announced.Bytes then
        goesOn name announced

    {
        Shape = announced.Sizes
        Type = announced.Elements
        Bytes = bytes name "elements" buffered announced.Bytes
    }

/// The elements of a stream of unknown length, in memory that grows as they come.
let private growing name (stream: Stream) : struct (Contents * int) =
    let announced = header name stream
    let mutable data = Array.zeroCreate<byte>(min FirstBytes announced.Bytes)
    let mutable got = 0
    let mutable more = true

    while more && got < announced.Bytes do
        if got = data.Length then
            Array.Resize(&data, int (min (2L * int64 got) (int64 announced.Bytes)))

        let read = stream.ReadAtLeast(Span(data, got, data.Length - got), 1, throwOnEndOfStream = false)
        got <- got + read
        more <- read > 0

    if got < announced.Bytes then
        truncated name announced got

    // Reading on to the end also makes gzip compare its checksum.
    if stream.ReadByte() >= 0 then
        goesOn name announced

    { Shape = announced.Sizes; Type = announced.Elements; Bytes = data }, announced.Header + announced.Bytes

let private gzipped path (file: FileStream) : Contents =
    let struct (contents, length) =
        try
            use unzipped = new GZipStream(file, CompressionMode.Decompress, leaveOpen = true)
            growing path unzipped
        with :? InvalidDataException as error ->
            raise (InvalidDataException($"{path}: the gzip data is damaged, or its checksum does not fit", error))

    // GZipStream is content when the end of the file is missing. There, the length of the unzipped data stands.
    let ending = Array.zeroCreate<byte> 4
    file.Seek(-4L, SeekOrigin.End) |> ignore
    file.ReadExactly(ending, 0, 4)

    if BinaryPrimitives.ReadInt32LittleEndian(ReadOnlySpan ending) <> length then
        fail path "truncated: the end of the gzip data, with its checksum and length, is missing"

    contents

/// Reads an IDX file, gzipped or not. Memory is taken for what the file holds, not for what its header says.
/// <exception cref="T:System.IO.FileNotFoundException">There is no such file.</exception>
/// <exception cref="T:System.IO.IOException">It is a folder, a device or the like, or may not be read.</exception>
/// <exception cref="T:System.IO.InvalidDataException">The file is not IDX, is cut off or damaged; the message says where.</exception>
let readContents (path: string) : Contents =
    use file = RegularFile.openRead "IDX" path
    let isGzip = file.ReadByte() = 0x1F && file.ReadByte() = 0x8B
    file.Position <- 0L

    try
        if isGzip then gzipped path file else plain path file
    with Malformed message ->
        raise (InvalidDataException message)

/// The number of elements.
let internal count (contents: Contents) : int = contents.Bytes.Length / elementSize contents.Type

/// Refuses a file whose elements, at so many bytes each, are more than one array holds.
let internal requireRoom (path: string) (size: int) (contents: Contents) =
    if int64 (count contents) * int64 size > int64 (Int32.MaxValue - 64) then
        raise (
            InvalidDataException
                $"{path}: its {count contents} elements of type {contents.Type} would take {int64 (count contents) * int64 size} bytes as a tensor, more than one array holds; Idx.readContents gives them as bytes"
        )

/// The elements as a tensor: all integers as Int32, floats as they are.
let toTensor (contents: Contents) : Tensor =
    let bytes, width = contents.Bytes, elementSize contents.Type

    let create dtype (element: int -> 'T) =
        let array = NDArray.Allocate(contents.Shape, dtype)
        let elements = array.Storage.Span<'T>()

        for i in 0 .. count contents - 1 do
            elements[i] <- element i

        Storage.KeepAlive array.Storage
        Tensor.ofArrayValue (array.Settle())

    match contents.Type with
    | UnsignedByte -> create DType.Int32 (fun i -> int bytes[i])
    | SignedByte -> create DType.Int32 (fun i -> int (sbyte bytes[i]))
    | Int16 ->
        create DType.Int32 (fun i -> int (BinaryPrimitives.ReadInt16BigEndian(ReadOnlySpan(bytes, i * width, width))))
    | Int32 -> create DType.Int32 (fun i -> BinaryPrimitives.ReadInt32BigEndian(ReadOnlySpan(bytes, i * width, width)))
    | Float32 ->
        create DType.Float32 (fun i -> BinaryPrimitives.ReadSingleBigEndian(ReadOnlySpan(bytes, i * width, width)))
    | Float64 ->
        create DType.Float64 (fun i -> BinaryPrimitives.ReadDoubleBigEndian(ReadOnlySpan(bytes, i * width, width)))

/// Reads an IDX file, gzipped or not, as a tensor: all integers as Int32, floats as they are.
/// Example: `Idx.read "train-labels-idx1-ubyte.gz"` has shape 60000.
/// <exception cref="T:System.IO.FileNotFoundException">There is no such file.</exception>
/// <exception cref="T:System.IO.IOException">It is a folder, a device or the like, or may not be read.</exception>
/// <exception cref="T:System.IO.InvalidDataException">The file is not IDX, is cut off or damaged; the message says where.</exception>
let read (path: string) : Tensor =
    let contents = readContents path
    requireRoom path (max 4 (elementSize contents.Type)) contents
    toTensor contents
