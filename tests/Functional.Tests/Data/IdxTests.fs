/// IDX files: every element type, and every way a file can be damaged.
module Functional.Tests.Data.IdxTests

open System
open System.IO
open Expecto
open Functional
open Functional.Tests.Data.Files

let private damaged name bytes parts =
    testCase name
    <| inFolder (fun folder ->
        let path = write folder "digits.gz" bytes
        failsWith<InvalidDataException> (path :: parts) (fun () -> Idx.read path |> ignore))

let private whole = idx [ 2; 3 ] [| 1uy .. 6uy |]

[<Tests>]
let tests =
    testList "idx" [
        testCase "elements of every type, gzipped or not"
        <| inFolder (fun folder ->
            let file code elements = Array.append [| 0uy; 0uy; code; 1uy; 0uy; 0uy; 0uy; 2uy |] elements
            let big (bytes: byte[]) = Array.rev bytes

            let cases = [
                file 0x08uy [| 7uy; 255uy |], [ 7.0; 255.0 ], DType.Int32
                file 0x09uy [| 7uy; 255uy |], [ 7.0; -1.0 ], DType.Int32
                file 0x0Buy [| 1uy; 2uy; 255uy; 254uy |], [ 258.0; -2.0 ], DType.Int32
                file 0x0Cuy [| 0uy; 1uy; 0uy; 0uy; 255uy; 255uy; 255uy; 255uy |], [ 65536.0; -1.0 ], DType.Int32
                file 0x0Duy (Array.append (big (BitConverter.GetBytes 1.5f)) (big (BitConverter.GetBytes -2f))),
                [ 1.5; -2.0 ],
                DType.Float32
                file 0x0Euy (Array.append (big (BitConverter.GetBytes 0.1)) (big (BitConverter.GetBytes -3.0))),
                [ 0.1; -3.0 ],
                DType.Float64
            ]

            for bytes, expected, dtype in cases do
                for content in [ bytes; gzip bytes ] do
                    let x = write folder "numbers" content |> Idx.read
                    Expect.equal x.DType dtype "element type"
                    Expect.sequenceEqual (Tensor.toFloats x) expected $"{dtype}")

        testCase "shapes, empty ones too"
        <| inFolder (fun folder ->
            Expect.equal (Idx.read (write folder "a" (gzip whole))).Shape [| 2; 3 |] "matrix"
            Expect.equal (Idx.read (write folder "b" (idx [ 0; 5 ] [||]))).Shape [| 0; 5 |] "empty"
            Expect.equal (Idx.read (write folder "c" (idx [] [| 9uy |]))).Shape [||] "a single number")

        damaged "a foreign file" "PK\003\004..."B [ "not an IDX file"; "504B0304" ]
        damaged "an unknown element type" [| 0uy; 0uy; 0x0Auy; 1uy; 0uy; 0uy; 0uy; 0uy |] [ "element type 0x0A" ]
        damaged "an empty file" [||] [ "0 of 4 bytes" ]
        damaged "a file cut off in its header" whole[..8] [ "ends within its header"; "5 of 8 bytes" ]
        damaged "a file cut off in its elements" whole[.. whole.Length - 3] [ "truncated"; "2×3"; "6 bytes"; "holds 4" ]
        damaged "a gzipped file whose content is cut off" (gzip whole[.. whole.Length - 3]) [ "truncated"; "holds 4" ]
        damaged "a file that goes on" (Array.append whole [| 0uy |]) [ "goes on after them" ]
        damaged "a header that announces the impossible" (idx [ Int32.MaxValue; Int32.MaxValue ] [||]) [ "damaged" ]

        testCase "a damaged or cut gzip file"
        <| inFolder (fun folder ->
            let random = Random 1
            let zipped = idx [ 100; 100 ] (Array.init 10_000 (fun _ -> byte (random.Next 256))) |> gzip
            let spoilt = Array.copy zipped
            spoilt[5000] <- spoilt[5000] ^^^ 0xFFuy

            for bytes in [ spoilt; zipped[..6000]; zipped[.. zipped.Length - 9]; zipped[.. zipped.Length - 2] ] do
                let path = write folder "digits.gz" bytes
                failsWith<InvalidDataException> [ path ] (fun () -> Idx.read path |> ignore))

        testCase "no file"
        <| fun () ->
            failsWith<FileNotFoundException> [ "nowhere.gz"; "there is no file" ] (fun () ->
                Idx.read "nowhere.gz" |> ignore)
    ]
