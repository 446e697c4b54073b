/// Optimisers over parameter trees. Frozen and integer leaves are left alone.
/// Example:
///     let optimizer = Optimizer.sgd 0.1
///     let state = Optimizer.init optimizer net
///     let net, state = Optimizer.step optimizer gradient state net
[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module Functional.Optimizer

open Functional.Operations

/// The places of the leaves that are trained.
let private trained (parameters: 'P) : struct (Tensor[] * int[]) =
    let struct (xs, trainable) = Tree.leavesAndTrainable parameters
    let mutable count = 0
    let places = Array.zeroCreate xs.Length

    for i in 0 .. xs.Length - 1 do
        if (isNull trainable || trainable[i]) && xs[i].DType.IsFloat() then
            places[count] <- i
            count <- count + 1

    struct (xs, (if count = xs.Length then null else places[.. count - 1]))

let private pick (places: int[]) (xs: Tensor[]) =
    if isNull places then xs else Array.map (fun i -> xs[i]) places

/// The state before the first step.
let init (optimizer: Optimizer) (parameters: 'P) : OptimizerState =
    let struct (xs, places) = trained parameters
    optimizer.Init(pick places xs)

let private disagree (parameters: 'P) (xs: Tensor[]) (gs: Tensor[]) =
    if xs.Length <> gs.Length then
        invalidArg "gradient" $"Optimizer.step: a gradient of {gs.Length} tensors for {xs.Length} parameters"

    for i in 0 .. xs.Length - 1 do
        if not (Shape.same xs[i].Shape gs[i].Shape) || xs[i].DType <> gs[i].DType then
            invalidArg
                "gradient"
                $"Optimizer.step: the gradient of {(Tree.paths parameters)[i]} is {gs[i].DType} {Shape.show gs[i].Shape}, the parameter {xs[i].DType} {Shape.show xs[i].Shape}"

/// The parameters and the state after one step along a gradient, which is a tree like the parameters.
let step (optimizer: Optimizer) (gradient: 'P) (state: OptimizerState) (parameters: 'P) : 'P * OptimizerState =
    let struct (xs, places) = trained parameters
    let gs = Tree.leaves gradient
    disagree parameters xs gs
    let updated, state = optimizer.Update (pick places gs) state (pick places xs)

    if isNull places then
        Tree.rebuild parameters updated, state
    else
        let all = Array.copy xs
        places |> Array.iteri (fun k i -> all[i] <- updated[k])
        Tree.rebuild parameters all, state
