/// Data sets: batches that depend on the key alone, splits, standardising, one-hot rows, windows, and every bad input.
module Functional.Tests.DatasetTests

open System
open Expecto
open Functional
open Functional.Kernels
open Functional.Tests.Folders

/// n examples of two features, whose target is the example's number.
let private numbered n =
    Dataset.create
        (Tensor.create [ n; 2 ] (Array.init (2 * n) (fun i -> float32 i)))
        (Tensor.create [ n; 1 ] (Array.init n float32))

let private targets (batches: (Tensor * Tensor) seq) = batches |> Seq.map (snd >> Tensor.toFloats) |> List.ofSeq

[<Tests>]
let tests =
    testList "data sets" [
        testCase "batches hold every example once, inputs beside their targets"
        <| fun () ->
            let data = numbered 103
            let batches = Dataset.batches (Batching.ofSize 10) (Key.create 7L) data |> List.ofSeq

            Expect.equal
                (batches |> List.map (fun (x, _) -> x.Shape[0]))
                (List.replicate 10 10 @ [ 3 ])
                "the last batch is smaller"

            for x, y in batches do
                let firsts = Tensor.toFloats x |> Array.chunkBySize 2 |> Array.map Array.head
                Expect.equal firsts (Tensor.toFloats y |> Array.map ((*) 2.0)) "each input with its target"

            let seen = targets batches |> Array.concat
            Expect.equal (Array.sort seen) (Array.init 103 float) "every example once"
            Expect.notEqual seen (Array.init 103 float) "in another order"

        testCase "the key alone decides the order"
        <| fun () ->
            let data, batching = numbered 50, Batching.ofSize 8
            let before = Workers.Count

            let order seed threads =
                Workers.Count <- threads

                try
                    Dataset.batches batching (Key.create seed) data |> targets
                finally
                    Workers.Count <- before

            Expect.equal (order 1L 2) (order 1L 1) "the same on two threads"
            Expect.notEqual (order 2L 1) (order 1L 1) "another key, another order"

            let from3 = Dataset.batchesFrom 3 batching (Key.create 1L) data |> targets
            Expect.equal from3 (order 1L 1 |> List.skip 3) "from a batch on"

        testCase "in order, and without the last smaller batch"
        <| fun () ->
            let batching = { Batching.ofSize 4 with Shuffle = false; KeepLast = false }
            let found = Dataset.batches batching (Key.create 1L) (numbered 10) |> targets
            Expect.equal found [ [| 0.0; 1.0; 2.0; 3.0 |]; [| 4.0; 5.0; 6.0; 7.0 |] ] "two batches"
            Expect.equal (Batching.count batching 10) 2 "counted"
            Expect.equal (Batching.count (Batching.ofSize 4) 10) 3 "counted with the last"

        testCase "a split keeps the order and gives the last examples to validation"
        <| fun () ->
            let training, validation = Dataset.split 0.1 (numbered 10)
            Expect.equal (training.Count, validation.Count) (9, 1) "sizes"
            Expect.equal (Tensor.toFloats validation.Targets) [| 9.0 |] "the last"
            let training, validation = Dataset.split 0.25 (numbered 10)
            Expect.equal (training.Count, validation.Count) (7, 3) "as Keras rounds"

            for bad in [ 0.0; 1.0; -0.5; nan; 0.95 ] do
                messageOf<ArgumentException>(fun () -> Dataset.split bad (numbered 10) |> ignore)
                |> mentions [ "Dataset.split" ]

        testCase "standardised features have mean 0 and deviation 1, constant ones become 0"
        <| fun () ->
            let x = Tensor.ofRows [ [ 1.0; 5.0; -3.0 ]; [ 2.0; 5.0; 0.0 ]; [ 6.0; 5.0; 9.0 ] ]
            let s = Prepare.statistics x
            let z = Prepare.standardize s x
            Expect.isTrue (Tensor.toFloats (meanOver [ 0 ] z) |> Array.forall (fun m -> abs m < 1e-12)) "mean"
            let deviations = Tensor.toFloats (sqrt (varianceOver [ 0 ] z))
            Expect.isTrue (Array.forall2 (fun d e -> abs (d - e) < 1e-12) deviations [| 1.0; 0.0; 1.0 |]) "deviation"
            let back = Tensor.toFloats (Prepare.restore s z)
            Expect.isTrue (Array.forall2 (fun a b -> abs (a - b) < 1e-12) back (Tensor.toFloats x)) "and back"

        testCase "one-hot rows, and labels outside the classes"
        <| fun () ->
            let rows = Prepare.oneHot DType.Float32 3 (Tensor.create [ 2 ] [| 2; 0 |])
            Expect.equal (rows.DType, Tensor.toFloats rows) (DType.Float32, [| 0.0; 0.0; 1.0; 1.0; 0.0; 0.0 |]) "rows"

            messageOf<ArgumentException>(fun () ->
                Prepare.oneHot DType.Float32 3 (Tensor.create [ 2; 2 ] [| 2; 0; 1; 3 |]) |> ignore)
            |> mentions [ "label 3 at [1, 1]"; "3 classes"; "0 to 2" ]

            messageOf<ArgumentException>(fun () -> Prepare.oneHot DType.Float32 3 (Tensor.ofSeq [ 0.5 ]) |> ignore)
            |> mentions [ "0.5" ]

        testCase "windows, and windows with what follows"
        <| fun () ->
            let series = Tensor.ofSeq [ 0.0 .. 6.0 ]
            let w = Prepare.windows 3 2 series

            Expect.equal
                (w.Shape, Tensor.toFloats w)
                ([| 3; 3 |], [| 0.0; 1.0; 2.0; 2.0; 3.0; 4.0; 4.0; 5.0; 6.0 |])
                "windows"

            let f = Prepare.forecasting 4 2 1 series
            Expect.equal (f.Inputs.Shape, f.Targets.Shape) ([| 2; 4 |], [| 2; 2 |]) "shapes"
            Expect.equal (Tensor.toFloats f.Targets) [| 4.0; 5.0; 5.0; 6.0 |] "what follows"
            Expect.equal (Prepare.windows 2 1 (Tensor.zeros [ 5; 3 ])).Shape [| 4; 2; 3 |] "of vectors"

            messageOf<ArgumentException>(fun () -> Prepare.windows 8 1 series |> ignore)
            |> mentions [ "too short"; "8" ]

            messageOf<ArgumentException>(fun () -> Prepare.windows 0 1 series |> ignore)
            |> mentions [ "at least 1" ]

        testCase "NaN and infinity are reported with where, wherever they are"
        <| fun () ->
            let bad (put: float32) (at: int) =
                let xs = Array.zeroCreate<float32>(50 * 21)
                xs[at] <- put
                Dataset.create (Tensor.create [ 50; 21 ] xs) (Tensor.zeros [ 50 ])

            for at in [ 0; 1; 15; 500; 511; 512; 1048; 1049 ] do
                for put in [ Single.NaN; Single.PositiveInfinity; Single.NegativeInfinity ] do
                    messageOf<ArgumentException>(fun () -> Dataset.requireFinite "fit" (bad put at))
                    |> mentions [ "fit"; "inputs"; string put; $"[{at / 21}, {at % 21}]"; "50×21" ]

            Dataset.requireFinite "fit" (bad Single.MaxValue 3)

            let targets = Tensor.ofSeq [ 1.0; nan ]

            messageOf<ArgumentException>(fun () -> Dataset.requireFinite "fit" (Dataset.create (Tensor.iota 2) targets))
            |> mentions [ "targets"; "[1]" ]

        testCase "lengths that differ, no examples, empty batches"
        <| fun () ->
            messageOf<ArgumentException>(fun () ->
                Dataset.create (Tensor.zeros [ 3; 2 ]) (Tensor.zeros [ 4 ]) |> ignore)
            |> mentions [ "3 inputs (3×2)"; "4 targets" ]

            messageOf<ArgumentException>(fun () ->
                Dataset.create (Tensor.zeros [ 0; 2 ]) (Tensor.zeros [ 0 ]) |> ignore)
            |> mentions [ "no examples" ]

            messageOf<ArgumentException>(fun () -> Dataset.create (scalar 1.0) (Tensor.zeros [ 1 ]) |> ignore)
            |> mentions [ "first axis" ]

            messageOf<ArgumentException>(fun () ->
                Dataset.batches (Batching.ofSize 0) (Key.create 1L) (numbered 3) |> Seq.length |> ignore)
            |> mentions [ "0 examples"; "at least 1" ]

            messageOf<ArgumentException>(fun () -> Dataset.narrow 2 5 (numbered 3) |> ignore)
            |> mentions [ "5 examples from 2" ]

        testCase "sequences of many lengths make batches of few, with each sequence once and zeros behind it"
        <| fun () ->
            let random = Random 5
            let lengths = [| for _ in 1..50 -> random.Next(0, 12) |]

            // the sequence of example i is i+1 everywhere
            let examples =
                lengths
                |> Array.mapi (fun i n -> Tensor.full DType.Float64 [ n; 2 ] (float (i + 1)), scalar (float i))

            let source = BatchSource.ofSequences [ 12; 4 ] (Batching.ofSize 8) examples
            let batches = source.Read (Key.create 3L) 0 |> Array.ofSeq
            Expect.equal (Some batches.Length) source.Batches "as many batches as it says"
            Expect.isTrue (batches |> Array.forall (fun (x, _) -> x.Shape[1] = 4 || x.Shape[1] = 12)) "two lengths"
            let found = batches |> Array.collect (snd >> Tensor.toFloats) |> Array.sort
            Expect.equal found [| for i in 0..49 -> float i |] "each once"

            for x, y in batches do
                for row, i in Seq.zip (unstack 0 x) (Tensor.toFloats y) do
                    let n = lengths[int i]

                    Expect.equal
                        (Tensor.toFloats row)
                        [| for t in 0 .. 2 * x.Shape[1] - 1 -> if t < 2 * n then i + 1.0 else 0.0 |]
                        "the sequence, and zeros"

            let again = source.Read (Key.create 3L) 2 |> Seq.map (snd >> Tensor.toFloats) |> Array.ofSeq
            Expect.equal again (batches[2..] |> Array.map (snd >> Tensor.toFloats)) "the same key, from batch 2 on"

            let pairs = examples |> Array.map (fun (x, _) -> x, x)
            let source = BatchSource.ofSequencePairs [ 12 ] (Batching.ofSize 8) pairs

            for x, y in source.Read (Key.create 3L) 0 do
                Expect.equal (Tensor.toFloats x) (Tensor.toFloats y) "targets are filled up, too"

            messageOf<ArgumentException>(fun () ->
                BatchSource.ofSequences [ 4; 8 ] (Batching.ofSize 8) examples |> ignore)
            |> mentions [ "none of the lengths"; "8" ]

            messageOf<ArgumentException>(fun () ->
                BatchSource.ofSequencePairs [ 12 ] (Batching.ofSize 8) [ Tensor.zeros [ 5; 2 ], Tensor.zeros [ 3; 2 ] ]
                |> ignore)
            |> mentions [ "target 0"; "3×2"; "5×2" ]
    ]
