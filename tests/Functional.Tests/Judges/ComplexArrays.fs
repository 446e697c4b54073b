/// The vocabulary once more, naively, on complex arrays: every primitive as its definition, index by index, without
/// kernels, shape rules or derivatives of the library. What the judges compare with.
module Functional.Tests.Judges.ComplexArrays

open System
open System.Numerics
open Functional
open Functional.Operations

type ComplexArray = { Shape: int[]; Data: Complex[] }

let private product (shape: int[]) = Array.fold (*) 1 shape
let total (zs: Complex[]) = Array.fold (+) Complex.Zero zs

/// The place of flat number n in a shape.
let placeOf (shape: int[]) (n: int) : int[] =
    let place = Array.zeroCreate shape.Length
    let mutable rest = n

    for i in shape.Length - 1 .. -1 .. 0 do
        place[i] <- rest % shape[i]
        rest <- rest / shape[i]

    place

let private numberOf (shape: int[]) (place: int[]) = Array.fold2 (fun n size i -> n * size + i) 0 shape place

let build (shape: int[]) (value: int[] -> Complex) : ComplexArray = {
    Shape = shape
    Data = Array.init (product shape) (placeOf shape >> value)
}

let at (x: ComplexArray) (place: int[]) = x.Data[numberOf x.Shape place]

/// The element that stands at a place of the shape x is broadcast to.
let atBroadcast (x: ComplexArray) (place: int[]) =
    let mine = Array.skip (place.Length - x.Shape.Length) place
    at x (Array.map2 (fun size i -> if size = 1 then 0 else i) x.Shape mine)

let meet (a: int[]) (b: int[]) =
    let rank = max a.Length b.Length
    let padded (s: int[]) = Array.append (Array.create (rank - s.Length) 1) s
    Array.map2 (fun x y -> if x = 1 then y else x) (padded a) (padded b)

let map2 f a b = build (meet a.Shape b.Shape) (fun p -> f (atBroadcast a p) (atBroadcast b p))

let whole (z: Complex) = int (Math.Round z.Real)
let real (x: float) = Complex(x, 0.0)

/// The places along the reduced axes that belong to one place of the result (with the axes kept).
let private group (shape: int[]) (axes: int[]) (place: int[]) =
    let sizes = axes |> Array.map (fun i -> shape[i])

    Array.init (product sizes) (fun n ->
        let inside = placeOf sizes n

        Array.mapi
            (fun i p ->
                match Array.IndexOf(axes, i) with
                | -1 -> p
                | k -> inside[k])
            place)

let reshape (shape: int[]) x = { Shape = shape; Data = x.Data }

let private reduced (axes: int[]) keep (shape: int[]) =
    shape
    |> Array.mapi (fun i d -> i, d)
    |> Array.filter (fun (i, _) -> keep || not (Array.contains i axes))
    |> Array.map (fun (i, d) -> if Array.contains i axes then 1 else d)

let reduceBy (axes: int[]) keep (f: Complex[] -> Complex) x =
    let y = build (reduced axes true x.Shape) (fun p -> f (group x.Shape axes p |> Array.map (at x)))
    reshape (reduced axes keep x.Shape) y

let private logSumExp (zs: Complex[]) =
    if zs.Length = 0 then
        real Double.NegativeInfinity
    else
        let top = zs |> Array.maxBy (fun z -> z.Real)
        top + ComplexFunctions.log (zs |> Array.map (fun z -> ComplexFunctions.exp (z - top)) |> total)

let reduction r (zs: Complex[]) =
    match r with
    | Reduction.Sum -> total zs
    | Reduction.Prod -> Array.fold (*) Complex.One zs
    | Reduction.Max -> zs |> Array.maxBy (fun z -> z.Real)
    | Reduction.Min -> zs |> Array.minBy (fun z -> z.Real)
    | Reduction.LogSumExp -> logSumExp zs

/// The elements of x along an axis, through a place.
let line axis x (place: int[]) = Array.init x.Shape[axis] (fun j -> at x (Array.updateAt axis j place))

let private lead (shape: int[]) = Array.take (shape.Length - 2) shape

let matmul transA transB (a: ComplexArray) (b: ComplexArray) =
    let swap on (s: int[]) =
        if on then
            [| s[s.Length - 1]; s[s.Length - 2] |]
        else
            Array.skip (s.Length - 2) s

    let sizeA, sizeB = swap transA a.Shape, swap transB b.Shape

    build (Array.append (meet (lead a.Shape) (lead b.Shape)) [| sizeA[0]; sizeB[1] |]) (fun p ->
        let r = p.Length - 2

        let pick (x: ComplexArray) on i j =
            let mine = Array.skip (r - (x.Shape.Length - 2)) p[.. r - 1]
            let mine = Array.map2 (fun size i -> if size = 1 then 0 else i) (lead x.Shape) mine
            at x (Array.append mine (if on then [| j; i |] else [| i; j |]))

        Seq.init sizeA[1] (fun k -> pick a transA p[r] k * pick b transB k p[r + 1])
        |> Seq.fold (+) Complex.Zero)

let softmax axis x =
    build x.Shape (fun p ->
        let zs = line axis x p
        ComplexFunctions.exp (at x p - logSumExp zs))

/// Sorted places of a line, stable; there is no NaN among the judges' samples.
let sortedPlaces descending (zs: Complex[]) =
    [| 0 .. zs.Length - 1 |]
    |> Array.sortBy (fun i -> (if descending then -zs[i].Real else zs[i].Real), i)

let scatter (shape: int[]) (updates: ComplexArray) (target: int[] -> int[]) =
    let y = Array.create (product shape) Complex.Zero

    for n in 0 .. updates.Data.Length - 1 do
        let k = numberOf shape (target (placeOf updates.Shape n))
        y[k] <- y[k] + updates.Data[n]

    { Shape = shape; Data = y }

let cast (t: DType) (z: Complex) =
    match t with
    | DType.Float64 -> z
    | DType.Float32 -> Complex(float (float32 z.Real), z.Imaginary)
    | DType.Int32
    | DType.Int64 -> real (Math.Truncate z.Real)
    | DType.Bool -> real (if z.Real <> 0.0 then 1.0 else 0.0)
