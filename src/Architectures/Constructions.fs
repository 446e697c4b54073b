/// Networks put together: around a layer, or without any training.
[<RequireQualifiedAccess>]
module Functional.Constructions

/// x + layer x, of a layer that keeps the shape.
/// Example: `Constructions.residual (Layers.dense 8 |> Layer.activated "tanh" tanh)`.
let residual (layer: Layer<'P>) : Layer<'P> =
    Layer.create $"residual {layer.Name}" layer.Initialize (fun phase p x ->
        let y, updated = layer.Apply phase p x

        if y.Shape <> x.Shape then
            invalidShape "residual" $"the layer must keep the shape of its input, {x.Shape}; it gives {y.Shape}"

        x + y, updated)

/// g x + b x · layer x: whatever the parameters, it is g where b is 0, as on a boundary. `g` and `b` take points as the layer does.
/// Example: `Constructions.hardBoundary (fun x -> 0.0 * x) (fun x -> x * (1.0 - x)) (Layers.dense 1)`.
let hardBoundary (g: Tensor -> Tensor) (b: Tensor -> Tensor) (layer: Layer<'P>) : Layer<'P> =
    Layer.create $"hardBoundary {layer.Name}" layer.Initialize (fun phase p x ->
        let y, updated = layer.Apply phase p x
        g x + b x * y, updated)

/// A network of relus that is x² on [0, 1] to 2^(−2·depth − 2), by its weights alone: dense layers with relu between them. The
/// hat function g applied s times is a saw of 2^(s−1) teeth, and x² = x − Σ g∘…∘g/4^s. Three units make the hat, the fourth
/// carries the sum. D. Yarotsky, "Error bounds for approximations with deep ReLU networks" (2017).
/// Example: `Constructions.relus (Constructions.square 10) (Tensor.ofRows [ [ 0.5 ] ])` is 0.25.
let square (depth: int) : Dense[] =
    if depth < 1 || depth > 26 then
        invalidArg "depth" $"Constructions.square: a depth from 1 to 26, where doubles end; got {depth}"

    let hat = [ 2.0; -4.0; 2.0; 0.0 ]
    // the sum carried on, less the next saw
    let rest s = [ for k in 0..3 -> (if k = 3 then 1.0 else 0.0) - hat[k] / 4.0 ** float s ]
    let ramps = Tensor.ofSeq [ 0.0; -0.5; -1.0; 0.0 ]
    let dense (columns: float list list) bias = { Weights = transpose (Tensor.ofRows columns); Bias = bias }

    [|
        dense [ [ 1.0 ]; [ 1.0 ]; [ 1.0 ]; [ 1.0 ] ] (Some ramps)
        for s in 1 .. depth - 1 do
            dense [ hat; hat; hat; rest s ] (Some ramps)
        dense [ rest depth ] None
    |]

/// Dense layers with relu between them: x [.., inputs].
let relus (layers: Dense[]) (x: Tensor) : Tensor =
    let last = layers.Length - 1
    Array.fold (fun x layer -> relu (dense layer x)) x layers[.. last - 1] |> dense layers[last]
