/// The transformations: functions of parameter trees in, functions of parameter trees out. They nest in any mix.
[<AutoOpen>]
module Functional.Transformations

open System.Collections.Generic
open Functional.Kernels
open Functional.Operations
open Functional.Rules
open Functional.Levels

/// Runs a function of leaves as the function of the tree, and keeps what the function returned.
let internal onTree (f: 'P -> 'Q) (tree: 'P) (result: 'Q ref) (xs: Tensor[]) : Tensor[] =
    result.Value <- f (Tree.rebuild tree xs)
    Tree.leaves result.Value

let internal orZeros (like: Tensor[]) (ts: Tensor[]) =
    Array.map2 (fun (t: Tensor) (x: Tensor) -> if isNull t then Tensor.zerosLike x else t) ts like

/// The parameters on the tape; frozen ones keep their place there but are constants.
let private record (level: RecordLevel) (xs: Tensor[]) (trainable: bool[]) =
    if isNull trainable then
        Array.map level.Input xs
    else
        level.Inputs(xs, trainable)

let private requireScalar (name: string) (y: Tensor) =
    if y.Rank <> 0 then
        invalidArg
            "f"
            $"{name}: the function must return a single number, it returned {Shape.show y.Shape}; reduce it with sum or mean, or use jacobian"

    if not (y.DType.IsFloat()) then
        invalidArg "f" $"{name}: the function must return a float, it returned {y.DType}"

/// Refuses a tree without a tensor that can be differentiated.
let internal requireFloats (operation: string) (p: 'P) (xs: Tensor[]) =
    // nothing at all, an empty list of layers for instance, has nothing as its gradient
    if
        not (xs |> Array.exists (fun x -> x.DType.IsFloat()))
        && (xs.Length > 0 || Tree.statics p |> Array.exists (fun s -> s <> box 0))
    then
        let what =
            if xs.Length = 0 then
                $"the argument, {TypeName.show typeof<'P>}, holds no tensor"
            else
                $"none of the argument's tensors is of a float type, they are {xs[0].DType}"

        let advice =
            if xs.Length = 0 then
                "a number is a tensor as `scalar 3.0`, a list of numbers as `Tensor.ofSeq [3.0; 4.0]`; numbers that are none are settings, which are not differentiated"
            else
                "cast them to Float32 or Float64"

        invalidArg "p" $"{operation}: {what}, so there is nothing to differentiate by; {advice}"

/// Gives back the buffers of all that a gradient made but does not return.
let private release (owned: List<Storage>) (kept: Tensor[][]) =
    let keep = List<Storage>()

    for ts in kept do
        for t in ts do
            match Tensor.storage t with
            | null -> ()
            | s -> keep.Add s

    let isKept: Storage -> bool =
        // Of a few, looking at each takes less than numbering them all for a table.
        if keep.Count <= 32 then
            fun s ->
                let mutable i = keep.Count - 1

                while i >= 0 && not (obj.ReferenceEquals(keep[i], s)) do
                    i <- i - 1

                i >= 0
        else
            let table = HashSet<Storage>(keep, HashIdentity.Reference)
            table.Contains

    for s in owned do
        if not (isKept s) then
            s.Release()

/// The function's value, what else it returns, and the gradient of the value, of a tree with its leaves.
let private valueAndGradOf (f: 'P -> Tensor * 'A) (p: 'P) (xs: Tensor[]) (trainable: bool[]) : Tensor * 'A * 'P =
    let level = RecordLevel("grad", true, Many.record)

    let y, aux =
        try
            f (Tree.rebuild p (record level xs trainable))
        finally
            level.Close()

    requireScalar "grad" y
    let value = level.PrimalOf y
    let auxLeaves = Tree.leaves aux |> Array.map level.PrimalOf

    let cotangents =
        match level.NodeOf y with
        | null -> Array.zeroCreate xs.Length
        | n -> Sweep.run [| struct (n, Concrete.Host(1.0, y.DType)) |] xs.Length level.Owned

    let gradients = orZeros xs cotangents
    release level.Owned [| [| value |]; auxLeaves; gradients; xs |]
    value, Tree.rebuild aux auxLeaves, Tree.rebuild p gradients

/// The function's value, what else it returns, and the gradient of the value: `f` returns the number to differentiate
/// and a tree that is passed on unchanged. Buffers made on the way are given back at once.
let valueAndGradAux (f: 'P -> Tensor * 'A) (p: 'P) : Tensor * 'A * 'P =
    Returned.requireTensors<'A> "grad"
    let struct (xs, trainable) = Tree.leavesAndTrainable p
    requireFloats "grad" p xs
    valueAndGradOf f p xs trainable

/// The same of any tree: training asks also networks that have nothing to learn.
let internal valueAndGradOfAny (f: 'P -> Tensor * 'A) (p: 'P) : Tensor * 'A * 'P =
    let struct (xs, trainable) = Tree.leavesAndTrainable p
    valueAndGradOf f p xs trainable

/// The function's value and its gradient, a tree like the parameters (zeros at integer and frozen leaves). What is no tensor
/// in the tree, a number or a name, is a setting: the gradient carries it as it is, so that the two have one type, and it
/// is no derivative. A tree without any tensor of a float type is an error.
/// Example: `let loss, gradient = valueAndGrad (fun net -> loss net batch) net`.
let valueAndGrad (f: 'P -> Tensor) (p: 'P) : Tensor * 'P =
    let value, (), gradient = valueAndGradAux (fun p -> f p, ()) p
    value, gradient

/// The gradient of a function that returns a single number: a tree like the parameters.
/// Example: `grad (fun x -> x * x) (scalar 3.0)` is 6.
let grad (f: 'P -> Tensor) (p: 'P) : 'P = snd (valueAndGrad f p)

/// Forward mode: the function's value, and its derivative in the direction of a tree of tangents.
let jvp (f: 'P -> 'Q) (p: 'P) (tangent: 'P) : 'Q * 'Q =
    Returned.requireTensors<'Q> "jvp"
    let struct (xs, trainable) = Tree.leavesAndTrainable p
    requireFloats "jvp" p xs
    let ts = Tree.leaves tangent

    if xs.Length <> ts.Length then
        invalidArg "tangent" $"jvp: {ts.Length} tangents for {xs.Length} parameters"

    let level = ForwardLevel()

    let lift i (x: Tensor) (t: Tensor) : Tensor =
        if not (Shape.same x.Shape t.Shape) || x.DType <> t.DType then
            invalidArg
                "tangent"
                $"jvp: a tangent of {t.DType} {Shape.show t.Shape} for a parameter of {x.DType} {Shape.show x.Shape}; they must agree"

        let isTrained = isNull trainable || trainable[i]
        if isTrained && x.DType.IsFloat() then Dual(level, x, t) else x

    let result = ref Unchecked.defaultof<'Q>

    let ys =
        try
            onTree f p result (Array.mapi2 lift xs ts)
        finally
            level.Close()

    let primals = Array.map level.PrimalOf ys
    Tree.rebuild result.Value primals, Tree.rebuild result.Value (orZeros primals (Array.map level.TangentOf ys))

/// Reverse mode: the function's value, and its pullback from cotangents of the results to cotangents of the parameters.
/// The pullback may be called any number of times, from any thread.
let vjp (f: 'P -> 'Q) (p: 'P) : 'Q * ('Q -> 'P) =
    Returned.requireTensors<'Q> "vjp"
    let struct (xs, trainable) = Tree.leavesAndTrainable p
    requireFloats "vjp" p xs
    let level = RecordLevel("vjp", false, Many.record)
    let result = ref Unchecked.defaultof<'Q>

    let ys =
        try
            onTree f p result (record level xs trainable)
        finally
            level.Close()

    let nodes = Array.map level.NodeOf ys
    let value = Tree.rebuild result.Value (Array.map level.PrimalOf ys)

    let pullback (cotangent: 'Q) =
        let cts = Tree.leaves cotangent

        if cts.Length <> nodes.Length then
            invalidArg "cotangent" $"vjp: {cts.Length} cotangents for {nodes.Length} results"

        for ct, y in Seq.zip cts ys do
            if not (Shape.same ct.Shape y.Shape) || ct.DType <> y.DType then
                invalidArg
                    "cotangent"
                    $"vjp: a cotangent of {ct.DType} {Shape.show ct.Shape} for a result of {y.DType} {Shape.show y.Shape}; they must agree"

        let outputs = [|
            for n, ct in Seq.zip nodes cts do
                if not (isNull n) then
                    struct (n, ct)
        |]

        Tree.rebuild p (orZeros xs (Sweep.run outputs xs.Length null))

    value, pullback

/// The function applied to every example along the first axis of all tensors of the tree, in one go. What the function
/// closes over is shared by all examples. It means what a loop over the examples means: what is an error for one example is
/// the same error here.
/// Example: `vmap (fun x -> x / norm x) rows` divides every row of a matrix by its norm.
let vmap (f: 'P -> 'Q) (p: 'P) : 'Q =
    Returned.requireTensors<'Q> "vmap"
    let xs = Tree.leaves p

    let sizes =
        xs
        |> Array.map (fun x ->
            if x.Rank = 0 then
                invalidArg
                    "p"
                    "vmap: a parameter is a single number and has no axis of examples; close over it to share it"

            x.Shape[0])

    match Array.distinct sizes with
    | [||] -> invalidArg "p" "vmap: there is no tensor to map over"
    | [| _ |] -> ()
    | sizes ->
        invalidArg
            "p"
            $"vmap: the first axes have sizes {Shape.list sizes}; there must be as many examples in all tensors"

    let result = ref Unchecked.defaultof<'Q>
    let ys = BatchLevel.Over (onTree f p result) (Array.create xs.Length true) xs
    Tree.rebuild result.Value ys

/// One unit vector for each of n elements under a shape: [n] ++ shape.
let private basis (like: Tensor) =
    let n = Shape.size like.Shape
    Tensor.eye like.DType n |> reshape (Array.append [| n |] like.Shape)

/// The Jacobian by reverse mode, one sweep for each element of the result: each leaf has the result's axes, then its own.
let jacobianReverse (f: 'P -> Tensor) (p: 'P) : 'P =
    requireFloats "jacobian" p (Tree.leaves p)
    let y, pullback = vjp f p
    let rows = vmap pullback (basis y)
    Tree.map2 (fun (row: Tensor) (x: Tensor) -> reshape (Array.append y.Shape x.Shape) row) rows p

/// The Jacobian by forward mode, one pass for each parameter: each leaf has the result's axes, then its own.
let jacobianForward (f: 'P -> Tensor) (p: 'P) : 'P =
    let xs = Tree.leaves p
    requireFloats "jacobian" p xs
    let still = Array.map Tensor.zerosLike xs

    let column i (x: Tensor) =
        let along (unit: Tensor) =
            let tangent = still |> Array.mapi (fun j z -> if i = j then unit else z)
            snd (jvp f p (Tree.rebuild p tangent))

        let rows = vmap along (basis x)
        // [n] ++ result becomes result ++ shape
        rows
        |> permute (Array.append [| 1 .. rows.Rank - 1 |] [| 0 |])
        |> reshape (Array.append rows.Shape[1..] x.Shape)

    Tree.rebuild p (Array.mapi column xs)

/// The Jacobian, in the direction that needs fewer passes: each leaf has the result's axes, then its own.
/// Example: `jacobian (fun x -> x * x) (Tensor.ofSeq [1.0; 2.0])` is [[2, 0], [0, 4]].
let jacobian (f: 'P -> Tensor) (p: 'P) : 'P =
    requireFloats "jacobian" p (Tree.leaves p)
    let y, _ = vjp f p

    if Shape.size y.Shape <= Tree.count p then
        jacobianReverse f p
    else
        jacobianForward f p

/// The Hessian of a function that returns a single number, forward over reverse: a matrix [N, N] whose rows and columns
/// are the numbers of the tree, leaf by leaf in row-major order.
let hessian (f: 'P -> Tensor) (p: 'P) : Tensor =
    requireFloats "hessian" p (Tree.leaves p)
    jacobianForward (fun v -> Tree.ravel (grad f (Tree.unravel p v))) (Tree.ravel p)

/// The Hessian times a tree of the parameters' shapes, without the Hessian.
let hvp (f: 'P -> Tensor) (p: 'P) (v: 'P) : 'P = snd (jvp (grad f) p v)
