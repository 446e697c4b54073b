namespace Functional

// The safetensors format (Hugging Face, github.com/huggingface/safetensors, README "Format"): eight bytes that say how
// long the header is, a header in JSON, and the numbers as they lie in memory. No code is ever stored or run.
// A file is checked whole before a number of it is believed.

open System
open System.IO
open System.Text.Json
open Functional.Kernels
open Functional.Operations

/// What a safetensors file says of one of its tensors.
type SafetensorsEntry = {
    Name: string
    /// The element type that reading gives; None where this library has none that could hold the numbers, so that this one
    /// tensor cannot be read.
    DType: DType option
    /// The element type in the file, by the format's name: `F32`, `BF16`.
    Stored: string
    Shape: int[]
    /// Where its bytes begin in the file.
    Offset: int64
    /// How many bytes there are.
    Bytes: int64
}

/// Reading a header and believing it only when all of it fits the file.
module internal SafetensorsHeader =

    /// The reference implementation's limit: no model of ours comes near it, and a corrupt length must not allocate it.
    let private longestHeader = 100_000_000L

    let metadataName = "__metadata__"

    let typeName (dtype: DType) =
        match dtype with
        | DType.Float32 -> "F32"
        | DType.Float64 -> "F64"
        | DType.Int32 -> "I32"
        | DType.Int64 -> "I64"
        | DType.Bool -> "BOOL"

    /// The element types of the format: as what they are read, and how many bits an element has.
    let private types: Map<string, struct (DType option * int64)> =
        Map [
            "F32", struct (Some DType.Float32, 32L)
            "F64", struct (Some DType.Float64, 64L)
            "I32", struct (Some DType.Int32, 32L)
            "I64", struct (Some DType.Int64, 64L)
            "BOOL", struct (Some DType.Bool, 8L)
            // what other libraries write, converted when it is read: no number changes its value
            "F16", struct (Some DType.Float32, 16L)
            "BF16", struct (Some DType.Float32, 16L)
            "I8", struct (Some DType.Int32, 8L)
            "U8", struct (Some DType.Int32, 8L)
            "I16", struct (Some DType.Int32, 16L)
            "U16", struct (Some DType.Int32, 16L)
            "U32", struct (Some DType.Int64, 32L)
            "U64", struct (None, 64L)
            "C64", struct (None, 64L)
            for name in [ "F8_E4M3"; "F8_E5M2"; "F8_E8M0" ] do
                name, struct (None, 8L)
            for name in [ "F6_E2M3"; "F6_E3M2" ] do
                name, struct (None, 6L)
            "F4", struct (None, 4L)
        ]

    let corrupt (path: string) (what: string) : exn =
        InvalidDataException $"load: {path} is no safetensors file, or a damaged one: {what}"

    /// A member of an entry, which must be there and of the right kind.
    let private field path (tensor: string) (entry: JsonElement) (name: string) (kind: JsonValueKind) =
        match entry.TryGetProperty name with
        | true, value when value.ValueKind = kind -> value
        | true, value -> raise (corrupt path $"tensor \"{tensor}\": {name} is {value.GetRawText()}, expected {kind}")
        | _ -> raise (corrupt path $"tensor \"{tensor}\" has no {name}")

    let private numbers path tensor name (array: JsonElement) = [|
        for item in array.EnumerateArray() do
            match item.ValueKind = JsonValueKind.Number, item.TryGetInt64() with
            | true, (true, n) when n >= 0L -> n
            | _ ->
                raise (
                    corrupt path $"tensor \"{tensor}\": {name} holds {item.GetRawText()}, expected a whole number ≥ 0"
                )
    |]

    /// The bytes that a shape takes; an error where they, or what they are read into, are more than an array can hold.
    let private bytesOf path tensor (stored: string) (bits: int64) (inMemory: int64) (shape: int64[]) =
        let show = String.Join("×", shape)
        let most = int64 Int32.MaxValue / max 1L inMemory
        let mutable elements = 1L

        for d in shape do
            if d > int64 Int32.MaxValue || (d > 0L && elements > most / d) then
                raise (
                    corrupt
                        path
                        $"tensor \"{tensor}\" of {stored} {show} would take more than 2 GB, the most that one array holds"
                )

            elements <- elements * d

        if elements * bits % 8L <> 0L then
            raise (corrupt path $"tensor \"{tensor}\" of {stored} {show} does not end with a byte")

        elements * bits / 8L

    let private entry path (dataLength: int64) (name: string) (value: JsonElement) =
        if value.ValueKind <> JsonValueKind.Object then
            raise (corrupt path $"tensor \"{name}\" is described by {value.GetRawText()}, expected an object")

        let stored = (field path name value "dtype" JsonValueKind.String).GetString()

        let struct (dtype, bits) =
            match types.TryFind stored with
            | Some known -> known
            | None -> raise (corrupt path $"tensor \"{name}\" has the element type {stored}, which the format has not")

        let inMemory =
            match dtype with
            | Some dtype -> int64 (dtype.Size())
            | None -> 1L

        let shape = field path name value "shape" JsonValueKind.Array |> numbers path name "shape"

        match field path name value "data_offsets" JsonValueKind.Array |> numbers path name "data_offsets" with
        | [| first; last |] ->
            let needed = bytesOf path name stored bits inMemory shape

            if last < first || last > dataLength then
                raise (
                    corrupt
                        path
                        $"tensor \"{name}\" claims bytes {first} to {last} of the data, of which there are {dataLength}"
                )

            if last - first <> needed then
                raise (
                    corrupt
                        path
                        $"tensor \"{name}\" of {stored} {Shape.show (Array.map int shape)} needs {needed} bytes, its data_offsets [{first}, {last}] span {last - first}"
                )

            {
                Name = name
                DType = dtype
                Stored = stored
                Shape = Array.map int shape
                Offset = first
                Bytes = needed
            }
        | offsets -> raise (corrupt path $"tensor \"{name}\" has {offsets.Length} data_offsets, expected 2")

    /// The tensors must fill the data without a gap: what nobody claims could be anything, what two claim is a mistake.
    let private requireContiguous path (dataLength: int64) (entries: SafetensorsEntry[]) =
        let mutable reached = 0L
        let mutable last = "the header"

        for e in entries do
            if e.Offset < reached then
                raise (
                    corrupt
                        path
                        $"tensor \"{e.Name}\" begins at byte {e.Offset} of the data, inside \"{last}\", which ends at {reached}"
                )

            if e.Offset > reached then
                raise (corrupt path $"bytes {reached} to {e.Offset} of the data, after \"{last}\", belong to no tensor")

            reached <- reached + e.Bytes
            last <- e.Name

        if reached < dataLength then
            raise (corrupt path $"the last {dataLength - reached} bytes, after \"{last}\", belong to no tensor")

    let private readMetadata path (value: JsonElement) =
        if value.ValueKind <> JsonValueKind.Object then
            raise (corrupt path $"{metadataName} is not an object of texts")

        Map.ofList [
            for item in value.EnumerateObject() do
                if item.Value.ValueKind <> JsonValueKind.String then
                    raise (
                        corrupt
                            path
                            $"{metadataName} holds {item.Value.GetRawText()} under \"{item.Name}\", expected a text"
                    )

                item.Name, item.Value.GetString()
        ]

    let fill path (stream: FileStream) (target: Span<byte>) (what: string) =
        let read = stream.ReadAtLeast(target, target.Length, false)

        if read < target.Length then
            raise (corrupt path $"it ends after {read} of the {target.Length} bytes of {what}")

    /// What a header says, when all of it fits the file.
    let private believe path (dataStart: int64) (dataLength: int64) (header: JsonElement) =
        if header.ValueKind <> JsonValueKind.Object then
            raise (corrupt path "its header is not a JSON object")

        let entries = [|
            for item in header.EnumerateObject() do
                if item.Name <> metadataName then
                    entry path dataLength item.Name item.Value
        |]

        // an empty tensor may share its offset with the one behind it
        let entries = entries |> Array.sortBy (fun e -> struct (e.Offset, e.Bytes))
        requireContiguous path dataLength entries

        let metadata =
            match header.TryGetProperty metadataName with
            | true, value -> readMetadata path value
            | _ -> Map.empty

        entries |> Array.map (fun e -> { e with Offset = dataStart + e.Offset }), metadata

    /// The header of an open file: its tensors in the order of their bytes, and its texts.
    let parse (path: string) (stream: FileStream) : SafetensorsEntry[] * Map<string, string> =
        let prefix = Array.zeroCreate<byte> 8

        if stream.Length < 8L then
            raise (corrupt path $"it has {stream.Length} bytes, and the length of the header alone takes 8")

        fill path stream (Span prefix) "the header's length"
        let length = BitConverter.ToInt64(prefix, 0)

        if length < 2L || length > longestHeader then
            raise (corrupt path $"it claims a header of {uint64 length} bytes, expected 2 to {longestHeader}")

        if length > stream.Length - 8L then
            raise (corrupt path $"it claims a header of {length} bytes, and only {stream.Length - 8L} follow")

        let text = Array.zeroCreate<byte>(int length)
        fill path stream (Span text) "the header"

        let options = JsonDocumentOptions(AllowDuplicateProperties = false, MaxDepth = 8)

        use json =
            try
                JsonDocument.Parse(ReadOnlyMemory text, options)
            with
            | :? JsonException as e -> raise (corrupt path $"its header is not the JSON it should be ({e.Message})")
            // a name that is no text: half of a surrogate pair
            | :? InvalidOperationException as e ->
                raise (corrupt path $"its header holds a text that is none ({e.Message})")

        try
            believe path (8L + length) (stream.Length - 8L - length) json.RootElement
        with :? InvalidOperationException as e ->
            raise (corrupt path $"its header holds a text that is none ({e.Message})")
