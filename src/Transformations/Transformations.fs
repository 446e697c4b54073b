/// The transformations: functions of parameter trees in, functions of parameter trees out. They nest in any mix.
[<AutoOpen>]
module Functional.Transformations

open System.Collections.Generic
open Functional.Kernels
open Functional.Operations
open Functional.Rules
open Functional.Levels

/// Runs a function of leaves as the function of the tree, and keeps what the function returned.
let private onTree (f: 'P -> 'Q) (tree: 'P) (result: 'Q ref) (xs: Tensor[]) : Tensor[] =
    result.Value <- f (Tree.rebuild tree xs)
    Tree.leaves result.Value

let private orZeros (like: Tensor[]) (ts: Tensor[]) =
    Array.map2 (fun (t: Tensor) (x: Tensor) -> if isNull t then Tensor.zerosLike x else t) ts like

/// The parameters on the tape; frozen ones keep their place there but are constants.
let private record (level: RecordLevel) (xs: Tensor[]) (trainable: bool[]) =
    if isNull trainable then
        Array.map level.Input xs
    else
        Array.map2
            (fun x isTrained ->
                if isTrained then
                    level.Input x
                else
                    level.NextId() |> ignore
                    x)
            xs
            trainable

let private requireScalar (name: string) (y: Tensor) =
    if y.Rank <> 0 then
        invalidArg
            "f"
            $"{name}: the function must return a single number, it returned {Shape.show y.Shape}; reduce it with sum or mean, or use jacobian"

    if not (y.DType.IsFloat()) then
        invalidArg "f" $"{name}: the function must return a float, it returned {y.DType}"

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

/// Refuses an argument of host numbers alone: they are settings, and the "gradient" would be the numbers themselves.
let private requireParameters (name: string) (p: 'P) (xs: Tensor[]) =
    let isNumber (setting: obj) = setting :? float || setting :? float32

    if xs.Length = 0 && Array.exists isNumber (Tree.statics p) then
        invalidArg
            "p"
            $"{name}: the argument ({typeof<'P>.Name}) holds no tensor to differentiate; make its numbers tensors, as `scalar 3.0` and `Tensor.ofSeq [ 3.0; 4.0 ]` do"

/// The function's value, what else it returns, and the gradient of the value: `f` returns the number to differentiate
/// and a tree that is passed on unchanged. Buffers made on the way are given back at once.
let valueAndGradAux (f: 'P -> Tensor * 'A) (p: 'P) : Tensor * 'A * 'P =
    Returned.requireTensors<'A> "grad"
    let struct (xs, trainable) = Tree.leavesAndTrainable p
    requireParameters "grad" p xs
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

/// The function's value and its gradient, a tree like the parameters (zeros at integer and frozen leaves).
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
    requireParameters "jvp" p xs
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
    requireParameters "vjp" p xs
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
    let y, pullback = vjp f p
    let rows = vmap pullback (basis y)
    Tree.map2 (fun (row: Tensor) (x: Tensor) -> reshape (Array.append y.Shape x.Shape) row) rows p

/// The Jacobian by forward mode, one pass for each parameter: each leaf has the result's axes, then its own.
let jacobianForward (f: 'P -> Tensor) (p: 'P) : 'P =
    let xs = Tree.leaves p
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
    let y, _ = vjp f p

    if Shape.size y.Shape <= Tree.count p then
        jacobianReverse f p
    else
        jacobianForward f p

/// All tensors of a tree, flattened and joined to one vector.
let private ravel (p: 'P) : Tensor = Tree.leaves p |> Array.map flatten |> concat 0

/// A vector as the tensors of a tree.
let private unravel (p: 'P) (v: Tensor) : 'P =
    let xs = Tree.leaves p
    let pieces = v |> split 0 (xs |> Array.map (fun x -> Shape.size x.Shape))
    Tree.rebuild p (Array.map2 (fun (x: Tensor) (piece: Tensor) -> reshape x.Shape piece) xs pieces)

/// The Hessian of a function that returns a single number, forward over reverse: a matrix [N, N] whose rows and columns
/// are the numbers of the tree, leaf by leaf in row-major order.
let hessian (f: 'P -> Tensor) (p: 'P) : Tensor = jacobianForward (fun v -> ravel (grad f (unravel p v))) (ravel p)

/// The Hessian times a tree of the parameters' shapes, without the Hessian.
let hvp (f: 'P -> Tensor) (p: 'P) (v: 'P) : 'P = snd (jvp (grad f) p v)

// ---- rules of the user's own

/// The tree's structure, without its tensors.
let private hollow (tree: 'T) : 'T = Tree.map (fun _ -> scalar 0.0) tree

[<Sealed>]
type private TreeReverseRule<'P, 'Q, 'R>(name, input: 'P, forward: 'P -> 'Q * 'R, backward: 'R -> 'Q -> 'P) =
    inherit ReverseRule(name)
    let mutable result = Unchecked.defaultof<'Q>
    let mutable residual = Unchecked.defaultof<'R>
    member _.Result = result

    // by a trace: the function may be much work
    override rule.Infer inputs = (fst (Trace.closed inputs rule.Apply)).OutputSpecs

    override _.Forward inputs =
        let q, r = forward (Tree.rebuild input inputs)
        result <- hollow q
        residual <- hollow r
        struct (Tree.leaves q, Tree.leaves r)

    override _.Backward(residuals, cotangents) =
        let gradient = backward (Tree.rebuild residual residuals) (Tree.rebuild result cotangents)
        Tree.leaves gradient

/// A function with a reverse rule of its own: `forward` gives the result and the residuals, `backward` takes residuals
/// and the cotangent of the result to the cotangent of the argument. Both are ordinary functions of tensors and may
/// themselves be differentiated. Closing over a tensor that is being differentiated by the same gradient is an error.
let customReverse (name: string) (forward: 'P -> 'Q * 'R) (backward: 'R -> 'Q -> 'P) (p: 'P) : 'Q =
    let rule = TreeReverseRule(name, hollow p, forward, backward)
    let ys = Tensor.Bind(Custom rule, Tree.leaves p)
    Tree.rebuild rule.Result ys

[<Sealed>]
type private TreeForwardRule<'P, 'Q>(name, input: 'P, f: 'P -> 'Q, tangent: 'P -> 'Q -> 'P -> 'Q) =
    inherit ForwardRule(name)
    let mutable result = Unchecked.defaultof<'Q>
    member _.Result = result

    override rule.Infer inputs = (fst (Trace.closed inputs rule.Apply)).OutputSpecs

    override _.Apply inputs =
        let q = f (Tree.rebuild input inputs)
        result <- hollow q
        Tree.leaves q

    override _.Tangents(inputs, results, tangents) =
        let t =
            tangent
                (Tree.rebuild input inputs)
                (Tree.rebuild result results)
                (Tree.rebuild input (orZeros inputs tangents))

        Tree.leaves t

/// A function with a forward rule of its own: `tangent` takes argument, result and the argument's tangent to the
/// result's tangent, in which it must be linear; the reverse direction is derived from it.
let customForward (name: string) (f: 'P -> 'Q) (tangent: 'P -> 'Q -> 'P -> 'Q) (p: 'P) : 'Q =
    let rule = TreeForwardRule(name, hollow p, f, tangent)
    let ys = Tensor.Bind(Custom rule, Tree.leaves p)
    Tree.rebuild rule.Result ys

/// The same function, whose reverse pass stores only its argument and computes the rest again, when the cotangent is
/// there: memory for time. It does so eager and compiled.
/// Example: `checkpoint (fun x -> block p x) x`; see `scanCheckpointed` for loops.
let checkpoint (f: 'P -> 'Q) (p: 'P) : 'Q =
    let again p ct =
        let xs, cts = Tree.leaves p, Tree.leaves ct |> Array.map stopGradient
        let tied = Tensor.Bind(Custom(Barrier xs.Length), Array.append xs cts)
        snd (vjp f (Tree.rebuild p tied)) ct

    customReverse "checkpoint" (fun p -> f p, p) again p
