namespace Functional

// Named tensors in a file, in the safetensors format.

open System
open System.IO
open System.Text.Json
open Functional.Kernels
open Functional.SafetensorsHeader

/// What a safetensors file holds: named tensors in the order of their bytes, and texts by name.
type SafetensorsContents = { Tensors: (string * Tensor)[]; Metadata: Map<string, string> }

/// Reading and writing safetensors files. Element types: F32, F64, I32, I64, BOOL.
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

    let internal openFile (path: string) : FileStream =
        try
            new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read ||| FileShare.Delete, 1)
        with
        | :? FileNotFoundException
        | :? DirectoryNotFoundException ->
            raise (FileNotFoundException($"load: there is no file {path} (looked in {Path.GetFullPath path})", path))
        | :? UnauthorizedAccessException as e -> raise (IOException($"load: cannot read {path}: {e.Message}", e))

    /// The numbers of one tensor of an open file.
    let internal readTensor (path: string) (stream: FileStream) (e: SafetensorsEntry) : Tensor =
        let array = NDArray.Allocate(e.Shape, e.DType)
        let bytes = array.Storage.Span<byte>()
        stream.Position <- e.Offset
        fill path stream bytes $"tensor \"{e.Name}\""

        if e.DType = DType.Bool then
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
