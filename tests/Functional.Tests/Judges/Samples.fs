/// Random inputs for primitives: shapes of rank 0 to 4 with empty and size-1 axes, and values away from kinks.
module Functional.Tests.Judges.Samples

open System
open FsCheck
open FsCheck.FSharp
open Functional
open Functional.Operations

/// A primitive, or several, as a function; with a way to draw inputs of fixed shapes for it.
[<StructuredFormatDisplay("{Name}")>]
type Sample = {
    /// The operation with its parameters.
    Name: string
    Run: Tensor[] -> Tensor[]
    Draw: Gen<Tensor[]>
    /// Which inputs a derivative is taken in.
    Varied: bool[]
    /// Whether the function continues to complex numbers near its inputs, by the tests' own definitions.
    Complex: bool
    /// Whether reverse mode applies.
    Reverse: bool
    /// Whether differences see the derivative; those of stopGradient, on purpose, do not.
    Differences: bool
    /// Inputs in which the function is linear, each with the others held.
    LinearIn: int list
    /// A direction's projection to those that keep the input valid (symmetric matrices stay symmetric).
    Direction: Tensor -> Tensor
}

let sample name run draw = {
    Name = name
    Run = run
    Draw = draw
    Varied = [||]
    Complex = true
    Reverse = true
    Differences = true
    LinearIn = []
    Direction = id
}

/// A sample of a primitive with one result.
let ofOp (op: Op) (draw: Gen<Tensor[]>) (varied: bool list) =
    let run (xs: Tensor[]) =
        match xs with
        | [| a |] -> [| Tensor.Bind(op, a) |]
        | [| a; b |] -> [| Tensor.Bind(op, a, b) |]
        | _ -> [| Tensor.Bind(op, xs[0], xs[1], xs[2]) |]

    { sample $"%A{op}" run draw with Varied = Array.ofList varied }

/// A sample of a primitive with many inputs or results.
let ofMany (op: ManyOp) (name: string) (draw: Gen<Tensor[]>) (varied: bool list) = {
    sample name (fun xs -> Tensor.Bind(op, xs)) draw with
        Varied = Array.ofList varied
}

let linearIn inputs s = { s with LinearIn = inputs }

// ---- shapes

/// One axis: usually 2 to 4, sometimes 1, seldom empty.
let axisSize = Gen.frequency [ 5, Gen.choose (2, 4); 2, Gen.constant 1; 1, Gen.constant 0 ]

let private limited (shape: int[]) = Shape.size shape <= 48

let private shapeOf axis low high =
    gen {
        let! rank = Gen.choose (low, high)
        return! Gen.arrayOfLength rank axis |> Gen.filter limited
    }

/// A shape with a number of axes between two bounds, possibly empty.
let shapeOfRank low high = shapeOf axisSize low high
let anyShape = shapeOfRank 0 4
/// A shape without empty axes.
let fullShape low high = shapeOf (Gen.choose (1, 4)) low high

/// A shape that broadcasts to the given one: leading axes left out, some axes of size 1.
let partOf (shape: int[]) =
    gen {
        let! dropped = Gen.frequency [ 3, Gen.constant 0; 1, Gen.choose (0, shape.Length) ]

        let! ones =
            Gen.arrayOfLength shape.Length (Gen.frequency [ 3, Gen.constant false; 1, Gen.constant true ])

        return Array.map2 (fun d one -> if one then 1 else d) shape ones |> Array.skip dropped
    }

/// Shapes that meet: one whole, the others parts of it or whole, in any order.
let meetingShapes count =
    gen {
        let! whole = anyShape
        let! shapes = Gen.arrayOfLength count (Gen.frequency [ 1, Gen.constant whole; 2, partOf whole ])
        return shapes
    }

/// Some of the axes, each at most once, in order.
let someAxes (rank: int) =
    gen {
        let! chosen = Gen.arrayOfLength rank (Gen.elements [ true; false ])

        return [|
            for i in 0 .. rank - 1 do
                if chosen[i] then
                    i
        |]
    }

// ---- values

let private seeded (f: System.Random -> 'T) =
    Gen.choose (0, Int32.MaxValue - 1) |> Gen.map (fun seed -> f (System.Random seed))

/// A Float64 tensor with elements from a function of a random source and the element's number.
let tensorBy (shape: int[]) (value: System.Random -> int -> float) =
    seeded (fun random -> Tensor.create shape (Array.init (Shape.size shape) (value random)))

let between low high (shape: int[]) = tensorBy shape (fun random _ -> low + (high - low) * random.NextDouble())

/// Of either sign, with a size between two bounds.
let awayFromZero low high (shape: int[]) =
    tensorBy shape (fun random _ ->
        (if random.Next 2 = 0 then 1.0 else -1.0) * (low + (high - low) * random.NextDouble()))

/// Well inside (n, n + 0.5) or (n + 0.5, n + 1).
let awayFromSteps (shape: int[]) =
    tensorBy shape (fun random _ ->
        float (random.Next(-3, 4)) + 0.5 * float (random.Next 2) + 0.1 + 0.3 * random.NextDouble())

/// No two elements closer than 0.06, in random order.
let distinct (shape: int[]) =
    seeded (fun random ->
        let n = Shape.size shape
        let values = Array.init n (fun i -> 0.1 * float (i - n / 2) + 0.04 * random.NextDouble())
        random.Shuffle values
        Tensor.create shape values)

let truths (shape: int[]) =
    seeded (fun random -> Tensor.create shape (Array.init (Shape.size shape) (fun _ -> random.Next 2 = 0)))

/// Places on an axis, of either index type.
let places (size: int) (shape: int[]) =
    gen {
        let! wide = Gen.elements [ true; false ]

        return!
            seeded (fun random ->
                let values = Array.init (Shape.size shape) (fun _ -> random.Next(max 1 size))

                if wide then
                    Tensor.create shape (Array.map int64 values)
                else
                    Tensor.create shape values)
    }

/// Several inputs drawn one by one.
let all (draws: Gen<Tensor> list) = Gen.sequenceToArray draws

let private setting name (otherwise: uint64) =
    match Environment.GetEnvironmentVariable name with
    | null
    | "" -> otherwise
    | s -> uint64 s

/// So many draws in the suite, and as many times more as FUNCTIONAL_DRAWS says.
let draws (count: int) = count * int (setting "FUNCTIONAL_DRAWS" 1UL)

/// Samples of a generator: always the same ones, and others where FUNCTIONAL_SEED says so.
let take (count: int) (g: Gen<'T>) : 'T[] = Gen.sampleWithSeed (Rnd(setting "FUNCTIONAL_SEED" 20UL)) 30 count g

/// Runs a check on samples; what fails is told with its sample.
let onSamples (count: int) (g: Gen<Sample>) (check: Sample -> Tensor[] -> unit) =
    let drawn =
        gen {
            let! s = g
            let! xs = s.Draw
            return s, xs
        }

    for s, xs in take count drawn do
        try
            check s xs
        with e ->
            let shapes = xs |> Array.map (fun x -> $"{x.DType} {Shape.show x.Shape}") |> String.concat ", "
            let values = xs |> Array.map string |> String.concat "\n"
            Expecto.Tests.failtest $"{s.Name} of {shapes}\n{e.Message}\n{e.StackTrace}\n{values}"
