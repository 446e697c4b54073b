namespace Functional

// Recurrent layers as layer values, for sequential models: blocks that take a mask from what stands for padding.

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
            invalidShape "mask" $"a sequence has axes [batch, time, features], the input is {x.Shape}"

        maxOver [ 2 ] (notEqual x (host x padding))

    let private maskOf (options: RecurrentLayerOptions) (x: Tensor) =
        options.Padding |> Option.map (fun padding -> mask padding x)

    let private ofBlock (options: RecurrentLayerOptions) (block: Block<'P>) : Layer<'P> = {
        Block.toLayer block with
            Apply =
                fun phase p x ->
                    let outputs, p = block.Apply phase p [| { Value = x; Mask = maskOf options x } |]
                    outputs[0].Value, p
    }

    /// A layer that runs sequences [time, features] through a cell.
    /// Example: `RecurrentLayer.ofCell Lstm.cell { RecurrentLayer.defaults with ReturnSequences = true } 128`.
    let ofCell (cell: Cell<'P, 'S>) (options: RecurrentLayerOptions) (units: int) : Layer<'P> =
        RecurrentBlock.ofCell cell options false units |> ofBlock options

    /// A layer of several cells on top of each other, from the lowest to the highest, with so many units each. Padding is
    /// left out by all of them. Example: `RecurrentLayer.stacked Lstm.cell RecurrentLayer.defaults [ 128; 64 ]`.
    let stacked (cell: Cell<'P, 'S>) (options: RecurrentLayerOptions) (units: int list) : Layer<'P list> =
        let name = $"stacked {cell.Name}"

        if units.IsEmpty then
            invalidArg "units" $"{name}: there are no cells; give the units of each"

        let sizes = String.concat ", " (List.map string units)

        let initialize key (shape: int[]) =
            let features = RecurrentBlock.features name shape
            let keys = Key.split units.Length key

            List.map3
                (cell.Initialize options.Settings)
                (List.ofArray keys)
                (features :: List.truncate (units.Length - 1) units)
                units

        Layer.create $"{name} {sizes}" initialize (fun phase ps x ->
            let y, last =
                Recurrent.runStacked cell (RecurrentBlock.running options phase (maskOf options x)) None ps x

            (if options.ReturnSequences then
                 RecurrentBlock.asMade options y
             else
                 cell.Output(List.last last)),
            ps)

    /// A layer that runs sequences through two cells, from the beginning and from the end, and merges what they give.
    let bidirectional
        (merge: BidirectionalMerge)
        (cell: Cell<'P, 'S>)
        (options: RecurrentLayerOptions)
        (units: int)
        : Layer<Bidirectional<'P>> =
        RecurrentBlock.bidirectional (RecurrentBlock.Directions.Merged merge) cell options false units
        |> ofBlock options
