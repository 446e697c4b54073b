/// Penalties on the size of weights, to be added to a loss:
///     let loss net = Loss.meanSquaredError y (predict net x) + Penalty.onWeights (Penalty.l2 1e-4) net
[<RequireQualifiedAccess>]
module Functional.Penalty

/// strength·Σ|x|; Keras' L1 has strength 0.01.
let l1 (strength: float) (x: Tensor) : Tensor = sum (abs x) * strength

/// strength·Σx²; Keras' L2 has strength 0.01.
let l2 (strength: float) (x: Tensor) : Tensor = inner x x * strength

/// l1·Σ|x| + l2·Σx².
let l1l2 (l1Strength: float) (l2Strength: float) (x: Tensor) : Tensor = l1 l1Strength x + l2 l2Strength x

/// A penalty summed over the weights of a tree: its trained tensors of two axes and more, which leaves biases out.
let onWeights (penalty: Tensor -> Tensor) (parameters: 'P) : Tensor =
    let struct (xs, trainable) = Tree.leavesAndTrainable parameters

    let terms = [
        for i in 0 .. xs.Length - 1 do
            if (isNull trainable || trainable[i]) && xs[i].Rank >= 2 then
                penalty xs[i]
    ]

    match terms with
    | [] -> invalidArg "parameters" "Penalty.onWeights: there is no trained tensor of two axes or more"
    | terms -> List.reduce (+) terms
