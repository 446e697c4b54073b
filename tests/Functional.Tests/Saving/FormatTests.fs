/// What every format of files has to do; a new one is tested by its line in `Formats`.
module Functional.Tests.FormatTests

open System
open System.IO
open Expecto
open Functional
open Functional.Kernels
open Functional.Tests.Folders
open Functional.Tests.Toys

let private tensors = [|
    "a.Weights", Tensor.ofRows [ [ 1.5; -0.0; nan ]; [ infinity; 1e-300; 7.0 ] ]
    "b[0]", Tensor.ofSeq [ 1.5f; 2.5f ]
    "number", Tensor.scalar 3.0
    "none", Tensor.zeros [ 0; 4 ]
    "counts", Tensor.create [ 2 ] [| Int32.MinValue; 7 |]
    "größe/ü", Tensor.create [] [| Int64.MaxValue |]
    "mask", Tensor.create [ 3 ] [| true; false; true |]
|]

let private texts = Map [ "model", """{"a": "b"}"""; "empty", ""; "größe", "über\nalles" ]

[<Tests>]
let tests =
    testList "formats" [
        for format in Formats.known do
            testCase format.Ending
            <| inFolder (fun folder ->
                let path = Path.Combine(folder, "x" + format.Ending)
                Formats.write path texts tensors
                Expect.equal (Directory.GetFiles folder) [| path |] "one file"

                do
                    use file = format.Open path
                    Expect.equal file.Texts texts "texts"
                    let found = file.Tensors |> Array.map (fun t -> t.Name, t) |> Map.ofArray
                    Expect.equal found.Count tensors.Length "tensors"

                    // in any order
                    for name, tensor in Array.rev tensors do
                        let stored = found[name]
                        Expect.equal (stored.DType, stored.Shape) (Some tensor.DType, tensor.Shape) name
                        let read = stored.Read()
                        Expect.equal (read.DType, read.Shape, bits read) (tensor.DType, tensor.Shape, bits tensor) name

                Formats.write path Map.empty [| "a", Tensor.scalar 1.0 |]
                use file = Formats.openFile path
                Expect.equal (Array.length file.Tensors, file.Texts.Count) (1, 0) "written anew once it is closed")

        testCase "one writes every ending, and there are no two for one"
        <| inFolder (fun folder ->
            let endings = Formats.known |> List.map _.Ending
            Expect.equal (List.distinct endings) endings "endings"
            let path = Path.Combine(folder, "weights")
            Checkpoint.save path (Tensor.scalar 2.0)
            Expect.equal (Tensor.toFloat (Checkpoint.load path (Tensor.scalar 0.0))) 2.0 "a name without an ending")
    ]
