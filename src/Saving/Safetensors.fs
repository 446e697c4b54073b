namespace Functional

// Named tensors in a file, in the safetensors format.

open System
open System.IO
open System.Text.Json
open Functional.Kernels
open Functional.SafetensorsHeader

/// What a safetensors file holds: named tensors in the order of their bytes, and texts by name.
type SafetensorsContents = { Tensors: (string * Tensor)[]; Metadata: Map<string, string> }

/// Reading and writing safetensors files. Element types: F32, F64, I32, I64, BOOL; read, and converted without loss, are also
/// F16 and BF16 (as Float32), I8, U8, I16, U16 (as Int32), U32 (as Int64). A file may hold tensors of other types: only reading
/// one of them is an error.
[<RequireQualifiedAccess>]
module Safetensors =

    // ---- writing

    let private header (metadata: Map<string, string>) (tensors: (string * NDArray)[]) =
        use buffer = new MemoryStream()
        buffer.Write(ReadOnlySpan(Array.zeroCreate<byte> 8))
        use json = new Utf8JsonWriter(buffer)
        json.WriteStartObject()

        if not metadata.IsEmpty then
            json.WriteStartObject metadataName
            metadata |> Map.iter (fun key text -> json.WriteString(key, text))
            json.WriteEndObject()

        let mutable offset = 0L

        for name, array in tensors do
            json.WriteStartObject name
            json.WriteString("dtype", typeName array.DType)
            json.WriteStartArray "shape"
            array.Shape |> Array.iter (fun (d: int) -> json.WriteNumberValue d)
            json.WriteEndArray()
            json.WriteStartArray "data_offsets"
            json.WriteNumberValue offset
            offset <- offset + int64 array.Size * int64 (array.DType.Size())
            json.WriteNumberValue offset
            json.WriteEndArray()
            json.WriteEndObject()

        json.WriteEndObject()
        json.Flush()

        // spaces, so that the numbers begin at a multiple of eight bytes
        while buffer.Length % 8L <> 0L do
            buffer.WriteByte(byte ' ')

        let bytes = buffer.ToArray()
        BitConverter.TryWriteBytes(Span bytes, int64 (bytes.Length - 8)) |> ignore
        bytes

    /// Writes named tensors and texts to a file, which appears whole or not at all.
    /// Example: `Safetensors.write "w.safetensors" Map.empty [ "weights", w ]`.
    let write (path: string) (metadata: Map<string, string>) (tensors: (string * Tensor) seq) : unit =
        let tensors = Array.ofSeq tensors

        tensors
        |> Array.countBy fst
        |> Array.tryFind (fun (name, count) -> count > 1 || name = metadataName)
        |> Option.iter (fun (name, _) ->
            invalidArg
                "tensors"
                $"save: two tensors would be called \"{name}\" in {path}; every tensor needs a name of its own")

        // wide elements first, so that all begin at a multiple of their size
        let arrays =
            tensors
            |> Array.map (fun (name, t) -> name, (Tensor.value "save" t).InStorage())
            |> Array.sortBy (fun (_, array) -> -array.DType.Size())

        AtomicFile.write "save" path (fun stream ->
            stream.Write(ReadOnlySpan(header metadata arrays))

            for _, array in arrays do
                stream.Write(Span.op_Implicit (array.Storage.Span<byte>()): ReadOnlySpan<byte>)
                Storage.KeepAlive array.Storage)

    // ---- reading

    let private openFile (path: string) : FileStream = RegularFile.openRead "load" path

    // ---- reading: types that this library has not

    /// Converts elements, some thousand bytes at a time: `element` reads one at a place of a buffer.
    let private convert
        path
        (stream: FileStream)
        (e: SafetensorsEntry)
        width
        (element: byte[] -> int -> 'T)
        (into: NDArray)
        =
        let buffer = Array.zeroCreate<byte>(min e.Bytes 65536L |> int)
        let target = into.Storage.Span<'T>()
        let mutable place = 0

        while place < target.Length do
            let count = min (buffer.Length / width) (target.Length - place)
            fill path stream (Span(buffer, 0, count * width)) $"tensor \"{e.Name}\""

            for i in 0 .. count - 1 do
                target[place + i] <- element buffer (i * width)

            place <- place + count

    let private fillFrom path (stream: FileStream) (e: SafetensorsEntry) (into: NDArray) =
        let float16 (bytes: byte[]) at = float32 (BitConverter.ToHalf(bytes, at))
        // the upper half of a Float32
        let bfloat16 (bytes: byte[]) at =
            BitConverter.UInt32BitsToSingle(uint32 (BitConverter.ToUInt16(bytes, at)) <<< 16)

        match e.Stored with
        | "F16" -> convert path stream e 2 float16 into
        | "BF16" -> convert path stream e 2 bfloat16 into
        | "I8" -> convert path stream e 1 (fun bytes at -> int (sbyte bytes[at])) into
        | "U8" -> convert path stream e 1 (fun bytes at -> int bytes[at]) into
        | "I16" -> convert path stream e 2 (fun bytes at -> int (BitConverter.ToInt16(bytes, at))) into
        | "U16" -> convert path stream e 2 (fun bytes at -> int (BitConverter.ToUInt16(bytes, at))) into
        | "U32" -> convert path stream e 4 (fun bytes at -> int64 (BitConverter.ToUInt32(bytes, at))) into
        | _ -> fill path stream (into.Storage.Span<byte>()) $"tensor \"{e.Name}\""

    /// The numbers of one tensor of an open file.
    let private readTensor (path: string) (stream: FileStream) (e: SafetensorsEntry) : Tensor =
        let dtype =
            match e.DType with
            | Some dtype -> dtype
            | None ->
                raise (
                    NotSupportedException
                        $"load: tensor \"{e.Name}\" of {path} has the element type {e.Stored}, which this library cannot read: convert it first, or read the others with Safetensors.readThose"
                )

        let array = NDArray.Allocate(e.Shape, dtype)
        stream.Position <- e.Offset
        fillFrom path stream e array

        if dtype = DType.Bool then
            let bytes = array.Storage.Span<byte>()

            match MemoryExtensions.IndexOfAnyExceptInRange(bytes, 0uy, 1uy) with
            | -1 -> ()
            | i -> raise (corrupt path $"tensor \"{e.Name}\" of BOOL holds {bytes[i]} at place {i}, expected 0 or 1")

        Storage.KeepAlive array.Storage
        Tensor.ofArrayValue (array.Settle())

    /// The file's tensors (names, element types, shapes) and texts, without reading the numbers.
    let describe (path: string) : SafetensorsEntry[] * Map<string, string> =
        use stream = openFile path
        parse path stream

    /// Reads a whole file.
    let read (path: string) : SafetensorsContents =
        use stream = openFile path
        let entries, metadata = parse path stream

        {
            Tensors = entries |> Array.map (fun e -> e.Name, readTensor path stream e)
            Metadata = metadata
        }

    /// Reads some of a file's tensors, by their names, in the order of the names; the others may be of any type.
    /// Example: `Safetensors.readThose [ "wte.weight"; "wpe.weight" ] "model.safetensors"`.
    let readThose (names: string seq) (path: string) : Tensor[] =
        use stream = openFile path
        let entries, _ = parse path stream
        let byName = entries |> Array.map (fun e -> e.Name, e) |> Map.ofArray

        [|
            for name in names do
                match byName.TryFind name with
                | Some e -> readTensor path stream e
                | None ->
                    invalidArg "names" $"load: {path} has no tensor \"{name}\"; Safetensors.describe lists those it has"
        |]

    // ---- as a format among others

    let private openAs (path: string) : StoredFile =
        let stream = openFile path

        try
            let entries, texts = parse path stream

            {
                Tensors =
                    entries
                    |> Array.map (fun e -> {
                        Name = e.Name
                        DType = e.DType
                        Stored = e.Stored
                        IsConverted = e.DType |> Option.exists (fun dtype -> typeName dtype <> e.Stored)
                        Shape = e.Shape
                        Read = fun () -> readTensor path stream e
                    })
                Texts = texts
                Close = stream.Dispose
            }
        with _ ->
            stream.Dispose()
            reraise ()

    let internal format: Format = {
        Ending = ".safetensors"
        Write = fun path texts tensors -> write path texts tensors
        Open = openAs
    }
