/// Gradients as trees: their size, and keeping it in bounds.
[<RequireQualifiedAccess>]
module Functional.Gradient

let private requirePositive name (limit: float) =
    if not (limit > 0.0) then
        invalidArg "limit" $"{name}: the limit must be positive; {limit} was given"

let private globalNormOf (gs: Tensor[]) =
    if gs.Length = 0 then
        Tensor.scalar 0.0
    else
        let first = gs[0].DType
        // of any size: the square of a number beyond 1e19 is none in Float32
        gs |> Array.map (fun g -> cast first (norm g)) |> stack 0 |> norm

/// The factor that brings a norm within the limit, 1 where it is already.
let private shrink (limit: float) (norm: Tensor) = limit / maximum norm (host norm limit)

let internal clipValues limit (gs: Tensor[]) = Array.map (clamp -limit limit) gs

let internal clipNorms limit (gs: Tensor[]) = gs |> Array.map (fun g -> g * shrink limit (norm g))

let internal clipGlobalNorm limit (gs: Tensor[]) =
    let factor = shrink limit (globalNormOf gs)
    gs |> Array.map (fun g -> g * cast g.DType factor)

let private over name limit clip (gradient: 'P) : 'P =
    requirePositive name limit
    Tree.rebuild gradient (clip limit (Tree.leaves gradient))

/// √Σg² over all tensors of a tree.
let globalNorm (gradient: 'P) : Tensor = globalNormOf (Tree.leaves gradient)

/// Every number kept within ±limit (Keras' clipvalue).
let clipByValue (limit: float) (gradient: 'P) : 'P = over "Gradient.clipByValue" limit clipValues gradient

/// Every tensor scaled down to a norm of at most the limit (Keras' clipnorm).
let clipByNorm (limit: float) (gradient: 'P) : 'P = over "Gradient.clipByNorm" limit clipNorms gradient

/// All tensors scaled down together, so that their common norm is at most the limit (Keras' global_clipnorm).
/// Pascanu et al., "On the difficulty of training recurrent neural networks" (2013).
let clipByGlobalNorm (limit: float) (gradient: 'P) : 'P = over "Gradient.clipByGlobalNorm" limit clipGlobalNorm gradient
