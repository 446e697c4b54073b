/// The safetensors format: what goes in comes out, byte for byte as the format says, and a damaged file is never believed.
module Functional.Tests.SafetensorsTests

open System
open System.IO
open System.Text
open Expecto
open Functional
open Functional.Tests.Folders

let private same (a: Tensor) (b: Tensor) =
    Expect.equal b.DType a.DType "element type"
    Expect.equal b.Shape a.Shape "shape"

    Expect.equal
        (Tensor.toFloats b |> Array.map BitConverter.DoubleToInt64Bits)
        (Tensor.toFloats a |> Array.map BitConverter.DoubleToInt64Bits)
        "numbers"

let private every = [
    "f32", Tensor.create [ 2; 3 ] [| 1.0f; -0.0f; Single.NaN; Single.PositiveInfinity; Single.Epsilon; 3.5f |]
    "bool", Tensor.create [ 3 ] [| true; false; true |]
    "f64", Tensor.create [ 1; 2; 1 ] [| Math.PI; -1e-310 |]
    "i32", Tensor.create [ 2 ] [| Int32.MinValue; 7 |]
    "i64", Tensor.create [ 2 ] [| Int64.MinValue; Int64.MaxValue |]
    "scalar", Tensor.scalarOf DType.Float32 0.25
    "truth", Tensor.create [] [| true |]
    "empty", Tensor.zeros [ 0; 5 ]
    "α \"β\"\n", Tensor.ofSeq [ 1.0 ]
]

/// A file of the header's text and as many bytes of data.
let private craft folder (header: string) (data: int) =
    let path = Path.Combine(folder, "crafted.safetensors")
    let text = Encoding.UTF8.GetBytes header
    File.WriteAllBytes(path, Array.concat [ BitConverter.GetBytes(int64 text.Length); text; Array.zeroCreate data ])
    path

let private refused name header data (pieces: string list) =
    testCase name
    <| inFolder (fun folder ->
        let path = craft folder header data

        messageOf<InvalidDataException>(fun () -> Safetensors.read path |> ignore)
        |> mentions (path :: pieces))

[<Tests>]
let tests =
    testList "safetensors" [
        testCase "every element type and shape comes back bit for bit, with the texts"
        <| inFolder (fun folder ->
            let path = Path.Combine(folder, "all.safetensors")
            let metadata = Map [ "model", """{"layers":["dense"]}"""; "empty", "" ]
            Safetensors.write path metadata every
            let contents = Safetensors.read path
            Expect.equal contents.Metadata metadata "texts"
            Expect.equal contents.Tensors.Length every.Length "all tensors"

            for name, t in every do
                same t (Array.find (fst >> (=) name) contents.Tensors |> snd)

            let entries, _ = Safetensors.describe path

            for e in entries do
                let size =
                    if e.DType = Some DType.Bool then 1L
                    elif e.DType = Some DType.Float32 || e.DType = Some DType.Int32 then 4L
                    else 8L

                Expect.equal (e.Offset % size) 0L $"{e.Name} begins at a multiple of its elements' size"

            Expect.equal (Directory.GetFiles folder) [| path |] "nothing else is left in the folder")

        testCase "the bytes are the format's"
        <| inFolder (fun folder ->
            let path = Path.Combine(folder, "one.safetensors")
            Safetensors.write path Map.empty [ "w", Tensor.create [ 2 ] [| 1.0f; 2.0f |] ]
            let bytes = File.ReadAllBytes path
            let header = """{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}  """
            Expect.equal (BitConverter.ToInt64(bytes, 0)) (int64 header.Length) "length of the header"

            Expect.equal
                (Encoding.UTF8.GetString(bytes, 8, header.Length))
                header
                "header, padded to a multiple of eight"

            Expect.equal
                bytes[8 + header.Length ..]
                (Array.append (BitConverter.GetBytes 1.0f) (BitConverter.GetBytes 2.0f))
                "numbers")

        testCase "no tensors at all"
        <| inFolder (fun folder ->
            let path = Path.Combine(folder, "none.safetensors")
            Safetensors.write path Map.empty []
            Expect.isEmpty (Safetensors.read path).Tensors "none")

        testCase "a file cut anywhere is refused"
        <| inFolder (fun folder ->
            let path = Path.Combine(folder, "all.safetensors")
            Safetensors.write path (Map [ "a", "b" ]) every
            let bytes = File.ReadAllBytes path
            let cut = Path.Combine(folder, "cut.safetensors")

            for length in 0 .. bytes.Length - 1 do
                File.WriteAllBytes(cut, bytes[.. length - 1])
                messageOf<InvalidDataException>(fun () -> Safetensors.read cut |> ignore) |> mentions [ cut ])

        testCase "a changed byte of the header is refused or harmless, never a crash"
        <| inFolder (fun folder ->
            let path = Path.Combine(folder, "all.safetensors")
            Safetensors.write path (Map [ "a", "b" ]) every
            let bytes = File.ReadAllBytes path
            let length = 8 + int (BitConverter.ToInt64(bytes, 0))
            let random = Random 5

            for place in 0 .. length - 1 do
                let damaged = Array.copy bytes
                damaged[place] <- damaged[place] ^^^ byte (random.Next(1, 256))
                File.WriteAllBytes(path, damaged)

                try
                    Safetensors.read path |> ignore
                with
                | :? InvalidDataException
                | :? NotSupportedException -> ())

        refused "not JSON" "{\"w\": oh no" 8 [ "JSON" ]
        refused "not an object" "[1,2,3]" 0 [ "object" ]
        refused
            "a name twice"
            """{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"""
            4
            [ "w" ]
        refused "no offsets" """{"w":{"dtype":"F32","shape":[1]}}""" 4 [ "\"w\""; "data_offsets" ]
        refused "a shape that is no list" """{"w":{"dtype":"F32","shape":4,"data_offsets":[0,4]}}""" 4 [ "shape is 4" ]
        refused "a negative size" """{"w":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}""" 4 [ "-1" ]
        refused "half a size" """{"w":{"dtype":"F32","shape":[0.5],"data_offsets":[0,4]}}""" 4 [ "0.5" ]
        refused "offsets past the end" """{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""" 4 [
            "bytes 0 to 8"
            "4"
        ]
        refused "offsets backwards" """{"w":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}""" 4 [ "bytes 4 to 0" ]
        refused "offsets that do not fit the shape" """{"w":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}""" 8 [
            "needs 12 bytes"
            "span 8"
        ]
        refused
            "tensors that overlap"
            """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}"""
            12
            [ "\"b\""; "inside \"a\"" ]
        refused
            "bytes between tensors"
            """{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}}"""
            12
            [ "bytes 4 to 8"; "no tensor" ]
        refused "bytes after the last tensor" """{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""" 6 [
            "last 2 bytes"
        ]
        refused
            "a shape whose size overflows"
            """{"a":{"dtype":"F64","shape":[4294967296,4294967296],"data_offsets":[0,0]}}"""
            0
            [ "2 GB" ]
        refused
            "more than an array holds"
            """{"a":{"dtype":"F32","shape":[65536,65536],"data_offsets":[0,17179869184]}}"""
            4
            [ "2 GB" ]
        refused "metadata that is no text" """{"__metadata__":{"a":1}}""" 0 [ "__metadata__"; "1" ]

        testCase "a header of absurd length is refused without reading it"
        <| inFolder (fun folder ->
            let path = Path.Combine(folder, "huge.safetensors")
            File.WriteAllBytes(path, Array.concat [ BitConverter.GetBytes Int64.MaxValue; Array.zeroCreate 100 ])
            messageOf<InvalidDataException>(fun () -> Safetensors.read path |> ignore) |> mentions [ "header" ])

        testCase "other libraries' element types are read without changing a number"
        <| inFolder (fun folder ->
            let path = Path.Combine(folder, "other.safetensors")

            let bytes =
                Array.concat [
                    // 1, −2, 65504 and infinity as F16; 1, −2.5, 3.4e38 and the smallest denormal as BF16
                    [| 0x00uy; 0x3Cuy; 0x00uy; 0xC0uy; 0xFFuy; 0x7Buy; 0x00uy; 0x7Cuy |]
                    [| 0x80uy; 0x3Fuy; 0x20uy; 0xC0uy; 0x7Fuy; 0x7Fuy; 0x01uy; 0x00uy |]
                    [| 0x80uy; 0x7Fuy |]
                    [| 0x80uy; 0xFFuy |]
                    BitConverter.GetBytes Int16.MinValue
                    BitConverter.GetBytes UInt16.MaxValue
                    BitConverter.GetBytes UInt32.MaxValue
                    BitConverter.GetBytes UInt64.MaxValue
                    [| 0xC7uy |]
                ]

            let header =
                """{"f16":{"dtype":"F16","shape":[4],"data_offsets":[0,8]},"bf16":{"dtype":"BF16","shape":[2,2],"data_offsets":[8,16]},"i8":{"dtype":"I8","shape":[2],"data_offsets":[16,18]},"u8":{"dtype":"U8","shape":[2],"data_offsets":[18,20]},"i16":{"dtype":"I16","shape":[1],"data_offsets":[20,22]},"u16":{"dtype":"U16","shape":[1],"data_offsets":[22,24]},"u32":{"dtype":"U32","shape":[1],"data_offsets":[24,28]},"u64":{"dtype":"U64","shape":[1],"data_offsets":[28,36]},"f8":{"dtype":"F8_E4M3","shape":[1],"data_offsets":[36,37]}}"""

            File.WriteAllBytes(
                path,
                Array.concat [ BitConverter.GetBytes(int64 header.Length); Encoding.UTF8.GetBytes header; bytes ]
            )

            let readable = [
                "f16", DType.Float32, [| 1.0; -2.0; 65504.0; infinity |]
                "bf16",
                DType.Float32,
                [|
                    1.0
                    -2.5
                    float (BitConverter.UInt32BitsToSingle 0x7F7F0000u)
                    float (BitConverter.UInt32BitsToSingle 0x00010000u)
                |]
                "i8", DType.Int32, [| -128.0; 127.0 |]
                "u8", DType.Int32, [| 128.0; 255.0 |]
                "i16", DType.Int32, [| -32768.0 |]
                "u16", DType.Int32, [| 65535.0 |]
                "u32", DType.Int64, [| 4294967295.0 |]
            ]

            let tensors = Safetensors.readThose [ for name, _, _ in readable -> name ] path

            for (name, dtype, numbers), t in Seq.zip readable tensors do
                Expect.equal t.DType dtype name
                Expect.equal (Tensor.toFloats t) numbers name

            Expect.equal tensors[1].Shape [| 2; 2 |] "shape"
            Expect.equal (fst (Safetensors.describe path)).Length 9 "all are described"

            messageOf<NotSupportedException>(fun () -> Safetensors.read path |> ignore)
            |> mentions [ "\"u64\""; "U64"; "readThose" ]

            messageOf<NotSupportedException>(fun () -> Safetensors.readThose [ "f8" ] path |> ignore)
            |> mentions [ "F8_E4M3" ]

            messageOf<ArgumentException>(fun () -> Safetensors.readThose [ "w" ] path |> ignore)
            |> mentions [ "no tensor \"w\"" ])

        testCase "a checkpoint in half precision is loaded into single"
        <| inFolder (fun folder ->
            let path = craft folder """{"value":{"dtype":"BF16","shape":[2],"data_offsets":[0,4]}}""" 4
            Expect.equal (Checkpoint.load path (Tensor.full DType.Float32 [ 2 ] 5.0)).DType DType.Float32 "type")

        refused "an element type that there is none of" """{"w":{"dtype":"F17","shape":[2],"data_offsets":[0,4]}}""" 4 [
            "F17"
        ]
        refused "a name that is no text" """{"\ud800":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""" 4 [ "text" ]

        testCase "a truth value that is neither 0 nor 1"
        <| inFolder (fun folder ->
            let path = craft folder """{"w":{"dtype":"BOOL","shape":[3],"data_offsets":[0,3]}}""" 3
            let bytes = File.ReadAllBytes path
            bytes[bytes.Length - 1] <- 7uy
            File.WriteAllBytes(path, bytes)

            messageOf<InvalidDataException>(fun () -> Safetensors.read path |> ignore)
            |> mentions [ "7 at place 2" ])

        testCase "a missing file, a missing folder"
        <| inFolder (fun folder ->
            let path = Path.Combine(folder, "none", "x.safetensors")
            messageOf<FileNotFoundException>(fun () -> Safetensors.read path |> ignore) |> mentions [ path ]

            messageOf<IOException>(fun () -> Safetensors.write path Map.empty every)
            |> mentions [ path; "does not exist" ])

        testCase "two tensors of one name"
        <| inFolder (fun folder ->
            let path = Path.Combine(folder, "x.safetensors")
            let w = Tensor.ofSeq [ 1.0 ]

            messageOf<ArgumentException>(fun () -> Safetensors.write path Map.empty [ "w", w; "w", w ])
            |> mentions [ "\"w\"" ]

            Expect.isFalse (File.Exists path) "nothing is written")

        testCase "a tensor inside a transformation"
        <| inFolder (fun folder ->
            let path = Path.Combine(folder, "x.safetensors")

            let save (x: Tensor) =
                Safetensors.write path Map.empty [ "w", x ]
                x

            messageOf<InvalidOperationException>(fun () -> grad save (scalar 1.0) |> ignore)
            |> mentions [ "save"; "grad" ])
    ]
