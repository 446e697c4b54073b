/// Derivatives with respect to inputs: of a solution with respect to space and time, say. By forward mode inside forward
/// mode; a compiled program shares what the orders have in common, so u, u_x and u_xx cost some 2.6 times u. They nest with
/// everything else: in a loss inside `grad`, in `vmap`, in a step.
///
/// Points are rows: x [n] is one point of n coordinates, x [.., n] many of them at once, where each result must depend on its
/// own row alone, as a network's does.
[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module Functional.Derivatives

/// The unit vector of a coordinate, at every point.
let private unit' (i: int) (x: Tensor) : Tensor =
    let n = x.Shape[x.Rank - 1]
    let one = Tensor.create [ n ] (Array.init n (fun k -> if k = i then 1.0 else 0.0))
    broadcastTo x.Shape (cast x.DType one)

/// f and its derivatives up to an order along a direction: [| f; Df·v; D²f·v·v; … |] at p, each built like f's result. p and
/// the direction may be any tree.
/// Example: `Derivatives.along 2 (fun x -> x * x * x) (scalar 2.0) (scalar 1.0) |> stack 0` is [8 12 12].
let along (order: int) (f: 'P -> 'Q) (p: 'P) (direction: 'P) : 'Q[] =
    if order < 0 then
        invalidArg "order" $"Derivatives.along: the order is a whole number from 0 on, got {order}"

    let rec upTo order (p: 'P) : 'Q[] =
        if order = 0 then
            [| f p |]
        else
            let lower, moved = jvp (upTo (order - 1)) p direction
            Array.append lower [| Array.last moved |]

    upTo order p

/// ∂f/∂xᵢ, of the shape of f x. Mixed derivatives are partials of partials.
/// Example: `Derivatives.partial 1 (fun x -> prodOver [ -1 ] x) (Tensor.ofSeq [ 2.0; 3.0; 4.0 ])` is 8.
let partial (i: int) (f: Tensor -> Tensor) (x: Tensor) : Tensor =
    if x.Rank = 0 then
        invalidShape "Derivatives.partial" $"needs points whose coordinates are the last axis, got {x.Shape}"

    let n = x.Shape[x.Rank - 1]

    if i < 0 || i >= n then
        invalidArg "i" $"Derivatives.partial: the points have the coordinates 0 to {n - 1}, got {i}"

    snd (jvp f x (unit' i x))

/// The directions of all coordinates of a tree whose tensors have theirs along the last axis; a single number is one.
let private directions (p: 'P) : 'P list =
    let leaves = Tree.leaves p

    let only at (t: Tensor) =
        Tree.rebuild p (leaves |> Array.mapi (fun k x -> if k = at then t else Tensor.zerosLike x))

    [
        for at in 0 .. leaves.Length - 1 do
            let x = leaves[at]

            if x.DType = DType.Float32 || x.DType = DType.Float64 then
                if x.Rank = 0 then
                    only at (Tensor.onesLike x)
                else
                    for i in 0 .. x.Shape[x.Rank - 1] - 1 do
                        only at (unit' i x)
    ]

/// The sum of the second derivatives by all coordinates, of the shape of f's result: of points x [.., n], or of a tree of
/// tensors that each have coordinates along their last axis.
/// Example: `Derivatives.laplacian (fun x -> sumOver [ -1 ] (x * x)) (Tensor.ofSeq [ 1.0; 2.0; 3.0 ])` is 6.
let laplacian (f: 'P -> Tensor) (p: 'P) : Tensor =
    match directions p with
    | [] -> invalidArg "p" "Derivatives.laplacian: there are no coordinates of a float type"
    | all -> all |> List.map (fun e -> snd (jvp (fun p -> snd (jvp f p e)) p e)) |> List.reduce (+)

/// Σ ∂fᵢ/∂xᵢ of a vector field: x and f x [.., n], the result [..].
/// Example: `Derivatives.divergence (fun x -> x * x) (Tensor.ofSeq [ 1.0; 2.0 ])` is 6.
let divergence (f: Tensor -> Tensor) (x: Tensor) : Tensor =
    if x.Rank = 0 || x.Shape[x.Rank - 1] = 0 then
        invalidShape "Derivatives.divergence" $"needs points whose coordinates are the last axis, got {x.Shape}"

    let n = x.Shape[x.Rank - 1]

    let component' i =
        let moved = partial i f x

        if moved.Rank = 0 || moved.Shape[moved.Rank - 1] <> n then
            invalidShape
                "Derivatives.divergence"
                $"a field has as many components as there are coordinates: {n} at points {x.Shape}, got {moved.Shape}"

        index -1 i moved

    List.init n component' |> List.reduce (+)
