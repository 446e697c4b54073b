/// vmap is the loop: for every primitive, whichever inputs are mapped; nested; and mixed with the other transformations.
module Functional.Tests.Judges.BatchTests

open Expecto
open FsCheck.FSharp
open Functional
open Functional.Tests.Judges
open Functional.Tests.Judges.Samples
open Functional.Tests.Judges.Judges

let private count = draws 12
let private loose (name: string) = if name.StartsWith "Linear" then 1e-10 else 1e-12

/// A sample with several draws of its inputs, of which only some are mapped: the others are those of the first draw.
let private batches (size: int) (g: FsCheck.Gen<Sample>) =
    gen {
        let! s = g
        let! draws = Gen.arrayOfLength size s.Draw
        let! mapped = Gen.arrayOfLength draws[0].Length (Gen.elements [ true; false ])
        let mapped = if Array.contains true mapped then mapped else Array.create mapped.Length true
        return s, draws, mapped
    }

let private forBatches size (check: string -> Sample -> Tensor[][] -> bool[] -> unit) = [
    for name, g in Primitives.generators ->
        testCase name
        <| fun () ->
            for s, draws, mapped in take count (batches size g) do
                try
                    check name s draws mapped
                with e ->
                    let shapes = draws[0] |> Array.map (fun x -> Shape.show x.Shape) |> String.concat ", "
                    failtest $"{s.Name} of {shapes}, mapped %A{mapped}\n{e.Message}\n{e.StackTrace}"
]

/// Results of several calls, stacked one by one.
let private together (results: Tensor[][]) : Tensor[] =
    Array.init results[0].Length (fun k -> results |> Array.map (Array.item k) |> stack 0)

/// Input i of one of the draws, in the element type of the first: an index is drawn as Int32 or as Int64.
let private input (draws: Tensor[][]) (draw: int) (i: int) : Tensor =
    let first: Tensor = draws[0][i]
    cast first.DType (Array.item i draws[draw])

let private stacked (draws: Tensor[][]) (i: int) : Tensor = stack 0 (Array.init draws.Length (fun k -> input draws k i))

let private floats: Tensor[] -> Tensor[] = Array.filter (fun y -> y.DType.IsFloat())

let private placesOf (mapped: bool[]) = [|
    for i in 0 .. mapped.Length - 1 do
        if mapped[i] then
            i
|]

let private example (k: int) : Tensor[] -> Tensor[] = Array.map (index 0 k)

/// The function of the mapped inputs alone, and those inputs stacked.
let private mappedOnly (f: Tensor[] -> 'Q) (draws: Tensor[][]) (mapped: bool[]) =
    let places = placesOf mapped

    let g (xs: Tensor[]) =
        let inputs = Array.copy draws[0]
        Array.iter2 (fun (place: int) x -> inputs[place] <- x) places xs
        f inputs

    g, places |> Array.map (stacked draws)

/// The same by a loop over the examples.
let private looped (f: Tensor[] -> Tensor[]) (draws: Tensor[][]) (mapped: bool[]) =
    Array.init draws.Length (fun k -> f (mapped |> Array.mapi (fun i on -> input draws (if on then k else 0) i)))
    |> together

/// Samples with a derivative and finite results.
let private isSmooth (s: Sample) =
    Array.contains true s.Varied && s.Reverse && (s.Differences || s.Name = "StopGradient")

/// The gradient of a number made of the results, with respect to the varied inputs.
let private gradient (s: Sample) (inputs: Tensor[]) : Tensor[] =
    let f, varied = restrict s inputs
    grad (curved f) varied

[<Tests>]
let tests =
    testList "vmap" [
        testList "is the loop"
        <| forBatches 3 (fun name s draws mapped ->
            let f, xs = mappedOnly s.Run draws mapped
            agreeTensors (loose name) "value" (vmap f xs) (looped s.Run draws mapped))

        testList "of one example"
        <| forBatches 1 (fun name s draws mapped ->
            let f, xs = mappedOnly s.Run draws mapped
            agreeTensors (loose name) "value" (vmap f xs) (looped s.Run draws mapped))

        testList "of the gradient"
        <| forBatches 3 (fun name s draws mapped ->
            if isSmooth s then
                let f, xs = mappedOnly (gradient s) draws mapped
                agreeTensors (loose name) "gradient" (vmap f xs) (looped (gradient s) draws mapped))

        testList "under the gradient"
        <| forBatches 3 (fun name s draws mapped ->
            if isSmooth s then
                // the sum over examples: the gradient of each mapped input is its own example's
                let isVaried = s.Varied
                let f, xs = mappedOnly s.Run draws mapped
                let total xs = curved (vmap f >> floats) xs
                let places = placesOf mapped

                let inALoop (xs: Tensor[]) = Array.init draws.Length (fun k -> f (example k xs) |> floats) |> together

                if xs |> Array.exists (fun x -> x.DType.IsFloat()) then
                    let a, b = grad total xs, grad (curved inALoop) xs

                    Array.iteri
                        (fun k place ->
                            if isVaried[place] then
                                agreeTensors (loose name) $"input {place}" [| a[k] |] [| b[k] |])
                        places
                    // forward mode through the batch
                    let vs = like 3 xs
                    let along f = snd (jvp f xs vs)
                    agreeTensors (loose name) "tangent" [| along total |] [| along (curved inALoop) |])

        testList "shared inputs collect from every example"
        <| forBatches 3 (fun name s draws mapped ->
            if isSmooth s then
                let shared = [|
                    for i in 0 .. mapped.Length - 1 do
                        if not mapped[i] && s.Varied[i] then
                            i
                |]

                let places = placesOf mapped
                let stacks = places |> Array.map (stacked draws)

                let total (each: (Tensor[] -> Tensor[]) -> Tensor[] -> Tensor[]) (ws: Tensor[]) =
                    let inputs = Array.copy draws[0]
                    Array.iter2 (fun (i: int) w -> inputs[i] <- w) shared ws

                    let one (xs: Tensor[]) =
                        let inputs = Array.copy inputs
                        Array.iter2 (fun (place: int) x -> inputs[place] <- x) places xs
                        floats (s.Run inputs)

                    curved (fun _ -> each one stacks) [||]

                let loop (f: Tensor[] -> Tensor[]) (xs: Tensor[]) =
                    Array.init draws.Length (fun k -> f (example k xs)) |> together

                let ws = shared |> Array.map (fun i -> draws[0][i])
                agreeTensors (loose name) "gradient" (grad (total vmap) ws) (grad (total loop) ws))

        testList "nested"
        <| forBatches 4 (fun name s draws mapped ->
            // four examples as two of two: all mapped inputs by both levels
            let f, xs = mappedOnly s.Run draws mapped
            let square (t: Tensor) = reshape (Array.append [| 2; 2 |] t.Shape[1..]) t
            let twice = vmap (vmap f) (Array.map square xs)
            agreeTensors (loose name) "value" twice (vmap f xs |> Array.map square))

        testList "nested, each level mapping its own"
        <| forBatches 2 (fun name s draws mapped ->
            let own, others = placesOf mapped, placesOf (Array.map not mapped)

            if others.Length > 0 then
                let inputs (a: Tensor[]) (b: Tensor[]) =
                    let all = Array.copy draws[0]
                    Array.iter2 (fun (i: int) x -> all[i] <- x) own a
                    Array.iter2 (fun (i: int) x -> all[i] <- x) others b
                    all

                let a, b = own |> Array.map (stacked draws), others |> Array.map (stacked draws)
                let nested = vmap (fun a -> vmap (fun b -> s.Run(inputs a b)) b) a

                let row i = Array.init 2 (fun j -> s.Run(inputs (example i a) (example j b))) |> together
                let loops = Array.init 2 row |> together

                agreeTensors (loose name) "value" nested loops)
    ]
