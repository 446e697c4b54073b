namespace Functional

// Recurrent layers as blocks: they leave out masked steps, begin from states they are given, and give back their last.

/// What a recurrent layer gives, with Keras' meanings.
type RecurrentLayerOptions = {
    /// The outputs of all steps, or the last alone.
    ReturnSequences: bool
    /// Whether the sequence is read from its end; the outputs are then in the order they were made.
    GoBackwards: bool
    /// Steps whose features all have this value are padding, and left out: for layers. Blocks are given masks with their inputs.
    Padding: float option
    /// Fractions of inputs and state dropped while learning.
    Dropout: float
    RecurrentDropout: float
    Settings: CellSettings
}

[<RequireQualifiedAccess>]
module RecurrentBlock =

    /// How the outputs of two directions are given.
    [<RequireQualifiedAccess>]
    type Directions =
        | Merged of BidirectionalMerge
        /// As two outputs, forwards first.
        | Apart

    /// The features of a sequence.
    let internal features name (shape: int[]) : int =
        match shape with
        | [| time; features |] ->
            if time < 1 && time <> UnknownSize.Value then
                invalidArg "shape" $"{name}: sequences of {time} steps; there must be at least one"

            features
        | _ -> invalidShape name $"an example is a sequence [time, features], this one is {shape}"

    /// Outputs in the order of their steps as a layer gives them: with `GoBackwards` in the order they were made.
    let internal asMade (options: RecurrentLayerOptions) (y: Tensor) : Tensor =
        if options.GoBackwards then reverse [ 1 ] y else y

    /// How many tensors a cell's state has: asked of the smallest cell.
    let private stateCount (cell: Cell<'P, 'S>) : int =
        let zeros = {
            Cell.defaults with
                KernelInitializer = Initializer.zeros
                RecurrentInitializer = Initializer.zeros
        }

        let p = cell.Initialize zeros (Key.create 0L) 1 1
        (Tree.leaves (cell.Start p 1)).Length

    let private checkInputs name (states: int) units (shapes: int[][]) =
        if shapes.Length <> 1 && shapes.Length <> 1 + states then
            invalidArg
                "inputs"
                $"{name}: takes a sequence, or a sequence and {states} states to begin from; {shapes.Length} inputs were given"

        for shape in Seq.skip 1 shapes do
            if not (Shape.same shape [| units |]) then
                invalidShape name $"a state to begin from has shape {shape}; {units} units are needed"

    /// How a layer's cell is run over a sequence.
    let internal running (options: RecurrentLayerOptions) phase (mask: Tensor option) : RecurrentOptions = {
        FromEnd = options.GoBackwards
        Mask = mask
        Dropout = options.Dropout
        RecurrentDropout = options.RecurrentDropout
        Phase = phase
    }

    /// What the layer gives, and the last state's tensors.
    let private run (cell: Cell<'P, 'S>) options backwards phase (p: 'P) (x: Masked) (states: Masked[]) =
        let running = { running options phase x.Mask with FromEnd = backwards }

        let start =
            if states.Length = 0 then
                None
            else
                Some(Tree.rebuild (cell.Start p x.Value.Shape[0]) (states |> Array.map _.Value))

        if options.ReturnSequences then
            let y, state = Recurrent.run cell running start p x.Value
            struct (asMade options y, Tree.leaves state)
        else
            let state = Recurrent.finish cell running start p x.Value
            struct (cell.Output state, Tree.leaves state)

    let private maskOf (options: RecurrentLayerOptions) (x: Masked) =
        if options.ReturnSequences then x.Mask |> Option.map (asMade options) else None

    /// A cell over sequences [time, features]. Inputs are the sequence and, perhaps, the states to begin from; outputs are
    /// the layer's and, where `returnState` says so, the last states: one tensor, of an LSTM the hidden state and the memory.
    let ofCell (cell: Cell<'P, 'S>) (options: RecurrentLayerOptions) (returnState: bool) (units: int) : Block<'P> =
        let states = stateCount cell

        let initialize key (shapes: int[][]) =
            checkInputs cell.Name states units shapes
            cell.Initialize options.Settings key (features cell.Name shapes[0]) units

        Block.create $"{cell.Name} {units}" initialize (fun phase p inputs ->
            let x = inputs[0]
            let struct (y, state) = run cell options options.GoBackwards phase p x inputs[1..]

            [|
                { Value = y; Mask = maskOf options x }
                if returnState then
                    yield! Array.map Masked.ofTensor state
            |],
            p)

    /// Two cells over sequences, one from the beginning and one from the end. States to begin from, and last states, are
    /// those of the one that reads forwards, then those of the other.
    let bidirectional
        (directions: Directions)
        (cell: Cell<'P, 'S>)
        (options: RecurrentLayerOptions)
        (returnState: bool)
        (units: int)
        : Block<Bidirectional<'P>> =
        let name = $"bidirectional {cell.Name}"
        let states = stateCount cell

        let initialize key (shapes: int[][]) =
            checkInputs name (2 * states) units shapes
            let keys = Key.split 2 key
            let draw key = cell.Initialize options.Settings key (features name shapes[0]) units
            { Forward = draw keys[0]; Backward = draw keys[1] }

        Block.create $"{name} {units}" initialize (fun phase p inputs ->
            let x = inputs[0]
            let phases = Phase.split 2 phase
            let starts = inputs[1..] |> Array.splitInto 2
            let startOf i = if starts.Length = 0 then [||] else starts[i]

            let struct (forward, first) = run cell options options.GoBackwards phases[0] p.Forward x (startOf 0)

            let struct (backward, second) =
                run cell options (not options.GoBackwards) phases[1] p.Backward x (startOf 1)

            let give y = { Value = y; Mask = maskOf options x }

            [|
                match directions with
                | Directions.Merged how -> give (Recurrent.merge how forward backward)
                | Directions.Apart ->
                    give forward
                    give backward
                if returnState then
                    yield! Array.append first second |> Array.map Masked.ofTensor
            |],
            p)
