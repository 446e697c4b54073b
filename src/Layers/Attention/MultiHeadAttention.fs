namespace Functional

// Multi-head attention: several attentions side by side, each with products of its own. Vaswani et al. (2017).

/// Opened with the namespace; a module of its own, because the C# facade may have a class of this name.
[<AutoOpen>]
module MultiHeadAttentionParameters =

    /// Parameters of multi-head attention: the dense layers of queries, keys and values, [.., heads·units], head by head,
    /// and that of the output.
    type MultiHeadAttention = { Heads: int; Query: Dense; Key: Dense; Value: Dense; Output: Dense }

/// How the parameters of multi-head attention begin.
type MultiHeadSettings = {
    Heads: int
    /// Features of queries and keys in each head.
    KeyUnits: int
    /// Features of values in each head; None: as many.
    ValueUnits: int option
    /// Features of the output; None: as many as the queries have.
    Outputs: int option
    /// Initialisers, biases and the element type of the four dense layers.
    Dense: DenseSettings
}

[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module MultiHeadAttention =

    /// Keras' defaults, with layers that begin as dense ones do.
    let settings (heads: int) (keyUnits: int) : MultiHeadSettings = {
        Heads = heads
        KeyUnits = keyUnits
        ValueUnits = None
        Outputs = None
        Dense = Dense.defaults
    }

    /// Parameters for queries, keys and values of so many features.
    let initWith
        (settings: MultiHeadSettings)
        (key: Tensor)
        (queryFeatures: int)
        (keyFeatures: int)
        (valueFeatures: int)
        : MultiHeadAttention =
        let valueUnits = defaultArg settings.ValueUnits settings.KeyUnits

        if settings.Heads < 1 || settings.KeyUnits < 1 || valueUnits < 1 then
            invalidArg
                "settings"
                $"multiHeadAttention: {settings.Heads} heads of {settings.KeyUnits} and {valueUnits} units; there must be at least one of each"

        let keys = Key.split 4 key
        let draw i inputs outputs = Dense.initWith settings.Dense keys[i] inputs outputs
        let inAll units = Shape.times "multiHeadAttention" "units in all heads" settings.Heads units

        {
            Heads = settings.Heads
            Query = draw 0 queryFeatures (inAll settings.KeyUnits)
            Key = draw 1 keyFeatures (inAll settings.KeyUnits)
            Value = draw 2 valueFeatures (inAll valueUnits)
            Output = draw 3 (inAll valueUnits) (defaultArg settings.Outputs queryFeatures)
        }

    /// Float32 parameters for inputs of so many features. Example: `MultiHeadAttention.init (Key.create 1L) 8 64 512`.
    let init (key: Tensor) (heads: int) (keyUnits: int) (features: int) : MultiHeadAttention =
        initWith (settings heads keyUnits) key features features features

    let private name = "multiHeadAttention"

    /// [batch, places, features] through a dense layer, as [batch, heads, places, units].
    let private intoHeads what heads (p: Dense) (x: Tensor) =
        if x.Rank <> 3 || x.Shape[2] <> p.Weights.Shape[0] then
            invalidShape name $"the {what} has axes [batch, places, {p.Weights.Shape[0]}]; it is {x.Shape}"

        let width = p.Weights.Shape[1]

        if heads < 1 || width % heads <> 0 then
            invalidShape
                name
                $"{heads} heads do not divide the {width} features of the {what}'s layer (weights {p.Weights.Shape})"

        dense p x
        |> reshape [ x.Shape[0]; x.Shape[1]; heads; width / heads ]
        |> Functions.permute [ 0; 2; 1; 3 ]

    /// `multiHeadAttention` with the products of keys and values made once for all queries that follow.
    let over
        (options: AttentionOptions)
        (p: MultiHeadAttention)
        (key: Tensor)
        (value: Tensor)
        : Tensor -> Tensor * Tensor =
        Attention.checkKeys name options key value
        let keys = intoHeads "key" p.Heads p.Key (Attention.clean options key)
        let values = intoHeads "value" p.Heads p.Value (Attention.clean options value)

        let perHead (mask: Tensor option) = mask |> Option.map (fun m -> if m.Rank = 3 then expandDims 1 m else m)

        let options = { options with Mask = perHead options.Mask; Bias = perHead options.Bias }
        let attend = Attention.dotProduct options keys values

        fun query ->
            let found, weights = attend (intoHeads "query" p.Heads p.Query query)

            let joined =
                found
                |> Functions.permute [ 0; 2; 1; 3 ]
                |> reshape [ query.Shape[0]; query.Shape[1]; p.Heads * found.Shape[3] ]

            dense p.Output joined, weights

[<AutoOpen>]
module MultiHeadAttentionFunction =

    /// Attention by scaled dot products in several heads. Keys [batch, keys, features], values [batch, keys, features] and
    /// queries [batch, queries, features] give [batch, queries, outputs] and the weights [batch, heads, queries, keys].
    /// A mask [queries, keys] or [batch, queries, keys] holds for all heads.
    /// Example: `multiHeadAttention { Attention.defaults with Causal = true } net.Attention x x x |> fst`.
    let multiHeadAttention
        (options: AttentionOptions)
        (p: MultiHeadAttention)
        (key: Tensor)
        (value: Tensor)
        (query: Tensor)
        : Tensor * Tensor =
        MultiHeadAttention.over options p key value query
