namespace Functional

// Keras' attention layers as blocks: their inputs are queries, values and perhaps keys, masks travel with them, and outputs
// are what was found and, on request, the weights.

/// Opened with the namespace; a module of its own, because the C# facade may have a class of this name.
[<AutoOpen>]
module AttentionScaleParameters =

    /// What Keras' dot-product and additive attention learn: factors of scores. One number for dot products, one for each
    /// feature for sums, and one for all sums of `Sums`.
    type AttentionScale = { Scale: Tensor option; ScoreWeight: Tensor option }

/// How Keras' Attention scores a key; without `UseScale` nothing is trained and nothing divides the products.
[<RequireQualifiedAccess>]
type AttentionScore =
    /// scale · query·key.
    | Products
    /// weight · Σ tanh(scale · (query + key)).
    | Sums

/// How an attention block is called.
type AttentionCall = {
    /// Whether a query sees the keys up to its own place only.
    Causal: bool
    /// Whether the weights come out, too.
    ReturnScores: bool
    /// While learning, the fraction of weights dropped.
    Dropout: float
}

[<RequireQualifiedAccess>]
module AttentionBlock =

    /// Keras' defaults.
    let plain: AttentionCall = { Causal = false; ReturnScores = false; Dropout = 0.0 }

    /// Queries, values, keys; without keys the values are their own.
    let internal parts name (inputs: 'T[]) =
        if inputs.Length < 2 || inputs.Length > 3 then
            invalidArg
                "inputs"
                $"{name}: takes queries and values, and perhaps keys, in this order; {inputs.Length} inputs were given"

        struct (inputs[0], inputs[1], (if inputs.Length > 2 then inputs[2] else inputs[1]))

    /// Steps that are there in two inputs, which may be the same.
    let internal bothMasks (a: Masked) (b: Masked) =
        if obj.ReferenceEquals(a, b) then a.Mask else Masked.all [ a.Mask; b.Mask ]

    /// Zeros where steps are padding: padding may hold anything, and is not looked at.
    let internal clean (mask: Tensor option) (x: Tensor) =
        match mask with
        | Some mask -> Masked.zeroed mask x
        | None -> x

    let private features name what (shape: int[]) =
        match shape with
        | [| _; features |] -> features
        | _ -> invalidShape name $"an example of the {what} is a sequence [places, features], this one is {shape}"

    let private checkShapes name (shapes: int[][]) =
        let struct (query, value, key) = parts name shapes

        if features name "queries" query <> features name "keys" key then
            invalidArg "inputs" $"{name}: queries of {query[1]} features and keys of {key[1]}; they must have as many"

        features name "values" value |> ignore

        if value[0] <> key[0] then
            invalidArg "inputs" $"{name}: {key[0]} keys and {value[0]} values; each key has one value"

    /// A block of one function of options, parameters, keys, values and queries.
    let private block
        (name: string)
        (call: AttentionCall)
        (initialize: int -> Tensor -> AttentionScale)
        (attend: AttentionOptions -> AttentionScale -> Tensor -> Tensor -> Tensor -> Tensor * Tensor)
        : Block<AttentionScale> =
        let initialize key shapes =
            checkShapes name shapes
            let struct (query, _, _) = parts name shapes
            initialize query[1] key

        Block.create name initialize (fun phase p inputs ->
            let struct (query, value, key) = parts name inputs

            let options = {
                Attention.defaults with
                    // a key is seen where neither it nor its value is padding
                    KeyMask = bothMasks value key
                    Causal = call.Causal
                    Dropout = call.Dropout
                    Phase = phase
            }

            let found, weights = attend options p key.Value value.Value (clean query.Mask query.Value)

            [|
                { query with Value = clean query.Mask found }
                if call.ReturnScores then
                    Masked.ofTensor weights
            |],
            p)

    let private one = Tensor.full DType.Float32 [||] 1.0

    /// x times a number or a row of them, where there is one.
    let private times (scale: Tensor option) (x: Tensor) =
        match scale with
        | Some scale -> x * scale
        | None -> x

    /// Keras' Attention. Queries [queries, features], values [keys, units] and keys [keys, features], which are the values
    /// where they are not given, give [queries, units] and, on request, weights [queries, keys]. A trained scale begins at 1.
    /// Example: `AttentionBlock.dotProduct AttentionBlock.plain AttentionScore.Products false`.
    let dotProduct (call: AttentionCall) (score: AttentionScore) (useScale: bool) : Block<AttentionScale> =
        let initialize _ _ = {
            Scale = if useScale then Some one else None
            ScoreWeight = if score = AttentionScore.Sums then Some one else None
        }

        block "attention" call initialize (fun options p key value query ->
            match score, p.ScoreWeight with
            | AttentionScore.Sums, Some weight ->
                let row = broadcastTo [ key.Shape[key.Rank - 1] ] weight
                Attention.additive options row (times p.Scale key) value (times p.Scale query)
            | _ -> Attention.dotProduct { options with Scale = Some 1.0 } key value (times p.Scale query))

    /// Keras' AdditiveAttention: scores Σ scale·tanh(query + key), the scale a trained row, or ones.
    let additive (call: AttentionCall) (useScale: bool) : Block<AttentionScale> =
        let initialize features key = {
            Scale =
                if useScale then
                    Some(Initializer.glorotUniform DType.Float32 [| features |] key)
                else
                    None
            ScoreWeight = None
        }

        block "additive attention" call initialize (fun options p key value query ->
            let row =
                p.Scale |> Option.defaultWith (fun () -> Tensor.full key.DType [| key.Shape[key.Rank - 1] |] 1.0)

            Attention.additive options row key value query)
