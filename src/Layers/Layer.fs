namespace Functional

// A layer as a value: how its parameters are drawn, which shape it gives, and what it computes. Layers compose with
// `-->`; with their parameter types erased, they stand in lists (`Layers.sequential`).

/// What a network is run for.
type Phase =
    /// Answers: dropout and noise are off, running statistics are used as they are.
    | Inference
    /// Learning: dropout and noise draw from the key, running statistics are updated.
    | Training of key: Tensor

/// A function with parameters of type 'P, and all that is needed to make and place it. Shapes are without the batch axis.
type Layer<'P> = {
    /// What the layer is called in summaries.
    Name: string
    /// Parameters drawn from a key, for inputs of a shape.
    Initialize: Tensor -> int[] -> 'P
    /// The shape of the output, from that of the input; an error where the input does not fit.
    OutputShape: int[] -> int[]
    /// The output, and the parameters with their running statistics brought up to date (the same object where a layer
    /// has none).
    Apply: Phase -> 'P -> Tensor -> Tensor * 'P
}

[<RequireQualifiedAccess>]
module Phase =

    /// The phase for each of several parts, with a key of its own for each.
    let split (count: int) (phase: Phase) : Phase[] =
        match phase with
        | Inference -> Array.create count Inference
        | Training key -> Key.split count key |> Array.map Training

[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module Layer =

    /// A layer by how its parameters are drawn and what it computes. The output's shape is what `apply` makes of the input's: it
    /// is asked with tensors that have no numbers.
    let create
        (name: string)
        (initialize: Tensor -> int[] -> 'P)
        (apply: Phase -> 'P -> Tensor -> Tensor * 'P)
        : Layer<'P> = {
        Name = name
        Initialize = initialize
        OutputShape =
            fun shape ->
                [| shape |]
                |> Outline.shapes (fun key -> initialize key shape) (fun p inputs -> [|
                    fst (apply Inference p inputs[0])
                |])
                |> Array.head
        Apply = apply
    }

    /// A layer without parameters, from the function it is. Example: `Layer.stateless "flip" (reverse [ 1 ])`.
    let stateless (name: string) (f: Tensor -> Tensor) : Layer<unit> =
        let layer = create name (fun _ _ -> ()) (fun _ () x -> f x, ())

        {
            layer with
                Initialize =
                    fun _ shape ->
                        if not (UnknownSize.isIn shape) then
                            layer.OutputShape shape |> ignore
        }

    /// One layer after another: the parameters of both, as a pair. Written `first --> second`.
    let compose (first: Layer<'P>) (second: Layer<'Q>) : Layer<'P * 'Q> = {
        Name = $"{first.Name} --> {second.Name}"
        Initialize =
            fun key shape ->
                let keys = Key.split 2 key
                first.Initialize keys[0] shape, second.Initialize keys[1] (first.OutputShape shape)
        OutputShape = first.OutputShape >> second.OutputShape
        Apply =
            fun phase both x ->
                let p, q = both
                let phases = Phase.split 2 phase
                let hidden, p' = first.Apply phases[0] p x
                let y, q' = second.Apply phases[1] q hidden

                if obj.ReferenceEquals(p, p') && obj.ReferenceEquals(q, q') then
                    y, both
                else
                    y, (p', q')
    }

    /// The layer with its parameters as a value of an unnamed type, so that different layers fit in one list.
    let erase (layer: Layer<'P>) : Layer<obj> = {
        Name = layer.Name
        Initialize = fun key shape -> box (layer.Initialize key shape)
        OutputShape = layer.OutputShape
        Apply =
            fun phase p x ->
                let typed = unbox<'P> p
                let y, updated = layer.Apply phase typed x
                y, (if obj.ReferenceEquals(typed, updated) then p else box updated)
    }

    /// The layer with a function applied to its output, which keeps the output's shape.
    /// Example: `Layers.dense 64 |> Layer.activated "relu" relu`.
    let activated (name: string) (f: Tensor -> Tensor) (layer: Layer<'P>) : Layer<'P> = {
        layer with
            Name = $"{layer.Name}, {name}"
            Apply =
                fun phase p x ->
                    let y, updated = layer.Apply phase p x
                    f y, updated
    }

    /// The layer with parameters that are carried along but not trained.
    let freeze (layer: Layer<'P>) : Layer<Frozen<'P>> = {
        Name = layer.Name
        Initialize = fun key shape -> { Value = layer.Initialize key shape }
        OutputShape = layer.OutputShape
        Apply = fun _ p x -> fst (layer.Apply Inference p.Value x), p
    }

    /// What the layer answers: its output in the phase of inference.
    let predict (layer: Layer<'P>) (p: 'P) (x: Tensor) : Tensor = fst (layer.Apply Inference p x)

[<AutoOpen>]
module LayerOperators =

    /// One layer after another. Example: `Layers.dense 64 --> Layers.activation "relu" relu --> Layers.dense 10`.
    let (-->) (first: Layer<'P>) (second: Layer<'Q>) : Layer<'P * 'Q> = Layer.compose first second
