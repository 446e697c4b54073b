/// Programs to compile: the shapes that training, control flow and research code have.
module Functional.Tests.Programs

open Functional

let private key = Key.create 1L

/// Normal numbers, Float64; the same for the same number.
let normal (number: int) (shape: int list) = Random.normal DType.Float64 shape (Key.fold (int64 number) key)

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

let segmented (c: Cell, h: Tensor, xs: Tensor) =
    let along = Tree.map (fun t -> broadcastTo (Array.append [| 6 |] t.Shape) t) c

    let last, ys = scanCheckpointed 3 (fun h (c, x) -> let h, y = step c h x in h, y) h (along, xs)

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
