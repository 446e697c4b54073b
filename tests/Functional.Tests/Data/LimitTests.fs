/// Files of data that claim more than they hold, or hold what their format does not: refused before memory is taken.
module Functional.Tests.Data.LimitTests

open System
open System.IO
open System.Text
open Expecto
open Functional
open Functional.Kernels
open Functional.Tests.Data.Files

let private header (code: byte) (sizes: uint32 list) =
    let size (n: uint32) = [| byte (n >>> 24); byte (n >>> 16); byte (n >>> 8); byte n |]
    Array.append [| 0uy; 0uy; code; byte sizes.Length |] (Array.collect size (Array.ofList sizes))

/// The error of reading a file, which takes no more memory than a little.
let private refused path parts =
    let before = GC.GetAllocatedBytesForCurrentThread()
    failsWith<InvalidDataException> (path :: parts) (fun () -> Idx.read path |> ignore)
    Expect.isLessThan (GC.GetAllocatedBytesForCurrentThread() - before) (2L <<< 20) "memory"

[<Tests>]
let tests =
    testList "limits of data files" [
        testCase "an IDX file that claims more than it holds takes no memory for it"
        <| inFolder (fun folder ->
            for code in [ 8uy; 9uy; 0xBuy; 0xCuy; 0xDuy; 0xEuy ] do
                for sizes in
                    [
                        [ 2147483583u ]
                        [ 1_000_000_000u ]
                        [ 600_000_000u; 1u; 1u ]
                        [ 4294967295u; 1u ]
                        [ 0u; 4294967295u; 1u ]
                        [ 0u; 46341u; 46341u ]
                        [ 65536u; 65536u ]
                        [ 65536u; 65536u; 0u ]
                    ] do
                    let claim = header code sizes
                    refused (write folder "claim" claim) []
                    refused (write folder "claim.gz" (gzip claim)) [])

        testCase "sizes of an empty IDX file are kept where they are sizes"
        <| inFolder (fun folder ->
            let path = write folder "empty" (header 8uy [ 0u; 28u; 28u ])
            Expect.equal (Idx.read path).Shape [| 0; 28; 28 |] "shape")

        testCase "every element type in any shape, against the bytes themselves"
        <| inFolder (fun folder ->
            let random = Random 2

            for code, size, dtype in
                [
                    8uy, 1, DType.Int32
                    9uy, 1, DType.Int32
                    0xBuy, 2, DType.Int32
                    0xCuy, 4, DType.Int32
                    0xDuy, 4, DType.Float32
                    0xEuy, 8, DType.Float64
                ] do
                for shape in [ []; [ 1 ]; [ 3; 5 ]; [ 100_000 ] ] do
                    let count = List.fold (*) 1 shape

                    let elements =
                        Array.init (count * size) (fun i ->
                            if size >= 4 && i % size = 0 then 0x40uy else byte (random.Next 256))

                    let bytes = Array.append (header code (List.map uint32 shape)) elements

                    let expected =
                        Array.init count (fun i ->
                            let part = elements[i * size .. (i + 1) * size - 1] |> Array.rev

                            match code with
                            | 8uy -> float part[0]
                            | 9uy -> float (sbyte part[0])
                            | 0xBuy -> float (BitConverter.ToInt16(part, 0))
                            | 0xCuy -> float (BitConverter.ToInt32(part, 0))
                            | 0xDuy -> float (BitConverter.ToSingle(part, 0))
                            | _ -> BitConverter.ToDouble(part, 0))

                    for content in [ bytes; gzip bytes ] do
                        let x = Idx.read (write folder "x" content)
                        Expect.equal (x.DType, List.ofArray x.Shape) (dtype, shape) "type and shape"
                        Expect.sequenceEqual (Tensor.toFloats x) expected "elements")

        testCase "bytes that are no text are refused with their line, or read as what they are said to be"
        <| inFolder (fun folder ->
            let latin = Encoding.Latin1.GetBytes "name,size\nAnn,1\nJosé,2\n"
            let path = write folder "latin.csv" latin

            failsWith<InvalidDataException> [ path; "line 3"; "E9"; "Latin1" ] (fun () ->
                Csv.read Csv.defaults path |> ignore)

            let table = Csv.read { Csv.defaults with Encoding = Encoding.Latin1 } path
            Expect.equal (Csv.texts "name" table) [| "Ann"; "José" |] "names"

            let encodings: Encoding list = [
                UTF8Encoding true
                UnicodeEncoding(false, true)
                UnicodeEncoding(true, true)
                UTF32Encoding(false, true)
            ]

            for encoding in encodings do
                let marked = Array.append (encoding.GetPreamble()) (encoding.GetBytes "name,size\nJosé,2\n")
                let table = Csv.read Csv.defaults (write folder "marked.csv" marked)
                Expect.equal (Csv.texts "name" table, table.Columns) ([| "José" |], [| "name"; "size" |]) "names")

        testCase "numbers too large for a double are refused, infinity that is written is not"
        <| fun () ->
            for text in [ "1e999"; "-1e400"; "9" + String('9', 400) ] do
                failsWith<InvalidDataException> [ "x.csv"; "line 2"; text; "larger" ] (fun () ->
                    Csv.parse Csv.defaults "x.csv" $"a\n{text}\n" |> Csv.numbers [ "a" ] |> ignore)

            let x = Csv.parse Csv.defaults "x.csv" "a\nInfinity\n-Infinity\n1e308\n1e-999\n" |> Csv.numbers [ "a" ]
            Expect.sequenceEqual (Tensor.toFloats x) [ infinity; -infinity; 1e308; 0.0 ] "numbers"
    ]
