namespace Functional

// Additive attention: Bahdanau, Cho and Bengio, "Neural machine translation by jointly learning to align and translate"
// (2015). Queries and keys may have different features; a small network scores each pair.

/// Opened with the namespace; a module of its own, because the C# facade may have a class of this name.
[<AutoOpen>]
module AdditiveAttentionParameters =

    /// Parameters of additive attention: kernels of queries [query features, units] and of keys [key features, units], and
    /// the weights [units] of scores.
    type AdditiveAttention = { Query: Tensor; Key: Tensor; Vector: Tensor }

[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module AdditiveAttention =

    /// Parameters of an element type, Glorot-uniform.
    let initAs (dtype: DType) (key: Tensor) (queryFeatures: int) (keyFeatures: int) (units: int) : AdditiveAttention =
        if queryFeatures < 1 || keyFeatures < 1 || units < 1 then
            invalidArg
                "units"
                $"additiveAttention: {queryFeatures} features of queries, {keyFeatures} of keys and {units} units; there must be at least one of each"

        let keys = Key.split 3 key
        let draw = Initializer.glorotUniform dtype

        {
            Query = draw [| queryFeatures; units |] keys[0]
            Key = draw [| keyFeatures; units |] keys[1]
            Vector = draw [| units; 1 |] keys[2] |> reshape [ units ]
        }

    /// Float32 parameters. Example: `AdditiveAttention.init (Key.create 1L) 128 128 64`.
    let init (key: Tensor) (queryFeatures: int) (keyFeatures: int) (units: int) : AdditiveAttention =
        initAs DType.Float32 key queryFeatures keyFeatures units

    let private product what (kernel: Tensor) (x: Tensor) =
        if x.Rank < 2 || x.Shape[x.Rank - 1] <> kernel.Shape[0] then
            invalidShape
                "additiveAttention"
                $"the kernel of {what} expects [.., {what}, {kernel.Shape[0]}]; they are {x.Shape}"

        x *@ kernel

    /// Keys as they are scored: [.., keys, key features] times their kernel.
    let keys (p: AdditiveAttention) (key: Tensor) : Tensor = product "keys" p.Key key

    /// `additiveAttention` with keys that have been multiplied by their kernel, `AdditiveAttention.keys`.
    let overKeys
        (options: AttentionOptions)
        (p: AdditiveAttention)
        (multiplied: Tensor)
        (value: Tensor)
        : Tensor -> Tensor * Tensor =
        let attend = Attention.additive options p.Vector multiplied value
        fun query -> attend (product "queries" p.Query query)

    /// `additiveAttention` with the products of keys made once for all queries that follow.
    let over
        (options: AttentionOptions)
        (p: AdditiveAttention)
        (key: Tensor)
        (value: Tensor)
        : Tensor -> Tensor * Tensor =
        // padding is not looked at, so that not even a NaN in it reaches the kernel's gradient
        Attention.checkKeys "additiveAttention" options key value
        overKeys options p (keys p (Attention.clean options key)) value

[<AutoOpen>]
module AdditiveAttentionFunction =

    /// For every query the mean of the values, weighted by softmax(v·tanh(query·Wq + key·Wk)), and the weights. Keys
    /// [.., keys, key features], values [.., keys, units] and queries [.., queries, query features] give
    /// [.., queries, units] and weights [.., queries, keys].
    /// Example: `let context, weights = additiveAttention Attention.defaults net.Attention keys values queries`.
    let additiveAttention
        (options: AttentionOptions)
        (p: AdditiveAttention)
        (key: Tensor)
        (value: Tensor)
        (query: Tensor)
        : Tensor * Tensor =
        AdditiveAttention.over options p key value query
