/// Every primitive under vmap, eager and compiled, against a loop over the examples: on inputs that fit it, and on inputs
/// with an axis too few or too many, another size, another element type; whichever of them are mapped, once or twice.
module Functional.Tests.Judges.ExampleTests

open Expecto
open FsCheck
open FsCheck.FSharp
open Functional
open Functional.Tests.Judges
open Functional.Tests.Judges.Samples
open Functional.Tests.Judges.Examples

/// What is done to an input, in every example alike.
type private Change =
    | Kept
    | Dropped of axis: int
    | Added of axis: int
    | Resized of axis: int * size: int
    | OfType of DType

let private apply (change: Change) (x: Tensor) : Tensor =
    match change with
    | Dropped axis when axis < x.Rank && x.Shape[axis] > 0 -> index axis 0 x
    | Added axis when axis <= x.Rank && x.Rank < 5 -> expandDims axis x
    | Resized(axis, size) when axis < x.Rank ->
        let n = x.Shape[axis]

        if n = 0 then
            Tensor.full x.DType (Shape.withAxis axis size x.Shape) 0.0
        else
            Functional.IndexFunctions.take axis (Tensor.create [ size ] (Array.init size (fun i -> i % n))) x
    | OfType dtype -> cast dtype x
    | Kept
    | Dropped _
    | Added _
    | Resized _ -> x

let private change =
    gen {
        let! axis = Gen.choose (0, 4)
        let! size = Gen.choose (0, 3)
        let! dtype = Gen.elements [ DType.Float64; DType.Float32; DType.Int32; DType.Int64; DType.Bool ]

        return!
            Gen.frequency [
                3, Gen.constant (Dropped axis)
                3, Gen.constant (Added axis)
                4, Gen.constant (Resized(axis, size))
                1, Gen.constant (OfType dtype)
            ]
    }

/// A primitive with what is drawn for it: draws of all inputs for `outer · inner` examples, and which inputs either level
/// maps.
type private Case = {
    Sample: Sample
    Draws: Tensor[][]
    Changes: Change[]
    Size: int
    Mapped: bool[]
    /// Which inputs an outer vmap of two examples maps, where there is one.
    Outer: bool[]
}

/// Operations that hold graphs of fixed shapes: the functions that make them check their arguments.
let private holdsGraph (name: string) = List.contains name [ "Scan"; "Cond"; "While"; "Call" ]

let private case name (g: Gen<Sample>) =
    gen {
        let! s = g
        let! size = Gen.elements [ 0; 1; 2; 2; 3; 3 ]
        let! nested = Gen.frequency [ 3, Gen.constant false; 1, Gen.constant true ]
        let! draws = Gen.arrayOfLength (max 1 size * (if nested then 2 else 1)) s.Draw
        let count = draws[0].Length
        let choices = Gen.arrayOfLength count (Gen.elements [ true; false ])
        let orAll (chosen: bool[]) = if Array.contains true chosen then chosen else Array.create count true
        let! mapped = Gen.map orAll choices
        let! outer = Gen.map orAll choices
        let! isChanged = Gen.elements [ true; false ]
        let some = Gen.frequency [ 1, Gen.constant Kept; 1, change ]
        let! changes = Gen.arrayOfLength count some

        return {
            Sample = s
            Draws = draws
            Changes = if isChanged && not (holdsGraph name) then changes else Array.create count Kept
            Size = size
            Mapped = mapped
            Outer = if nested then outer else [||]
        }
    }

/// The inputs of one draw, changed; all draws of an input have the element type of the first.
let private inputs (c: Case) : Tensor[][] =
    c.Draws
    |> Array.map (
        Array.mapi (fun i x ->
            let first: Tensor = c.Draws[0][i]
            apply c.Changes[i] (cast first.DType x))
    )

/// The examples of the mapped inputs stacked; of none, where there are none.
let private stacked size (mapped: bool[]) (examples: Tensor[][]) : Tensor[] = [|
    for i in 0 .. mapped.Length - 1 do
        if mapped[i] then
            let draws: Tensor[] = examples |> Array.map (Array.item i)
            let first = draws[0]

            if size = 0 then
                Tensor.full first.DType (Array.append [| 0 |] first.Shape) 0.0
            else
                stack 0 draws
|]

/// `values` in the places that are mapped, and what was there before in the others.
let private put (mapped: bool[]) (values: Tensor[]) (all: Tensor[]) : Tensor[] =
    let mutable next = -1

    Array.map2
        (fun isMapped x ->
            if isMapped then
                next <- next + 1
                values[next]
            else
                x)
        mapped
        all

let private tolerance (name: string) = if name.StartsWith "Linear" then 1e-10 else 1e-12

let private judgeOnce name (c: Case) =
    let xs = inputs c

    let each =
        xs |> Array.map (fun x -> put c.Mapped (stacked 1 c.Mapped [| x |] |> Array.map (index 0 0)) xs[0])

    let examples = each |> Array.map (fun x -> attempt (fun () -> c.Sample.Run x))
    let f (v: Tensor[]) = c.Sample.Run(put c.Mapped v xs[0])
    let batch = stacked c.Size c.Mapped xs

    for what, g in [ "vmap", vmap f; "vmap, compiled", compile (vmap f) ] do
        let outcome = attempt (fun () -> g batch)

        if c.Size = 0 then
            judgeEmpty what examples[0] outcome
        else
            judge (tolerance name) what examples outcome

/// Two levels: an input has another draw for every place of a level that maps it.
let private judgeTwice name (c: Case) =
    let xs, n = inputs c, c.Size
    let inputs = [| 0 .. c.Mapped.Length - 1 |]
    let value i j k = xs[(if c.Outer[k] then i * n else 0) + (if c.Mapped[k] then j else 0)][k]

    /// An input as the inner level gets it.
    let row i k =
        if c.Mapped[k] then
            stack 0 (Array.init n (fun j -> value i j k))
        else
            value i 0 k

    let chosen (mapped: bool[]) (all: Tensor[]) = Array.zip mapped all |> Array.filter fst |> Array.map snd
    let batch = chosen c.Outer (inputs |> Array.map (fun k -> stack 0 [ row 0 k; row 1 k ]))
    let shared = inputs |> Array.map (row 0)

    let nested =
        vmap (fun outer ->
            let all = put c.Outer outer shared
            vmap (fun v -> c.Sample.Run(put c.Mapped v all)) (chosen c.Mapped all))

    let examples = [|
        for i in 0..1 do
            for j in 0 .. n - 1 do
                attempt (fun () -> c.Sample.Run(Array.map (value i j) inputs))
    |]

    let flat (ys: Tensor[]) = ys |> Array.map (fun y -> reshape (Array.append [| 2 * n |] y.Shape[2..]) y)

    for what, g in [ "vmap of vmap", nested; "vmap of vmap, compiled", compile nested ] do
        judge (tolerance name) what examples (attempt (fun () -> flat (g batch)))

[<Tests>]
let tests =
    testList "vmap or refused" [
        for name, g in Primitives.generators ->
            testCase name
            <| fun () ->
                for c in take (draws 6) (case name g) do
                    try
                        if c.Outer.Length = 0 || c.Size = 0 then judgeOnce name c else judgeTwice name c
                    with e ->
                        let shapes =
                            (inputs c)[0]
                            |> Array.map (fun x -> $"{x.DType} {Shape.show x.Shape}")
                            |> String.concat ", "

                        failtest
                            $"{c.Sample.Name} of {shapes}, {c.Size} examples, mapped %A{c.Mapped}, outside %A{c.Outer}\n{e.Message}\n{e.StackTrace}"
    ]
