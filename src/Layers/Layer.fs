namespace Functional

// A layer as a value: how its parameters are drawn, which shape it gives, and what it computes. Layers compose with
// `-->`; with their parameter types erased, they stand in lists (`Layers.sequential`).

/// What a network is run for.
type Phase =
    /// Answers: dropout and noise are off, running statistics are used as they are.
    | Inference
    /// Learning: dropout and noise draw from the key, running statistics are updated.
    | Training of key: Tensor

/// A function from 'X to 'X with parameters of type 'P, and all that is needed to make and place it. What goes through is a tensor
/// (`Layer<'P>`), or several with masks (`Block<'P>`). Shapes are without the batch axis. Made by `Layer.create`.
type Layer<'P, 'X, 'Shape> = {
    /// What the layer is called in summaries.
    Name: string
    /// For inputs of a shape: how parameters are drawn from a key, and the shape of the output. An error where the input does
    /// not fit.
    Place: 'Shape -> (Tensor -> 'P) * 'Shape
    /// The output, and the parameters with their running statistics brought up to date (the same object where a layer
    /// has none).
    Apply: Phase -> 'P -> 'X -> 'X * 'P
} with

    /// Parameters drawn from a key, for inputs of a shape.
    member layer.Initialize (key: Tensor) (shape: 'Shape) : 'P = fst (layer.Place shape) key

    /// The shape of the output, from that of the input; an error where the input does not fit.
    member layer.OutputShape(shape: 'Shape) : 'Shape = snd (layer.Place shape)

/// A layer of one tensor.
type Layer<'P> = Layer<'P, Tensor, int[]>

[<RequireQualifiedAccess>]
module Phase =

    /// The phase for each of several parts, with a key of its own for each.
    let split (count: int) (phase: Phase) : Phase[] =
        match phase with
        | Inference -> Array.create count Inference
        | Training key -> Key.split count key |> Array.map Training

[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module Layer =

    /// A layer by how its parameters are drawn and what it computes, with a function for the shape of its output: for what reads
    /// numbers, and so cannot be asked with tensors that have none, as `create` does.
    let shaped
        (name: string)
        (outputShape: int[] -> int[])
        (initialize: Tensor -> int[] -> 'P)
        (apply: Phase -> 'P -> Tensor -> Tensor * 'P)
        : Layer<'P> =
        let given (shapes: int[][]) = [| Shape.possible name (outputShape shapes[0]) |]

        {
            Name = name
            Place = fun shape -> (fun key -> initialize key shape), (UnknownSize.infer given [| shape |])[0]
            Apply = apply
        }

    /// A layer by how its parameters are drawn and what it computes. The output's shape is what `apply` makes of the input's: it
    /// is asked with tensors that have no numbers.
    /// Example: `Layer.create "scale" (fun _ shape -> Tensor.full DType.Float32 shape 1.0) (fun _ p x -> p * x, p)`.
    let create
        (name: string)
        (initialize: Tensor -> int[] -> 'P)
        (apply: Phase -> 'P -> Tensor -> Tensor * 'P)
        : Layer<'P> =
        let outputs =
            Outline.shapes (fun key shapes -> initialize key (Array.head shapes)) (fun p xs -> [|
                fst (apply Inference p xs[0])
            |])

        {
            Name = name
            Place = fun shape -> (fun key -> initialize key shape), (outputs [| shape |])[0]
            Apply = apply
        }

    /// A layer without parameters, from the function it is. Example: `Layer.stateless "flip" (reverse [ 1 ])`.
    let stateless (name: string) (f: Tensor -> Tensor) : Layer<unit> =
        create name (fun _ _ -> ()) (fun _ () x -> f x, ())

    /// One layer after another: the parameters of both, as a pair. Written `first --> second`.
    let compose (first: Layer<'P, 'X, 'Shape>) (second: Layer<'Q, 'X, 'Shape>) : Layer<'P * 'Q, 'X, 'Shape> = {
        Name = $"{first.Name} --> {second.Name}"
        Place =
            fun shape ->
                let drawFirst, between = first.Place shape
                let drawSecond, output = second.Place between

                let draw key =
                    let keys = Key.split 2 key
                    drawFirst keys[0], drawSecond keys[1]

                draw, output
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

    let private drawing (wrap: 'P -> 'Q) (draw: Tensor -> 'P, output: 'Shape) : (Tensor -> 'Q) * 'Shape =
        draw >> wrap, output

    /// The layer with its parameters as a value of an unnamed type, so that different layers fit in one list.
    let erase (layer: Layer<'P, 'X, 'Shape>) : Layer<obj, 'X, 'Shape> = {
        Name = layer.Name
        Place = layer.Place >> drawing box
        Apply =
            fun phase p x ->
                let typed = unbox<'P> p
                let y, updated = layer.Apply phase typed x
                y, (if obj.ReferenceEquals(typed, updated) then p else box updated)
    }

    /// The layer with a function applied to its output, which keeps the output's shape.
    /// Example: `Layers.dense 64 |> Layer.activated "relu" relu`.
    let activated (name: string) (f: 'X -> 'X) (layer: Layer<'P, 'X, 'Shape>) : Layer<'P, 'X, 'Shape> = {
        layer with
            Name = $"{layer.Name}, {name}"
            Apply =
                fun phase p x ->
                    let y, updated = layer.Apply phase p x
                    f y, updated
    }

    /// The layer with parameters that are carried along but not trained.
    let freeze (layer: Layer<'P, 'X, 'Shape>) : Layer<Frozen<'P>, 'X, 'Shape> = {
        Name = layer.Name
        Place = layer.Place >> drawing (fun p -> { Value = p })
        Apply = fun _ p x -> fst (layer.Apply Inference p.Value x), p
    }

    /// What the layer answers: its output in the phase of inference.
    let predict (layer: Layer<'P, 'X, 'Shape>) (p: 'P) (x: 'X) : 'X = fst (layer.Apply Inference p x)

[<AutoOpen>]
module LayerOperators =

    /// One layer after another. Example: `Layers.dense 64 --> Layers.activation "relu" relu --> Layers.dense 10`.
    let (-->) (first: Layer<'P, 'X, 'Shape>) (second: Layer<'Q, 'X, 'Shape>) : Layer<'P * 'Q, 'X, 'Shape> =
        Layer.compose first second
