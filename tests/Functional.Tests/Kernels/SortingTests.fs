/// The stable argsort and the selection of the first few, against the standard library's stable sort.
module Functional.Tests.Kernels.SortingTests

open System
open Expecto
open Functional
open Functional.Kernels
open Functional.Tests.Kernels.NaiveArrays

/// Indices of a line in the order of its elements, NaN last, equals in their own order.
let private order descending (line: float[]) =
    let key i =
        if Double.IsNaN line[i] then
            1, 0.0
        else
            0, (if descending then -line[i] else line[i])

    Seq.init line.Length id |> Seq.sortBy key |> Seq.map float |> Array.ofSeq

let private check (random: Random) (x: NDArray) =
    if x.Rank > 0 && x.Size > 0 then
        let axis, descending = random.Next x.Rank, random.Next 2 = 0
        let y = room DType.Int32 (Array.updateAt axis (random.Next(x.Shape[axis] + 1)) x.Shape)
        Sorting.ArgSort(x, axis, descending, y)
        let values, sorted = toFloats x, toFloats y

        for i in 0 .. sorted.Length - 1 do
            let at = place y.Shape i
            let line = Array.init x.Shape[axis] (fun j -> values[number x.Shape (Array.updateAt axis j at)])

            if sorted[i] <> Array.item at[axis] (order descending line) then
                failtest $"{show x.Shape}, axis {axis}, at {show at}"

let private argSort descending (x: NDArray) count =
    let y = room DType.Int32 [| count |]
    Sorting.ArgSort(x, 0, descending, y)
    toFloats y

[<Tests>]
let tests =
    testList "sorting kernels" [
        testCase "argsort of random arrays along every axis" <| fun () -> onArrays 21 60 check

        testCase "long lines: many ties, few ties, and selections"
        <| fun () ->
            let random = Random 22

            for dtype in [ DType.Float32; DType.Float64; DType.Int32; DType.Int64 ] do
                for range in [ 3.0; 1000.0; 1e9 ] do
                    let values = Array.init 5000 (fun _ -> Math.Round(range * (random.NextDouble() - 0.5)))
                    let values = if dtype = DType.Float32 then Array.map (float32 >> float) values else values
                    let x = ofFloats dtype [| 5000 |] values

                    for descending in [ false; true ] do
                        let expected = order descending values

                        for count in [ 1; 7; 600; 5000 ] do
                            expectSame (argSort descending x count) expected[.. count - 1] (fun () ->
                                $"{dtype}, range {range}, descending {descending}, first {count}")

        testCase "64-bit keys differ in all their bits"
        <| fun () ->
            let random = Random 23

            let key i =
                if i % 3 = 0 then
                    int64 (random.Next 100)
                else
                    random.NextInt64() - random.NextInt64()

            let keys = Array.init 60_000 key
            let expected = Seq.init keys.Length id |> Seq.sortBy (fun i -> keys[i]) |> Seq.map float |> Array.ofSeq
            let x = NDArray.Of<int64>([| keys.Length |], ReadOnlySpan keys)
            expectSame (argSort false x keys.Length) expected (fun () -> "whole")
            expectSame (argSort false x 100) expected[..99] (fun () -> "the first hundred")

        testCase "NaN is last in both directions, infinities are numbers, zeros are equal"
        <| fun () ->
            let values = [| 1.0; nan; -0.0; 0.0; infinity; -infinity; nan; -0.0 |]

            for dtype in [ DType.Float32; DType.Float64 ] do
                let x = ofFloats dtype [| 8 |] values
                Expect.sequenceEqual (argSort false x 8) [ 5.0; 2.0; 3.0; 7.0; 0.0; 4.0; 1.0; 6.0 ] "ascending"
                Expect.sequenceEqual (argSort true x 8) [ 4.0; 0.0; 2.0; 3.0; 7.0; 5.0; 1.0; 6.0 ] "descending"
    ]
