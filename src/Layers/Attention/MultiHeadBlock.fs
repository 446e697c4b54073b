/// Keras' MultiHeadAttention as a block: several inputs, masks, and attention over some of the axes between batch and features.
[<RequireQualifiedAccess>]
module Functional.MultiHeadBlock

let private name = "multi-head attention"

/// The axes attended over, counted with the batch as 0 or from the end; by default all but batch and features.
let private attended (axes: int list option) (rank: int) : int list =
    match axes with
    | None -> [ 1 .. rank - 2 ]
    | Some axes ->
        let axes = axes |> List.map (Shape.axis name rank)

        if axes.IsEmpty || List.distinct axes <> axes || List.exists (fun i -> i < 1 || i > rank - 2) axes then
            invalidArg
                "axes"
                $"{name}: attention over the axes %A{axes} of a tensor with {rank}; axis 0 is the batch, {rank - 1} the features, and each of the others can be named once"

        axes

let private others (axes: int list) (rank: int) = [ 0 .. rank - 2 ] |> List.except axes

let private sizes (axes: int list) (shape: int[]) = axes |> List.map (fun i -> shape[i])

/// Tensors with the attended axes as one, all others as the batch: x [batch', places, features].
type private Folding(axes: int list, rank: int) =
    let order = others axes rank @ axes

    /// x under this shape, and its mask.
    member _.Fold(x: Tensor, mask: Tensor option) : struct (Tensor * Tensor option) =
        let size over = List.reduce (*) (sizes over x.Shape)
        let places = [ size (others axes rank); size axes ]
        let folded = permute (order @ [ rank - 1 ]) x |> reshape (places @ [ x.Shape[rank - 1] ])

        let steps (mask: Tensor) =
            mask
            |> reshape (Array.append mask.Shape (Array.create (rank - 3) 1))
            |> broadcastTo x.Shape[.. rank - 2]
            |> permute order
            |> reshape places

        struct (folded, Option.map steps mask)

    /// y [batch', places, outputs] with the axes of x again.
    member _.Unfold(x: Tensor, y: Tensor) : Tensor =
        let inverse = [ for i in 0 .. rank - 2 -> List.findIndex ((=) i) order ]

        y |> reshape [ yield! sizes order x.Shape; y.Shape[2] ] |> permute (inverse @ [ rank - 1 ])

    /// weights [batch', heads, queries, keys] as [batch, others.., heads, queries.., keys..].
    member _.Weights(query: Tensor, key: Tensor, weights: Tensor) : Tensor =
        reshape
            [
                yield! sizes (others axes rank) query.Shape
                weights.Shape[1]
                yield! sizes axes query.Shape
                yield! sizes axes key.Shape
            ]
            weights

let private checkShapes
    (axes: int list option)
    (call: AttentionCall)
    (mask: int[] option)
    (query: int[])
    (value: int[])
    key
    =
    let rank = query.Length + 1
    let show (shape: int[]) = Shape.show shape

    if query.Length < 2 || value.Length <> query.Length || Array.length key <> query.Length then
        invalidArg
            "inputs"
            $"{name}: examples of queries, values and keys have as many axes, [places.., features]; they are {show query}, {show value} and {show key}"

    let axes = attended axes rank

    for i in [ 1 .. rank - 2 ] do
        if key[i - 1] <> value[i - 1] then
            invalidArg "inputs" $"{name}: keys {show key} and values {show value}; each key has one value"

        if not (List.contains i axes) && key[i - 1] <> query[i - 1] then
            invalidArg
                "inputs"
                $"{name}: queries {show query} and keys {show key} have axis {i}, which is not attended over, of two lengths"

    if call.Causal && axes.Length > 1 then
        invalidArg "call" $"{name}: a causal mask is for attention over one axis; it is over {axes.Length}"

    match mask with
    | Some mask when rank <> 3 || not (Shape.same mask [| query[0]; key[0] |]) ->
        invalidArg
            "mask"
            $"{name}: an attention mask says of each query and key of a sequence whether one sees the other; it is {show mask} for queries {show query} and keys {show key}"
    | _ -> ()

/// Queries, values and keys, which are the values where they are not given; `masked` says that the last input is no key but
/// an attention mask: Bool or numbers [queries, keys], 0 where a query must not see a key. Outputs are what was found and,
/// on request, the weights [heads, queries, keys]. A query that is padding sees nothing.
/// Example: `MultiHeadBlock.create AttentionBlock.plain None false (MultiHeadAttention.settings 8 64)`.
let create
    (call: AttentionCall)
    (axes: int list option)
    (masked: bool)
    (settings: MultiHeadSettings)
    : Block<MultiHeadAttention> =
    let split (inputs: 'T[]) =
        let last = inputs.Length - 1

        if masked && last > 0 then
            struct (AttentionBlock.parts name inputs[.. last - 1], Some inputs[last])
        else
            struct (AttentionBlock.parts name inputs, None)

    let initialize key (shapes: int[][]) =
        let struct (struct (query, value, keys), mask) = split shapes
        checkShapes axes call mask query value keys
        MultiHeadAttention.initWith settings key (Array.last query) (Array.last keys) (Array.last value)

    Block.create $"{name} {settings.Heads}×{settings.KeyUnits}" initialize (fun phase p inputs ->
        let struct (struct (query, value, key), mask) = split inputs
        let rank = query.Value.Rank
        let folding = Folding(attended axes rank, rank)
        let struct (q, queryMask) = folding.Fold(query.Value, query.Mask)
        let struct (v, _) = folding.Fold(value.Value, None)
        let struct (k, keyMask) = folding.Fold(key.Value, AttentionBlock.bothMasks value key)

        let options = {
            Attention.defaults with
                KeyMask = keyMask
                Mask =
                    [
                        mask |> Option.map (fun mask -> cast DType.Bool mask.Value)
                        queryMask |> Option.map (expandDims 2)
                    ]
                    |> Masked.all
                Causal = call.Causal
                Dropout = call.Dropout
                Phase = phase
        }

        let found, weights = multiHeadAttention options p k v (AttentionBlock.clean queryMask q)

        [|
            { query with Value = folding.Unfold(query.Value, found) }
            if call.ReturnScores then
                Masked.ofTensor (folding.Weights(query.Value, key.Value, weights))
        |],
        p)
