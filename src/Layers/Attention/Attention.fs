namespace Functional

// Attention: for every query a mean of values, weighted by how well their keys answer it. The scores of keys are the
// scaled dot products of Vaswani et al., "Attention is all you need" (2017); what is made of scores is here once for all.

/// Which keys a query attends to, and how.
type AttentionOptions = {
    /// Bool [batch, keys], or [keys] where there is no batch: false where a key is padding. Such keys and their values may
    /// hold anything; they have weight 0 and nothing flows back to them.
    KeyMask: Tensor option
    /// Bool that broadcasts to the scores [.., queries, keys]: false where a query must not see a key. A query that sees
    /// no key at all gets zeros.
    Mask: Tensor option
    /// Added to the scores, to which it broadcasts: what places relative to each other are worth, for example.
    Bias: Tensor option
    /// Whether a query sees the keys up to its own place only.
    Causal: bool
    /// What dot products are multiplied by; None is 1/√features.
    Scale: float option
    /// Keeps scores, the bias added, within ±cap by cap·tanh(score/cap): Gemma Team, "Gemma 2" (2024).
    Cap: float option
    /// While learning, the fraction of weights dropped.
    Dropout: float
    Phase: Phase
}

[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module Attention =

    /// Every query sees all keys; scores divided by √features, nothing dropped.
    let defaults: AttentionOptions = {
        KeyMask = None
        Mask = None
        Bias = None
        Causal = false
        Scale = None
        Cap = None
        Dropout = 0.0
        Phase = Inference
    }

    let private count (x: Tensor) = x.Shape[x.Rank - 2]
    let private features (x: Tensor) = x.Shape[x.Rank - 1]

    let internal checkKeys name (options: AttentionOptions) (key: Tensor) (value: Tensor) =
        if key.Rank < 2 || value.Rank < 2 then
            invalidShape name $"keys and values have axes [.., keys, features]; they are {key.Shape} and {value.Shape}"

        if count key <> count value then
            invalidShape
                name
                $"{count key} keys and {count value} values; each key has one value (keys {key.Shape}, values {value.Shape})"

        if count key = 0 then
            invalidShape name $"there are no keys to attend to (keys {key.Shape})"

        match options.KeyMask with
        | None -> ()
        | Some mask ->
            let expected = if key.Rank = 2 then [| count key |] else [| key.Shape[0]; count key |]

            if mask.DType <> DType.Bool || not (Shape.same mask.Shape expected) then
                invalidShape name $"the mask of keys {key.Shape} is Bool {expected}; it is {mask.DType} {mask.Shape}"

        NoiseFunctions.checkRate name options.Dropout

    /// The mask of keys with as many axes as the keys have, the place of keys counted from the end.
    let private keyMask rank fromEnd (mask: Tensor) =
        mask
        |> reshape [
            for i in 0 .. rank - 1 do
                if i = rank - fromEnd then mask.Shape[mask.Rank - 1]
                elif i = 0 && mask.Rank = 2 then mask.Shape[0]
                else 1
        ]

    /// Keys or values with zeros where they are padding.
    let internal clean (options: AttentionOptions) (x: Tensor) =
        match options.KeyMask with
        | Some mask -> where (keyMask x.Rank 2 mask) x (host x 0.0)
        | None -> x

    /// Which scores count; None: all.
    let private allowed name (options: AttentionOptions) (scores: Tensor) =
        let queries, keys = count scores, features scores

        match options.Mask with
        | Some mask when mask.DType <> DType.Bool ->
            invalidArg "mask" $"{name}: a mask is Bool, not {mask.DType}; numbers to add to the scores are the Bias"
        | Some mask ->
            let fits =
                mask.Rank <= scores.Rank
                && Array.forall2
                    (fun m s -> m = s || m = 1)
                    mask.Shape
                    (Array.skip (scores.Rank - mask.Rank) scores.Shape)

            if not fits then
                invalidShape
                    name
                    $"a mask of {mask.Shape} does not broadcast to the scores [.., queries, keys] = {scores.Shape}"
        | None -> ()

        let causal =
            if options.Causal then
                Some(Tensor.create [ queries; keys ] (Array.init (queries * keys) (fun i -> i % keys <= i / keys)))
            else
                None

        [ Option.map (keyMask scores.Rank 1) options.KeyMask; options.Mask; causal ]
        |> List.choose id
        |> function
            | [] -> None
            | masks -> Some(List.reduce logicalAnd masks)

    /// What every attention does with its scores [.., queries, keys]: bias, cap, masks, softmax, dropout, and the mean of the
    /// values [.., keys, features]. The result, and the weights before dropout.
    let internal weigh name (options: AttentionOptions) (value: Tensor) (scores: Tensor) : Tensor * Tensor =
        let scores =
            match options.Bias with
            | Some bias -> scores + bias
            | None -> scores

        let scores =
            match options.Cap with
            | Some cap when cap > 0.0 -> cap * tanh (scores * (1.0 / cap))
            | Some cap -> invalidArg "options" $"{name}: a cap of {cap}; it must be positive"
            | None -> scores

        let weights =
            match allowed name options scores with
            | None -> softmax scores
            | Some mask ->
                // finite, so that a query without keys gives zeros rather than NaN
                let lowest = if scores.DType = DType.Float32 then -3e38 else -1e300
                where mask (softmax (where mask scores (host scores lowest))) (host scores 0.0)

        let kept =
            match options.Phase with
            | Training key when options.Dropout > 0.0 -> dropout options.Dropout key weights
            | _ -> weights

        kept *@ value, weights

    let private checkQuery name expected (key: Tensor) (query: Tensor) =
        if query.Rank < 2 || features query <> expected then
            invalidShape
                name
                $"queries have axes [.., queries, {expected}] for the keys {key.Shape}; they are {query.Shape}"

    /// Attention by scaled dot products, with the weights; `dotProductAttention` says more.
    let dotProduct (options: AttentionOptions) (key: Tensor) (value: Tensor) : Tensor -> Tensor * Tensor =
        let name = "dotProductAttention"
        checkKeys name options key value
        let across, value = transpose (clean options key), clean options value
        let scale = defaultArg options.Scale (1.0 / sqrt (float (features key)))

        fun query ->
            checkQuery name (features key) key query
            weigh name options value ((query * scale) *@ across)

    /// Attention by sums: the score of a key is Σ score·tanh(query + key) over the features, of which score [features] has
    /// a weight each. Keras' AdditiveAttention; with a product for queries and keys before it, it is Bahdanau's.
    let additive (options: AttentionOptions) (score: Tensor) (key: Tensor) (value: Tensor) : Tensor -> Tensor * Tensor =
        let name = "additiveAttention"
        checkKeys name options key value

        if score.Rank <> 1 || score.Shape[0] <> features key then
            invalidShape
                name
                $"weights of scores {score.Shape} for keys of {features key} features {key.Shape}; there is one for each feature"

        let value = clean options value
        let across = expandDims -3 (clean options key)
        let column = expandDims 1 score

        fun query ->
            checkQuery name (features key) key query
            weigh name options value (tanh (expandDims -2 query + across) *@ column |> squeeze [ -1 ])

[<AutoOpen>]
module AttentionFunction =

    /// For every query the mean of the values, weighted by softmax(query·keyᵀ/√features), and the weights. Keys
    /// [.., keys, features], values [.., keys, units] and queries [.., queries, features] give [.., queries, units] and
    /// weights [.., queries, keys]; leading axes broadcast.
    /// Example: `let context, weights = dotProductAttention Attention.defaults keys values queries`.
    let dotProductAttention
        (options: AttentionOptions)
        (key: Tensor)
        (value: Tensor)
        (query: Tensor)
        : Tensor * Tensor =
        Attention.dotProduct options key value query
