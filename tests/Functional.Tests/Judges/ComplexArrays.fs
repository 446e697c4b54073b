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

let private numberOf (shape: int[]) (place: int[]) =
    Array.fold2 (fun n size i -> n * size + i) 0 shape place

let build (shape: int[]) (value: int[] -> Complex) : ComplexArray = {
    Shape = shape
    Data = Array.init (product shape) (placeOf shape >> value)
}

let at (x: ComplexArray) (place: int[]) = x.Data[numberOf x.Shape place]

/// The element that stands at a place of the shape x is broadcast to.
let private atBroadcast (x: ComplexArray) (place: int[]) =
    let mine = Array.skip (place.Length - x.Shape.Length) place
    at x (Array.map2 (fun size i -> if size = 1 then 0 else i) x.Shape mine)

let private meet (a: int[]) (b: int[]) =
    let rank = max a.Length b.Length
    let padded (s: int[]) = Array.append (Array.create (rank - s.Length) 1) s
    Array.map2 (fun x y -> if x = 1 then y else x) (padded a) (padded b)

let private map2 f a b =
    build (meet a.Shape b.Shape) (fun p -> f (atBroadcast a p) (atBroadcast b p))

let whole (z: Complex) = int (Math.Round z.Real)
let private real (x: float) = Complex(x, 0.0)

/// The places along the reduced axes that belong to one place of the result (with the axes kept).
let private group (shape: int[]) (axes: int[]) (place: int[]) =
    let sizes = axes |> Array.map (fun i -> shape[i])

    Array.init (product sizes) (fun n ->
        let inside = placeOf sizes n
        Array.mapi (fun i p -> match Array.IndexOf(axes, i) with -1 -> p | k -> inside[k]) place)

let private reshape (shape: int[]) x = { Shape = shape; Data = x.Data }

let private reduced (axes: int[]) keep (shape: int[]) =
    shape
    |> Array.mapi (fun i d -> i, d)
    |> Array.filter (fun (i, _) -> keep || not (Array.contains i axes))
    |> Array.map (fun (i, d) -> if Array.contains i axes then 1 else d)

let private reduceBy (axes: int[]) keep (f: Complex[] -> Complex) x =
    let y = build (reduced axes true x.Shape) (fun p -> f (group x.Shape axes p |> Array.map (at x)))
    reshape (reduced axes keep x.Shape) y

let private logSumExp (zs: Complex[]) =
    if zs.Length = 0 then
        real Double.NegativeInfinity
    else
        let top = zs |> Array.maxBy (fun z -> z.Real)
        top + ComplexFunctions.log (zs |> Array.map (fun z -> ComplexFunctions.exp (z - top)) |> total)

let private reduction r (zs: Complex[]) =
    match r with
    | Reduction.Sum -> total zs
    | Reduction.Prod -> Array.fold (*) Complex.One zs
    | Reduction.Max -> zs |> Array.maxBy (fun z -> z.Real)
    | Reduction.Min -> zs |> Array.minBy (fun z -> z.Real)
    | Reduction.LogSumExp -> logSumExp zs

/// The elements of x along an axis, through a place.
let private line axis x (place: int[]) =
    Array.init x.Shape[axis] (fun j -> at x (Array.updateAt axis j place))

let private lead (shape: int[]) = Array.take (shape.Length - 2) shape

let matmul transA transB (a: ComplexArray) (b: ComplexArray) =
    let swap on (s: int[]) = if on then [| s[s.Length - 1]; s[s.Length - 2] |] else Array.skip (s.Length - 2) s
    let sizeA, sizeB = swap transA a.Shape, swap transB b.Shape

    build (Array.append (meet (lead a.Shape) (lead b.Shape)) [| sizeA[0]; sizeB[1] |]) (fun p ->
        let r = p.Length - 2
        let pick (x: ComplexArray) on i j =
            let mine = Array.skip (r - (x.Shape.Length - 2)) p[.. r - 1]
            let mine = Array.map2 (fun size i -> if size = 1 then 0 else i) (lead x.Shape) mine
            at x (Array.append mine (if on then [| j; i |] else [| i; j |]))

        Seq.init sizeA[1] (fun k -> pick a transA p[r] k * pick b transB k p[r + 1]) |> Seq.fold (+) Complex.Zero)

let private softmax axis x =
    build x.Shape (fun p ->
        let zs = line axis x p
        ComplexFunctions.exp (at x p - logSumExp zs))

/// Sorted places of a line, stable; there is no NaN among the judges' samples.
let private sortedPlaces descending (zs: Complex[]) =
    [| 0 .. zs.Length - 1 |] |> Array.sortBy (fun i -> (if descending then -zs[i].Real else zs[i].Real), i)

let private scatter (shape: int[]) (updates: ComplexArray) (target: int[] -> int[]) =
    let y = Array.create (product shape) Complex.Zero

    for n in 0 .. updates.Data.Length - 1 do
        let k = numberOf shape (target (placeOf updates.Shape n))
        y[k] <- y[k] + updates.Data[n]

    { Shape = shape; Data = y }

let private cast (t: DType) (z: Complex) =
    match t with
    | DType.Float64 -> z
    | DType.Float32 -> Complex(float (float32 z.Real), z.Imaginary)
    | DType.Int32
    | DType.Int64 -> real (Math.Truncate z.Real)
    | DType.Bool -> real (if z.Real <> 0.0 then 1.0 else 0.0)

/// The value of a primitive by its definition. Truth values are 0 and 1. `Random` has no definition here.
let evaluate (op: Op) (xs: ComplexArray[]) : ComplexArray =
    let x = xs[0]

    match op with
    | Unary u -> { x with Data = Array.map (ComplexFunctions.unary u) x.Data }
    | Binary o -> map2 (ComplexFunctions.binary o) x xs[1]
    | Compare c -> map2 (ComplexFunctions.compare c) x xs[1]
    | Select ->
        build (meet x.Shape (meet xs[1].Shape xs[2].Shape)) (fun p ->
            if (atBroadcast x p).Real <> 0.0 then atBroadcast xs[1] p else atBroadcast xs[2] p)
    | Cast t -> { x with Data = Array.map (cast t) x.Data }
    | StopGradient -> { x with Data = x.Data |> Array.map (fun z -> real z.Real) }
    | AddScaled s -> map2 (fun a b -> a + real s * b) x xs[1]
    | MatMul(ta, tb) -> matmul ta tb x xs[1]
    | Dense -> map2 (+) (matmul false false x xs[1]) xs[2]
    | SumProduct(axes, keep) -> reduceBy axes keep total (map2 (*) x xs[1])
    | Reduce(r, axes, keep) -> reduceBy axes keep (reduction r) x
    | ArgReduce(r, axis) ->
        x
        |> reduceBy [| axis |] false (fun zs ->
            let key (i: int) = match r with ArgReduction.ArgMax -> -zs[i].Real | ArgReduction.ArgMin -> zs[i].Real
            real (float (Array.minBy key [| 0 .. zs.Length - 1 |])))
    | Cumulate(c, axis, fromEnd) ->
        let f = match c with Cumulation.Sum -> total | Cumulation.Prod -> Array.fold (*) Complex.One
        build x.Shape (fun p -> let zs = line axis x p in f (if fromEnd then zs[p[axis] ..] else zs[.. p[axis]]))
    | Softmax axis -> softmax axis x
    | SoftmaxScale axis ->
        build x.Shape (fun p ->
            let inner = Array.fold2 (fun s t y -> s + t * y) Complex.Zero (line axis x p) (line axis xs[1] p)
            at xs[1] p * (at x p - inner))
    | Broadcast shape -> build shape (atBroadcast x)
    | Reshape shape -> reshape shape x
    | Transpose permutation ->
        let shape = permutation |> Array.map (fun i -> x.Shape[i])
        build shape (fun p -> at x (Array.init p.Length (fun i -> p[Array.IndexOf(permutation, i)])))
    | Slice(starts, lengths, steps) -> build lengths (fun p -> at x (Array.map3 (fun i s step -> s + i * step) p starts steps))
    | Pad(low, high, interior) ->
        let size i d = low[i] + d + (max 0 (d - 1)) * interior[i] + high[i]
        scatter (Array.mapi size x.Shape) x (Array.map3 (fun lo gap i -> lo + i * (gap + 1)) low interior)
    | Reverse axes ->
        build x.Shape (fun p ->
            at x (Array.mapi (fun i k -> if Array.contains i axes then x.Shape[i] - 1 - k else k) p))
    | Gather axis ->
        let index = xs[1]
        let k = index.Shape.Length

        build (Array.concat [ x.Shape[.. axis - 1]; index.Shape; x.Shape[axis + 1 ..] ]) (fun p ->
            let j = whole (at index p[axis .. axis + k - 1])
            at x (Array.concat [ p[.. axis - 1]; [| j |]; p[axis + k ..] ]))
    | ScatterAdd(axis, size) ->
        let index = xs[1]
        let k = index.Shape.Length

        scatter (Array.concat [ x.Shape[.. axis - 1]; [| size |]; x.Shape[axis + k ..] ]) x (fun p ->
            let j = whole (at index p[axis .. axis + k - 1])
            Array.concat [ p[.. axis - 1]; [| j |]; p[axis + k ..] ])
    | GatherAlong axis -> build xs[1].Shape (fun p -> at x (Array.updateAt axis (whole (at xs[1] p)) p))
    | ScatterAlong(axis, size) ->
        scatter (Array.updateAt axis size x.Shape) x (fun p -> Array.updateAt axis (whole (at xs[1] p)) p)
    | ArgSort(axis, descending, count) ->
        build (Array.updateAt axis count x.Shape) (fun p ->
            let sorted = sortedPlaces descending (line axis x (Array.updateAt axis 0 p))
            real (float sorted[p[axis]]))
    | Random _ -> invalidOp "random numbers have no definition on complex arrays"
