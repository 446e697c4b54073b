/// The vocabulary once more, naively, on complex arrays: every primitive as its definition.
module Functional.Tests.Judges.ComplexVocabulary

open System
open System.Numerics
open Functional
open Functional.Operations
open Functional.Tests.Judges.ComplexArrays

/// The value of a primitive by its definition. Truth values are 0 and 1. `Random` has no definition here.
let evaluate (op: Op) (xs: ComplexArray[]) : ComplexArray =
    let x = xs[0]

    match op with
    | Unary u -> { x with Data = Array.map (ComplexFunctions.unary u) x.Data }
    | Binary o -> map2 (ComplexFunctions.binary o) x xs[1]
    | Compare c -> map2 (ComplexFunctions.compare c) x xs[1]
    | Select ->
        build (meet x.Shape (meet xs[1].Shape xs[2].Shape)) (fun p ->
            if (atBroadcast x p).Real <> 0.0 then
                atBroadcast xs[1] p
            else
                atBroadcast xs[2] p)
    | Cast t -> { x with Data = Array.map (cast t) x.Data }
    | StopGradient -> { x with Data = x.Data |> Array.map (fun z -> real z.Real) }
    | AddScaled s -> map2 (fun a b -> a + real s * b) x xs[1]
    | MatMul(ta, tb) -> matmul ta tb x xs[1]
    | Dense -> map2 (+) (matmul false false x xs[1]) xs[2]
    | Conv c -> ComplexWindows.conv c x xs[1]
    | ConvBias c -> map2 (+) (ComplexWindows.conv c x xs[1]) xs[2]
    | ConvInput(c, space) -> ComplexWindows.convInput c space x xs[1]
    | ConvKernel(c, window) -> ComplexWindows.convKernel c window x xs[1]
    | MaxPool w -> ComplexWindows.maxPoolPick w x x
    | MaxPoolPick w -> ComplexWindows.maxPoolPick w x xs[1]
    | MaxPoolPlace w -> ComplexWindows.maxPoolPlace w x xs[1]
    | SumProduct(axes, keep) -> reduceBy axes keep total (map2 (*) x xs[1])
    | Reduce(r, axes, keep) -> reduceBy axes keep (reduction r) x
    | ArgReduce(r, axis) ->
        x
        |> reduceBy [| axis |] false (fun zs ->
            let key (i: int) =
                match r with
                | ArgReduction.ArgMax -> -zs[i].Real
                | ArgReduction.ArgMin -> zs[i].Real

            real (float (Array.minBy key [| 0 .. zs.Length - 1 |])))
    | Cumulate(c, axis, fromEnd) ->
        let f =
            match c with
            | Cumulation.Sum -> total
            | Cumulation.Prod -> Array.fold (*) Complex.One

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
    | Slice(starts, lengths, steps) ->
        build lengths (fun p -> at x (Array.map3 (fun i s step -> s + i * step) p starts steps))
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
