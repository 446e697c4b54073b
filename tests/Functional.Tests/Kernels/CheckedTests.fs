/// Kernels of drawn sizes touch nothing but their arrays. Ordinary kernels are only seen to run; checked ones (see
/// docs/building.md) are watched, and to see that somebody does watch, each is called again with one of its arrays an element
/// too short, which must be found whichever array it is.
module Functional.Tests.Kernels.CheckedTests

open System
open Expecto
open Functional
open Functional.Kernels
open Functional.Tests
open Functional.Tests.Selection
open Functional.Tests.Kernels.DrawnKernels

/// How many calls of each family: FUNCTIONAL_DRAWS says otherwise.
let private draws =
    match Int32.TryParse(Environment.GetEnvironmentVariable "FUNCTIONAL_DRAWS") with
    | true, n -> n
    | _ -> 300

let private sizeOf (shape: int[]) = Array.fold (*) 1 shape

/// The arrays of a call, side by side in a block of memory. One of them may have a storage that ends an element too soon.
let private place (random: Random) (drawn: Drawn) (cut: int) : NDArray[] =
    let mutable bytes = 0

    let offsets =
        drawn.Parts
        |> Array.map (fun part ->
            let size = part.Type.Size()
            let offset = (bytes + size - 1) / size * size + size * random.Next 4
            bytes <- offset + size * sizeOf part.Shape
            offset)

    let arena = Arena(bytes + 64)

    Array.map2 (fun (part: Part) offset -> arena.At(int64 offset, part.Shape, part.Type)) drawn.Parts offsets
    |> Array.mapi (fun i whole ->
        let part = drawn.Parts[i]
        let count = sizeOf part.Shape
        let values = NaiveArrays.ofFloats part.Type [| count |] (Array.init count (fun _ -> part.Value random))

        if count > 0 then
            (values.InStorage().Storage.Span<byte>().Slice(0, count * part.Type.Size()))
                .CopyTo(whole.Storage.Span<byte>())

        if i = cut then
            NDArray(part.Shape, arena.View(int64 offsets[i], [| count - 1 |], part.Type), part.Type)
        else
            whole)

/// The arrays that a call cannot do without the last element of.
let private needed (drawn: Drawn) : int[] =
    let isNothing (part: Part) = sizeOf part.Shape = 0

    if Array.exists isNothing drawn.Parts then
        [||]
    else
        drawn.Parts
        |> Array.indexed
        |> Array.filter (fun (_, part) -> part.Whole && not (isNothing part))
        |> Array.map fst

let private show (drawn: Drawn) =
    drawn.Name
    + " on "
    + String.Join(", ", drawn.Parts |> Array.map (fun p -> $"{p.Type} {NaiveArrays.show p.Shape}"))

let private touchesOnlyItsArrays (draw: Random -> Drawn) () =
    for seed in 1..draws do
        let random = Random seed
        let drawn = draw random

        try
            drawn.Run(place random drawn -1)
        with e ->
            failtest $"draw {seed}, {show drawn}: {e.Message}"

        if Checks.isOn then
            for i in needed drawn do
                match Checks.violationOf (fun () -> drawn.Run(place random drawn i)) with
                | Some _ -> ()
                | None -> failtest $"draw {seed}, {show drawn}: nobody found that array {i} is too short"

let private message (work: unit -> unit) =
    Checks.violationOf work |> Option.defaultWith (fun () -> failtest "nothing was found")

[<Tests>]
let tests =
    testSequenced
    <| testList "accesses of kernels" [
        for name, draw in families do
            testCase name (touchesOnlyItsArrays draw) |> if Checks.isOn then id else slow

        if Checks.isOn then
            testCase "what is wrong is said"
            <| fun () ->
                let whole = NDArray.Allocate([| 10 |], DType.Float32)
                let x = NDArray([| 11 |], whole.Storage, DType.Float32)
                let y = NDArray.Allocate([| 11 |], DType.Float32)
                let said = message (fun () -> Elementwise.Unary(Unary.Neg, x, y))
                Expect.stringContains said "an array of 40 bytes" "the array"
                Expect.stringContains said "Elementwise" "the kernel"

            testCase "before an array"
            <| fun () ->
                let x, y = NDArray.Allocate([| 10 |], DType.Float32), NDArray.Allocate([| 2 |], DType.Float32)
                let said = message (fun () -> Layout.Slice(x, [| -1 |], [| 1 |], y))
                Expect.stringContains said "offset -4" "the place"

            testCase "every place that the tool should have seen"
            <| fun () -> Expect.isGreaterThan Checks.places 300 "checked accesses"
    ]
