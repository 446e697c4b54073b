namespace Functional

// Recurrent layers as layer values, for sequential models.

/// What a recurrent layer gives, with Keras' meanings.
type RecurrentLayerOptions = {
    /// The outputs of all steps, or the last alone.
    ReturnSequences: bool
    /// Whether the sequence is read from its end; the outputs are then in the order they were made.
    GoBackwards: bool
    /// Steps whose features all have this value are padding, and left out.
    Padding: float option
    /// Fractions of inputs and state dropped while learning.
    Dropout: float
    RecurrentDropout: float
    Settings: CellSettings
}

[<RequireQualifiedAccess>]
module RecurrentLayer =

    /// Keras' defaults: the last output alone, nothing masked or dropped.
    let defaults: RecurrentLayerOptions = {
        ReturnSequences = false
        GoBackwards = false
        Padding = None
        Dropout = 0.0
        RecurrentDropout = 0.0
        Settings = Cell.defaults
    }

    /// The steps that are not padding: [batch, time, features] gives Bool [batch, time].
    let mask (padding: float) (x: Tensor) : Tensor =
        if x.Rank <> 3 then
            invalidArg "x" $"mask: a sequence has axes [batch, time, features], the input is {Shape.show x.Shape}"

        maxOver [ 2 ] (notEqual x (host x padding))

    let internal outputShape name (options: RecurrentLayerOptions) units (shape: int[]) =
        match shape with
        | [| time; _ |] ->
            if time < 1 && time <> UnknownSize.Value then
                invalidArg "shape" $"{name}: sequences of {time} steps; there must be at least one"

            if options.ReturnSequences then [| time; units |] else [| units |]
        | _ -> invalidArg "shape" $"{name}: an example is a sequence [time, features], this one is {Shape.show shape}"

    let internal running (options: RecurrentLayerOptions) phase x : RecurrentOptions = {
        FromEnd = options.GoBackwards
        Mask = options.Padding |> Option.map (fun padding -> mask padding x)
        Dropout = options.Dropout
        RecurrentDropout = options.RecurrentDropout
        Phase = phase
    }

    /// Outputs in the order of their steps as a layer gives them: with `GoBackwards` in the order they were made.
    let internal asMade (options: RecurrentLayerOptions) (y: Tensor) : Tensor =
        if options.GoBackwards then reverse [ 1 ] y else y

    /// What a layer gives of a cell, and the last state.
    let internal run
        (cell: Cell<'P, 'S>)
        (options: RecurrentLayerOptions)
        (running: RecurrentOptions)
        (start: 'S option)
        (p: 'P)
        (x: Tensor)
        : Tensor * 'S =
        if options.ReturnSequences then
            let y, state = Recurrent.run cell running start p x
            asMade options y, state
        else
            let state = Recurrent.finish cell running start p x
            cell.Output state, state

    /// A layer that runs sequences [time, features] through a cell.
    /// Example: `RecurrentLayer.ofCell Lstm.cell { RecurrentLayer.defaults with ReturnSequences = true } 128`.
    let ofCell (cell: Cell<'P, 'S>) (options: RecurrentLayerOptions) (units: int) : Layer<'P> = {
        Name = $"{cell.Name} {units}"
        Initialize =
            fun key shape ->
                outputShape cell.Name options units shape |> ignore
                cell.Initialize options.Settings key shape[1] units
        OutputShape = outputShape cell.Name options units
        Apply =
            fun phase p x ->
                let y, _ = run cell options (running options phase x) None p x
                y, p
    }

    /// A layer of several cells on top of each other, from the lowest to the highest, with so many units each. Padding is
    /// left out by all of them. Example: `RecurrentLayer.stacked Lstm.cell RecurrentLayer.defaults [ 128; 64 ]`.
    let stacked (cell: Cell<'P, 'S>) (options: RecurrentLayerOptions) (units: int list) : Layer<'P list> =
        let name = $"stacked {cell.Name}"

        if units.IsEmpty then
            invalidArg "units" $"{name}: there are no cells; give the units of each"

        let outputShape = outputShape name options (List.last units)
        let sizes = String.concat ", " (List.map string units)

        {
            Name = $"{name} {sizes}"
            Initialize =
                fun key shape ->
                    outputShape shape |> ignore
                    let keys = Key.split units.Length key

                    List.map3
                        (cell.Initialize options.Settings)
                        (List.ofArray keys)
                        (shape[1] :: List.truncate (units.Length - 1) units)
                        units
            OutputShape = outputShape
            Apply =
                fun phase ps x ->
                    let y, last = Recurrent.runStacked cell (running options phase x) None ps x

                    (if options.ReturnSequences then
                         asMade options y
                     else
                         cell.Output(List.last last)),
                    ps
        }

    /// A layer that runs sequences through two cells, from the beginning and from the end, and merges what they give.
    let bidirectional
        (merge: BidirectionalMerge)
        (cell: Cell<'P, 'S>)
        (options: RecurrentLayerOptions)
        (units: int)
        : Layer<Bidirectional<'P>> =
        let name = $"bidirectional {cell.Name}"

        let width =
            match merge with
            | BidirectionalMerge.Concat -> 2 * units
            | BidirectionalMerge.Sum
            | BidirectionalMerge.Multiply
            | BidirectionalMerge.Average -> units

        {
            Name = $"{name} {units}"
            Initialize =
                fun key shape ->
                    outputShape name options units shape |> ignore
                    let keys = Key.split 2 key
                    let draw key = cell.Initialize options.Settings key shape[1] units
                    { Forward = draw keys[0]; Backward = draw keys[1] }
            OutputShape = outputShape name options width
            Apply =
                fun phase p x ->
                    let running = running options phase x

                    if options.ReturnSequences then
                        asMade options (Recurrent.bidirectional merge cell running p x), p
                    else
                        Recurrent.bidirectionalLast merge cell running p x, p
        }
