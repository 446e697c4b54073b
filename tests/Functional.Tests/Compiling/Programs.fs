/// Programs to compile: the shapes that training, control flow and research code have.
module Functional.Tests.Programs

open Expecto
open Functional
open Functional.Compiling
open Functional.Plans
open Functional.Rewrites
open Functional.Kernels

let private key = Key.create 1L

/// Normal numbers, Float64; the same for the same number.
let normal (number: int) (shape: int list) = Random.normal DType.Float64 shape (Key.fold (int64 number) key)

/// Whether a tensor holds the numbers expected, to a share of each or of 1, whichever is larger.
let closeTo (tolerance: float) (what: string) (expected: float[]) (found: Tensor) =
    let found = Tensor.toFloats found
    Expect.equal found.Length expected.Length what

    Array.iter2
        (fun (x: float) y ->
            if not (abs (x - y) <= tolerance * max 1.0 (abs x)) then
                failtest $"%s{what}: %A{expected} expected, %A{found} found")
        expected
        found

type Cell = { W: Tensor; U: Tensor; B: Tensor }
type Layer = { Weights: Tensor; Bias: Tensor }
type Net = { Hidden: Layer; Output: Layer; Name: string }

let cell = {
    W = 0.3 * normal 1 [ 3; 4 ]
    U = 0.3 * normal 2 [ 4; 4 ]
    B = 0.1 * normal 3 [ 4 ]
}

let sequence = normal 4 [ 6; 2; 3 ]
let start = normal 5 [ 2; 4 ]

let step (c: Cell) (h: Tensor) (x: Tensor) =
    let h = tanh (x *@ c.W + h *@ c.U + c.B)
    h, h

/// A recurrent loss, by a host loop and by scan.
let unrolled (c: Cell, h: Tensor, xs: Tensor) =
    let mutable h = h
    let mutable total = scalar 0.0

    for x in unstack 0 xs do
        h <- fst (step c h x)
        total <- total + sum (sin h)

    total + sum (square h)

let scanned (c: Cell, h: Tensor, xs: Tensor) =
    let last, ys = scan (step c) h xs
    sum (square last) + sum (sin ys)

let segmented segments (c: Cell, h: Tensor, xs: Tensor) =
    let last, ys = scanCheckpointedWith segments (step c) h xs
    sum (square last) + sum (sin ys)

let net = {
    Hidden = { Weights = 0.5 * normal 6 [ 3; 8 ]; Bias = normal 7 [ 8 ] }
    Output = { Weights = 0.5 * normal 8 [ 8; 2 ]; Bias = normal 9 [ 2 ] }
    Name = "small"
}

let predict net x =
    x
    |> affine net.Hidden.Weights net.Hidden.Bias
    |> tanh
    |> affine net.Output.Weights net.Output.Bias
    |> softmax

let loss (x, y) net = mean (square (predict net x - y))
let batch = normal 10 [ 5; 3 ], normal 11 [ 5; 2 ]

let descend net batch =
    let value, gradient = valueAndGrad (loss batch) net
    Tree.map2 (addScaled -0.1) net gradient, value

/// A random program over two 4×4 matrices: elementwise functions, products, reductions, shapes, indices, loops and
/// branches, in a random order. The same for the same seed.
let randomProgram (dtype: DType) (seed: int) (a: Tensor, b: Tensor) : Tensor =
    let random = System.Random seed
    let pool = ResizeArray [ a; b ]
    let pick () = pool[random.Next pool.Count]

    for _ in 1..14 do
        let x, y = pick (), pick ()

        pool.Add(
            match random.Next 20 with
            | 0 -> sin x
            | 1 -> tanh x
            | 2 -> x * y
            | 3 -> x + 0.5 * y
            | 4 -> x - sumKeep [ 0 ] y * 0.1
            | 5 -> sigmoid x * meanKeep [ 1 ] y
            | 6 -> x *@ transpose y *@ x * 0.05
            | 7 -> softmax x
            | 8 -> where (greater x y) x (exp (-(square y)))
            | 9 -> reverse [ 0 ] x + x[1, *]
            | 10 -> reshape [ 4; 4 ] (flatten x) + transpose y
            | 11 -> concat 0 [ x[2.., *]; y[..1, *] ]
            | 12 -> logsumexpKeep [ 1 ] x + y
            | 13 -> take 0 (Tensor.ofSeq [ 2; 0; 0; 3 ]) x
            | 14 ->
                let step (h: Tensor) (row: Tensor) =
                    let h = tanh (h *@ y + expandDims 0 row)
                    h, h

                scan step x[..0, *] x |> snd |> reshape [ 4; 4 ]
            | 15 ->
                cond
                    (greater (sum x) (Tensor.scalarOf dtype 0.0))
                    (fun (x, y) -> x * sin y)
                    (fun (x, y) -> x - y)
                    (x, y)
            | 16 -> vmap (fun (r: Tensor) -> r * sum r * 0.1) x
            | 17 -> maximum x (x *@ y * 0.1)
            | 18 -> checkpoint (fun (x, y) -> cos (x * y)) (x, y)
            | _ -> cumsum 1 x * 0.1
        )

    pool |> Seq.fold (fun total x -> total + mean x) (Tensor.scalarOf dtype 0.0)

/// The largest relative distance between the tensors of two trees.
let distance (a: 'T) (b: 'T) =
    Array.map2
        (fun (x: Tensor) (y: Tensor) ->
            if not (Shape.same x.Shape y.Shape) then
                infinity
            else
                Array.map2
                    (fun p q ->
                        if p = q || (System.Double.IsNaN p && System.Double.IsNaN q) then
                            0.0
                        else
                            abs (p - q) / max 1.0 (max (abs p) (abs q)))
                    (Tensor.toFloats x)
                    (Tensor.toFloats y)
                |> Array.fold max 0.0)
        (Tree.leaves a)
        (Tree.leaves b)
    |> Array.fold max 0.0

/// The number of kernels with all passes and with fewer, after comparing what both compute, bit by bit.
let internal kernels (fewer: Passes) (f: Tensor list -> Tensor list) (arguments: Tensor list) =
    let program = compiled f
    program.Prepare arguments
    let graph = Simplify.graph program.Programs[0].Graph
    let inputs = arguments |> List.map (Tensor.value "test") |> Array.ofList

    let run passes =
        let runner = Runner(graph, passes)
        runner.Run inputs |> Array.map (fun y -> Concrete y :> Tensor), runner.Plan.Steps.Length

    let results, fused = run Passes.all
    let plain, apart = run fewer
    Expect.equal (Array.map2 distance results plain) (Array.create plain.Length 0.0) "the same bits"
    fused, apart
