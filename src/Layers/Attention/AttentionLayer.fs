namespace Functional

// Attention as a layer, for sequential models.

[<RequireQualifiedAccess>]
module AttentionLayer =

    /// Multi-head attention of a sequence to itself: [time, features] gives [time, outputs]. Steps whose features all have
    /// the value of padding are not attended to. The options' phase is the layer's.
    /// Example: `AttentionLayer.self { Attention.defaults with Causal = true } None (MultiHeadAttention.settings 8 64)`.
    let self
        (options: AttentionOptions)
        (padding: float option)
        (settings: MultiHeadSettings)
        : Layer<MultiHeadAttention> =
        let features (shape: int[]) =
            match shape with
            | [| time; features |] when time > 0 || time = UnknownSize.Value -> features
            | _ ->
                invalidShape
                    "self-attention"
                    $"an example is a sequence [time, features] of at least one step, this one is {shape}"

        let initialize key shape =
            let n = features shape
            MultiHeadAttention.initWith settings key n n n

        Layer.create $"self-attention {settings.Heads}×{settings.KeyUnits}" initialize (fun phase p x ->
            let options = {
                options with
                    Phase = phase
                    KeyMask =
                        match padding with
                        | Some value -> Some(RecurrentLayer.mask value x)
                        | None -> options.KeyMask
            }

            fst (multiHeadAttention options p x x x), p)
