/// What tensors mean where another meaning would be taken in silence: `=`, masks as numbers, rare events, keys.
module Functional.Tests.Accuracy.MeaningTests

open System
open Expecto
open Functional
open Functional.Kernels
open Functional.Tests.Layers.Close

[<Tests>]
let tests =
    testList "meanings" [
        testCase "tensors are not compared by F#'s ="
        <| fun () ->
            // the attribute is what makes `scalar 1.0 = scalar 1.0` an error of the compiler
            Expect.isTrue (typeof<Tensor>.IsDefined(typeof<NoEqualityAttribute>, false)) "no equality"
            Expect.isTrue (typeof<Tensor>.IsDefined(typeof<NoComparisonAttribute>, false)) "no order"

        testCase "the sum of a mask counts"
        <| fun () ->
            let mask = greater (Tensor.ofRows [ [ 1.0; 5.0 ]; [ 7.0; 8.0 ] ]) (scalar 2.0)

            for total in [ sum mask; compile sum mask ] do
                Expect.equal (total.DType, Tensor.toArray<int> total) (DType.Int32, [| 3 |]) "everything"

            Expect.equal (Tensor.toArray<int>(sumOver [ 0 ] mask)) [| 1; 2 |] "columns"
            Expect.equal (sumKeep [ 1 ] mask).Shape [| 2; 1 |] "kept"

        testCase "a mask is no index"
        <| fun () ->
            let x, mask = Tensor.ofSeq [ 1.0; 2.0 ], Tensor.ofSeq [ true; false ]
            expectRefused [ "take"; "Bool"; "where" ] (fun () -> take 0 mask x)
            expectRefused [ "gatherAlong"; "Bool" ] (fun () -> gatherAlong 0 mask x)
            expectRefused [ "take"; "Float64" ] (fun () -> take 0 x x)

        testCase "rare events have their rate"
        <| fun () ->
            let n = 1 <<< 20
            let rate p = Tensor.toFloat (mean (cast DType.Float64 (Random.bernoulli p [ n ] (Key.create 5L))))
            // below 2⁻²⁴ there is no event in a million numbers, and above 1 − 2⁻²⁴ nothing else
            Expect.isLessThan (rate 1e-8) (2.5 / float n) "1e-8"
            Expect.isGreaterThan (rate (1.0 - 1e-8)) (1.0 - 2.5 / float n) "1 − 1e-8"
            let p = 1e-4
            let deviation = sqrt (p / float n)
            Expect.isLessThan (abs (rate p - p)) (4.0 * deviation) "1e-4"
            Expect.isLessThan (abs (rate (1.0 - p) - (1.0 - p))) (4.0 * deviation) "1 − 1e-4"
            // 53 bits tell apart what 24 do not
            let key = Key.create 6L
            let u = Random.uniform DType.Float64 [ n ] key
            let mask = Random.bernoulli 1e-3 [ n ] key
            Expect.equal (Tensor.toArray<bool> mask) (Tensor.toFloats u |> Array.map (fun u -> u < 1e-3)) "53 bits"

        testCase "no folded key is a key of a split, and none is folded twice"
        <| fun () ->
            for seed in [ 0L; 1L; 42L; Int64.MaxValue ] do
                let key = Key.create seed
                let numbers = [| -1000L .. 1000L |] |> Array.append [| Int64.MinValue; Int64.MaxValue |]
                let folded = Tensor.toArray<int64>(Key.foldTensor (Tensor.ofSeq numbers) key)
                let split = Tensor.toArray<int64>(Key.splitTensor 1000 key)
                let all = Array.concat [ folded; split; [| seed |] ]
                Expect.equal (Array.distinct all).Length all.Length $"seed {seed}"
                let alone = Key.fold Int64.MaxValue key |> Tensor.toArray<int64>
                Expect.equal folded[1] alone[0] "one by one"
    ]
