/// Reading IDX files, the format of MNIST and its relatives: two zero bytes, the element type, the number of axes, their
/// sizes as big-endian 32-bit integers, then the elements, big-endian. Gzipped or not. The format is described at the
/// end of the MNIST database's page (LeCun, Cortes, Burges).
[<RequireQualifiedAccess>]
module Functional.Idx

open System
open System.Buffers.Binary
open System.IO
open System.IO.Compression

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

let private fail name message = raise (InvalidDataException $"{name}: {message}")

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

/// Bytes handed on at a time: no multiple of the file is ever in memory.
[<Literal>]
let private PieceBytes = 65536

let private parse name (stream: Stream) (start: ElementType -> int[] -> (byte[] -> int -> unit)) =
    let magic = bytes name "first four bytes" stream 4

    if magic[0] <> 0uy || magic[1] <> 0uy then
        fail
            name
            $"not an IDX file: it begins with {Convert.ToHexString magic}, an IDX file with 0000, the element type (08 to 0E) and the number of axes"

    let elementType = elementType name magic[2]
    let header = bytes name "header" stream (4 * int magic[3])
    let size axis = BinaryPrimitives.ReadUInt32BigEndian(ReadOnlySpan(header, 4 * axis, 4))
    let sizes = Array.init (int magic[3]) size
    let shown = String.Join("×", sizes)

    let total =
        Array.fold (fun product (size: uint32) -> product * bigint size) (bigint (elementSize elementType)) sizes

    if total > bigint Array.MaxLength then
        fail
            name
            $"the header announces {shown} elements of type {elementType}, more than one array holds; the file is damaged"

    let total = int total
    let take = start elementType (Array.map int sizes)
    let piece = Array.zeroCreate<byte> PieceBytes
    let mutable got = 0
    let mutable more = true

    while more && got < total do
        let read =
            stream.ReadAtLeast(Span(piece, 0, min piece.Length (total - got)), 1, throwOnEndOfStream = false)

        take piece read
        got <- got + read
        more <- read > 0

    if got < total then
        fail name $"truncated: the header announces {shown} elements, {total} bytes, and the file holds {got} of them"

    // Reading on to the end also makes gzip compare its checksum.
    if stream.ReadByte() >= 0 then
        fail name $"the header announces {shown} elements, {total} bytes, and the file goes on after them"

    4 + header.Length + total

/// Reads an IDX file, gzipped or not, piece by piece: `start` is given the element type and the shape, and what it
/// returns is given the bytes of the elements (big-endian) in order, each time an array and how much of it counts.
let internal readPieces (path: string) (start: ElementType -> int[] -> (byte[] -> int -> unit)) : unit =
    if not (File.Exists path) then
        raise (FileNotFoundException($"{path}: there is no such file", path))

    use file = File.OpenRead path
    let isGzip = file.ReadByte() = 0x1F && file.ReadByte() = 0x8B
    file.Position <- 0L

    if not isGzip then
        use buffered = new BufferedStream(file, 1 <<< 16)
        parse path buffered start |> ignore
    else
        let length =
            try
                use unzipped = new GZipStream(file, CompressionMode.Decompress, leaveOpen = true)
                parse path unzipped start
            with :? InvalidDataException as error when not (error.Message.StartsWith(path, StringComparison.Ordinal)) ->
                raise (InvalidDataException($"{path}: the gzip data is damaged, or its checksum does not fit", error))

        // GZipStream is content when the end of the file is missing. There, the length of the unzipped data stands.
        let ending = Array.zeroCreate<byte> 4
        file.Seek(-4L, SeekOrigin.End) |> ignore
        file.ReadExactly(ending, 0, 4)

        if BinaryPrimitives.ReadInt32LittleEndian(ReadOnlySpan ending) <> length then
            fail path "truncated: the end of the gzip data, with its checksum and length, is missing"

/// Reads an IDX file, gzipped or not.
/// <exception cref="T:System.IO.FileNotFoundException">There is no such file.</exception>
/// <exception cref="T:System.IO.InvalidDataException">The file is not IDX, is cut off or damaged; the message says where.</exception>
let readContents (path: string) : Contents =
    let contents = ref { Shape = [||]; Type = UnsignedByte; Bytes = [||] }
    let filled = ref 0

    readPieces path (fun elementType shape ->
        let bytes = Array.zeroCreate<byte>(Array.fold (*) (elementSize elementType) shape)
        contents.Value <- { Shape = shape; Type = elementType; Bytes = bytes }

        fun piece count ->
            Array.blit piece 0 bytes filled.Value count
            filled.Value <- filled.Value + count)

    contents.Value

/// The elements as a tensor: all integers as Int32, floats as they are.
let toTensor (contents: Contents) : Tensor =
    let bytes, width = contents.Bytes, elementSize contents.Type
    let elements (element: int -> 'T) = Array.init (Array.fold (*) 1 contents.Shape) element
    let create (elements: 'T[]) = Tensor.create contents.Shape elements

    match contents.Type with
    | UnsignedByte -> create (Array.map int bytes)
    | SignedByte -> create (Array.map (sbyte >> int) bytes)
    | Int16 ->
        create (elements (fun i -> int (BinaryPrimitives.ReadInt16BigEndian(ReadOnlySpan(bytes, i * width, width)))))
    | Int32 -> create (elements (fun i -> BinaryPrimitives.ReadInt32BigEndian(ReadOnlySpan(bytes, i * width, width))))
    | Float32 ->
        create (elements (fun i -> BinaryPrimitives.ReadSingleBigEndian(ReadOnlySpan(bytes, i * width, width))))
    | Float64 ->
        create (elements (fun i -> BinaryPrimitives.ReadDoubleBigEndian(ReadOnlySpan(bytes, i * width, width))))

/// Reads an IDX file, gzipped or not, as a tensor: all integers as Int32, floats as they are.
/// Example: `Idx.read "train-labels-idx1-ubyte.gz"` has shape 60000.
/// <exception cref="T:System.IO.FileNotFoundException">There is no such file.</exception>
/// <exception cref="T:System.IO.InvalidDataException">The file is not IDX, is cut off or damaged; the message says where.</exception>
let read (path: string) : Tensor = readContents path |> toTensor
