namespace Functional

// Loops over a recurrent cell: sequences [batch, time, features] in, sequences or last states out.

/// How a sequence is run through a recurrent cell.
type RecurrentOptions = {
    /// Whether it is read from its end. Outputs stay at the places of their inputs.
    FromEnd: bool
    /// Bool [batch, time]: where false, the step is left out, the state stays as it is, and nothing flows back.
    Mask: Tensor option
    /// While learning, the fraction of input features dropped, the same ones at every step, and the fraction of the
    /// state's that meet the recurrent kernel: Gal and Ghahramani, "A theoretically grounded application of dropout in
    /// recurrent neural networks" (2016).
    Dropout: float
    RecurrentDropout: float
    Phase: Phase
}

/// How the outputs of the two directions become one.
[<RequireQualifiedAccess>]
type BidirectionalMerge =
    /// Side by side: twice as many features.
    | Concat
    | Sum
    | Multiply
    | Average

[<AutoOpen>]
module BidirectionalParameters =

    /// Parameters of a cell that reads forwards and one that reads backwards.
    type Bidirectional<'P> = { Forward: 'P; Backward: 'P }

[<RequireQualifiedAccess>]
module Recurrent =

    /// From the first step to the last, all of them, without dropout.
    let defaults: RecurrentOptions = {
        FromEnd = false
        Mask = None
        Dropout = 0.0
        RecurrentDropout = 0.0
        Phase = Inference
    }

    let private check (cell: Cell<'P, 'S>) (options: RecurrentOptions) (p: 'P) (x: Tensor) =
        if x.Rank <> 3 then
            invalidShape cell.Name $"a sequence has axes [batch, time, features], the input is {x.Shape}"

        if x.Shape[2] <> cell.Inputs p then
            invalidShape
                cell.Name
                $"the input has {x.Shape[2]} features, the kernel expects {cell.Inputs p} (input {x.Shape})"

        if x.Shape[1] = 0 then
            invalidShape cell.Name $"the sequences have no steps (input {x.Shape}); there must be at least one"

        match options.Mask with
        | Some mask when mask.DType <> DType.Bool || not (Shape.same mask.Shape x.Shape[..1]) ->
            invalidShape
                cell.Name
                $"a mask is Bool [batch, time] = {x.Shape[..1]} for the input {x.Shape}; it is {mask.DType} {mask.Shape}"
        | _ -> ()

        for name, rate in [ "dropout", options.Dropout; "recurrent dropout", options.RecurrentDropout ] do
            if not (rate >= 0.0 && rate < 1.0) then
                invalidArg "dropout" $"{cell.Name}: the fraction of {name} lies in [0, 1); {rate} was given"

    let private checkState (cell: Cell<'P, 'S>) (p: 'P) (batch: int) (state: 'S) =
        Array.iter2
            (fun (expected: Tensor) (given: Tensor) ->
                if not (Shape.same expected.Shape given.Shape) || expected.DType <> given.DType then
                    invalidShape
                        cell.Name
                        $"the initial state is {expected.DType} {expected.Shape} for {batch} examples, not {given.DType} {given.Shape}")
            (Tree.leaves (cell.Start p batch))
            (Tree.leaves state)

    /// Zeros, and ones scaled up so that the expected sum stays the same.
    let private dropped (rate: float) (dtype: DType) (shape: int seq) (key: Tensor) =
        cast dtype (Random.bernoulli (1.0 - rate) shape key) * (1.0 / (1.0 - rate))

    let private swapTime (x: Tensor) = permute (Seq.append [ 1; 0 ] (seq { 2 .. x.Rank - 1 })) x

    /// The loop: per step the output, or nothing.
    let private loop
        (collect: 'S -> 'Y)
        (cell: Cell<'P, 'S>)
        (options: RecurrentOptions)
        (start: 'S option)
        (p: 'P)
        (x: Tensor)
        : 'S * 'Y =
        check cell options p x
        let batch = x.Shape[0]
        let start = defaultArg start (cell.Start p batch)
        checkState cell p batch start
        let units = cell.Units p
        let phases = Phase.split 2 options.Phase

        // padding may hold anything, NaN too: it is not looked at
        let x =
            match options.Mask with
            | Some mask -> where (expandDims 2 mask) x (host x 0.0)
            | None -> x

        let x =
            match phases[0] with
            | Training key when options.Dropout > 0.0 ->
                x * dropped options.Dropout x.DType [ batch; 1; x.Shape[2] ] key
            | _ -> x

        let keep =
            match phases[1] with
            | Training key when options.RecurrentDropout > 0.0 ->
                let mask = dropped options.RecurrentDropout x.DType [ batch; units ] key
                fun (h: Tensor) -> h * mask
            | _ -> id

        let step = cell.Step p keep
        let projected = cell.Project p (swapTime x)
        let scan body xs = if options.FromEnd then scanBack body start xs else scan body start xs

        match options.Mask with
        | None ->
            projected
            |> scan (fun state x ->
                let next = step state x
                next, collect next)
        | Some mask ->
            (projected, expandDims 2 (swapTime mask))
            |> scan (fun state (x, present) ->
                let next = Tree.map2 (where present) (step state x) state
                next, collect next)

    /// The outputs of all steps [batch, time, units], and the last state. The initial state is zeros if none is given.
    /// Example: `Recurrent.run Lstm.cell Recurrent.defaults None net.Encoder x`.
    let run (cell: Cell<'P, 'S>) (options: RecurrentOptions) (start: 'S option) (p: 'P) (x: Tensor) : Tensor * 'S =
        let state, outputs = loop cell.Output cell options start p x
        swapTime outputs, state

    /// The last state alone: what an encoder hands on. Cheaper than `run`, since no step's output is kept for itself.
    let finish (cell: Cell<'P, 'S>) (options: RecurrentOptions) (start: 'S option) (p: 'P) (x: Tensor) : 'S =
        fst (loop ignore cell options start p x)

    /// The outputs of all steps: [batch, time, features] gives [batch, time, units].
    let outputs (cell: Cell<'P, 'S>) (options: RecurrentOptions) (p: 'P) (x: Tensor) : Tensor =
        fst (run cell options None p x)

    /// The last output: [batch, time, features] gives [batch, units].
    let last (cell: Cell<'P, 'S>) (options: RecurrentOptions) (p: 'P) (x: Tensor) : Tensor =
        cell.Output(finish cell options None p x)

    /// One step: the state after inputs [batch, features]. What a decoder does for every token.
    let step (cell: Cell<'P, 'S>) (p: 'P) (state: 'S) (x: Tensor) : 'S =
        if x.Rank <> 2 || x.Shape[1] <> cell.Inputs p then
            invalidShape cell.Name $"one step reads [batch, {cell.Inputs p}], the input is {x.Shape}"

        checkState cell p x.Shape[0] state
        cell.Step p id state (cell.Project p x)

    let private parts (options: RecurrentOptions) (count: int) =
        Phase.split count options.Phase |> Array.map (fun phase -> { options with Phase = phase })

    /// Several cells of a kind on top of each other, each reading the outputs of the one below; all leave out the steps
    /// that are masked. The outputs of the last, and the last state of each; the initial states are zeros if none are given.
    let runStacked
        (cell: Cell<'P, 'S>)
        (options: RecurrentOptions)
        (starts: 'S list option)
        (layers: 'P list)
        (x: Tensor)
        : Tensor * 'S list =
        let starts =
            match starts with
            | None -> layers |> List.map (fun _ -> None)
            | Some given when given.Length = layers.Length -> List.map Some given
            | Some given ->
                invalidArg "starts" $"{cell.Name}: {given.Length} initial states for {layers.Length} cells in a stack"

        let mutable y = x

        let last =
            List.map3
                (fun options start p ->
                    let outputs, last = run cell options start p y
                    y <- outputs
                    last)
                (List.ofArray (parts options layers.Length))
                starts
                layers

        y, last

    /// The outputs of the last of several cells of a kind on top of each other: [batch, time, features] gives
    /// [batch, time, units].
    let stacked (cell: Cell<'P, 'S>) (options: RecurrentOptions) (layers: 'P list) (x: Tensor) : Tensor =
        fst (runStacked cell options None layers x)

    /// The outputs of two directions as one.
    let merge (how: BidirectionalMerge) (forward: Tensor) (backward: Tensor) : Tensor =
        match how with
        | BidirectionalMerge.Concat -> concat -1 [ forward; backward ]
        | BidirectionalMerge.Sum -> forward + backward
        | BidirectionalMerge.Multiply -> forward * backward
        | BidirectionalMerge.Average -> (forward + backward) * 0.5

    /// The options of the two directions.
    let private directions (options: RecurrentOptions) =
        let both = parts options 2
        struct (both[0], { both[1] with FromEnd = not options.FromEnd })

    /// A cell that reads from the beginning and one that reads from the end: the outputs of all steps and the last state of
    /// each. Initial states are zeros if none are given.
    let runBidirectional
        (cell: Cell<'P, 'S>)
        (options: RecurrentOptions)
        (starts: Bidirectional<'S> option)
        (p: Bidirectional<'P>)
        (x: Tensor)
        : Bidirectional<Tensor> * Bidirectional<'S> =
        let struct (forward, backward) = directions options
        let y, last = run cell forward (starts |> Option.map _.Forward) p.Forward x
        let z, first = run cell backward (starts |> Option.map _.Backward) p.Backward x
        { Forward = y; Backward = z }, { Forward = last; Backward = first }

    /// The outputs of all steps of a cell that reads from the beginning, merged with those of one that reads from the end.
    /// Schuster and Paliwal, "Bidirectional recurrent neural networks" (1997).
    let bidirectional
        (how: BidirectionalMerge)
        (cell: Cell<'P, 'S>)
        (options: RecurrentOptions)
        (p: Bidirectional<'P>)
        (x: Tensor)
        : Tensor =
        let outputs, _ = runBidirectional cell options None p x
        merge how outputs.Forward outputs.Backward

    /// As `bidirectional`, of the last output of both: [batch, units] merged.
    let bidirectionalLast
        (how: BidirectionalMerge)
        (cell: Cell<'P, 'S>)
        (options: RecurrentOptions)
        (p: Bidirectional<'P>)
        (x: Tensor)
        : Tensor =
        let struct (forward, backward) = directions options
        merge how (last cell forward p.Forward x) (last cell backward p.Backward x)

[<AutoOpen>]
module RecurrentFunctions =

    /// The outputs of all steps of a plain recurrent layer. Example: `simpleRnn Recurrent.defaults net.Hidden x`.
    let simpleRnn (options: RecurrentOptions) (p: SimpleRnn) (x: Tensor) : Tensor =
        Recurrent.outputs SimpleRnn.cell options p x

    /// The outputs of all steps of an LSTM layer. Example: `lstm { Recurrent.defaults with Mask = Some mask } net.Encoder x`.
    let lstm (options: RecurrentOptions) (p: Lstm) (x: Tensor) : Tensor = Recurrent.outputs Lstm.cell options p x

    /// The outputs of all steps of a GRU layer, the reset before the product.
    let gru (options: RecurrentOptions) (p: Gru) (x: Tensor) : Tensor = Recurrent.outputs Gru.cell options p x
