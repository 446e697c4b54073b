/// Convolution and pooling by their definition: every product of an image's element with a kernel's, one by one, and
/// where it belongs.
module Functional.Tests.Judges.ComplexWindows

open System
open System.Numerics
open Functional.Operations
open Functional.Tests.Judges.ComplexArrays

let private product (shape: int[]) = Array.fold (*) 1 shape

/// All places of a shape.
let private places (shape: int[]) = Seq.init (product shape) (placeOf shape)

/// Where the tap k of the window at o sees the image, along every axis of space; None outside.
let private seen (strides: int[]) (dilations: int[]) (low: int[]) (space: int[]) (o: int[]) (k: int[]) =
    let at = Array.init space.Length (fun i -> o[i] * strides[i] - low[i] + k[i] * dilations[i])
    if Array.forall2 (fun p n -> p >= 0 && p < n) at space then Some at else None

/// How many windows there are along every axis of space.
let windows (strides: int[]) (dilations: int[]) (low: int[]) (high: int[]) (space: int[]) (window: int[]) =
    Array.init space.Length (fun i ->
        (space[i] + low[i] + high[i] - (window[i] - 1) * dilations[i] - 1) / strides[i] + 1)

/// Every product of a convolution: a place of x, one of w, and the place of y where it belongs.
let private products (c: Convolution) (space: int[]) examples channels (window: int[]) features =
    let outputs = windows c.Strides c.Dilations c.Low c.High space window
    let each, own = channels / c.Groups, features / c.Groups

    seq {
        for o in places outputs do
            for k in places window do
                match seen c.Strides c.Dilations c.Low space o k with
                | None -> ()
                | Some at ->
                    for n in 0 .. examples - 1 do
                        for f in 0 .. features - 1 do
                            for j in 0 .. each - 1 do
                                let channel = f / own * each + j

                                Array.concat [ [| n |]; at; [| channel |] ],
                                Array.append k [| j; f |],
                                Array.concat [ [| n |]; o; [| f |] ]
    }

let private collect (shape: int[]) (terms: seq<int[] * Complex>) : ComplexArray =
    let y = Array.create (product shape) Complex.Zero

    for place, term in terms do
        let n = Array.fold2 (fun n size i -> n * size + i) 0 shape place
        y[n] <- y[n] + term

    { Shape = shape; Data = y }

let private inside (shape: int[]) = shape[1 .. shape.Length - 2]

let conv (c: Convolution) (x: ComplexArray) (w: ComplexArray) =
    let r = w.Shape.Length
    let window, features = w.Shape[.. r - 3], w.Shape[r - 1]
    let outputs = windows c.Strides c.Dilations c.Low c.High (inside x.Shape) window

    products c (inside x.Shape) x.Shape[0] x.Shape[r - 1] window features
    |> Seq.map (fun (px, pw, py) -> py, at x px * at w pw)
    |> collect (Array.concat [ [| x.Shape[0] |]; outputs; [| features |] ])

let convInput (c: Convolution) (space: int[]) (y: ComplexArray) (w: ComplexArray) =
    let r = w.Shape.Length
    let channels = w.Shape[r - 2] * c.Groups

    products c space y.Shape[0] channels w.Shape[.. r - 3] w.Shape[r - 1]
    |> Seq.map (fun (px, pw, py) -> px, at y py * at w pw)
    |> collect (Array.concat [ [| y.Shape[0] |]; space; [| channels |] ])

let convKernel (c: Convolution) (window: int[]) (x: ComplexArray) (y: ComplexArray) =
    let r = x.Shape.Length
    let channels, features = x.Shape[r - 1], y.Shape[r - 1]

    products c (inside x.Shape) x.Shape[0] channels window features
    |> Seq.map (fun (px, pw, py) -> pw, at x px * at y py)
    |> collect (Array.append window [| channels / c.Groups; features |])

/// For every place of a pooling's result the place of x with the maximum.
let private winners (w: Window) (x: ComplexArray) =
    let outputs = windows w.Strides w.Dilations w.Low w.High (inside x.Shape) w.Size
    let r = x.Shape.Length

    Array.concat [ [| x.Shape[0] |]; outputs; [| x.Shape[r - 1] |] ],
    fun (p: int[]) ->
        places w.Size
        |> Seq.choose (seen w.Strides w.Dilations w.Low (inside x.Shape) p[1 .. r - 2])
        |> Seq.map (fun at -> Array.concat [ [| p[0] |]; at; [| p[r - 1] |] ])
        |> Seq.maxBy (fun place -> (at x place).Real)

let maxPoolPick (w: Window) (t: ComplexArray) (x: ComplexArray) =
    let shape, winner = winners w x
    build shape (fun p -> at t (winner p))

let maxPoolPlace (w: Window) (t: ComplexArray) (x: ComplexArray) =
    let shape, winner = winners w x
    places shape |> Seq.map (fun p -> winner p, at t p) |> collect x.Shape
