namespace Functional

// Networks as graphs: blocks, and which output goes to which input. Layers in a row are the graph that is a chain.

/// A tensor in a network: an output of a call, or, of call −1, an input of the network.
[<Struct>]
type Source = { Call: int; Output: int }

/// A block at work on tensors made before. A block that is called twice uses the same parameters twice.
type Call = {
    Block: int
    Inputs: Source[]
    /// What runs with the block's parameters, where a call is not simply the block: attention that is causal here, for example.
    As: Block<obj> option
}

/// A network: its parameters are an array of those of its blocks, so leaves are called `[0].Weights`.
type Network = {
    Name: string
    Blocks: Block<obj>[]
    /// In an order in which every input has been made before.
    Calls: Call[]
    Outputs: Source[]
}

[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module Network =

    /// Blocks one after another, each with one input and one output.
    let chain (name: string) (blocks: Block<obj> seq) : Network =
        let blocks = Array.ofSeq blocks

        {
            Name = name
            Blocks = blocks
            Calls =
                Array.init blocks.Length (fun i -> {
                    Block = i
                    Inputs = [| { Call = i - 1; Output = 0 } |]
                    As = None
                })
            Outputs = [| { Call = blocks.Length - 1; Output = 0 } |]
        }

    /// What a call runs.
    let private called (network: Network) (call: Call) : Block<obj> = defaultArg call.As network.Blocks[call.Block]

    /// A block's error, with the network's name and the block's place.
    let private at (network: Network) (block: int) (shapes: int[][]) (f: unit -> 'T) : 'T =
        try
            f ()
        with :? System.ArgumentException as e ->
            let which =
                match shapes with
                | [| shape |] -> $"an input of shape {UnknownSize.show shape}"
                | several -> "inputs of shapes " + (several |> Seq.map UnknownSize.show |> String.concat ", ")

            let what = $"layer {block} ({network.Blocks[block].Name})"
            raise (System.ArgumentException($"{network.Name}: {what} cannot take {which}: {e.Message}", e))

    let private find (inputs: 'T[]) (made: 'T[][]) (source: Source) =
        if source.Call < 0 then
            inputs[source.Output]
        else
            made[source.Call][source.Output]

    /// Calls one by one: what each gives, from what it takes.
    let private run (network: Network) (inputs: 'T[]) (f: int -> Call -> 'T[] -> 'T[]) : 'T[][] =
        let made = Array.zeroCreate network.Calls.Length

        network.Calls
        |> Array.iteri (fun i call -> made[i] <- f i call (call.Inputs |> Array.map (find inputs made)))

        made

    /// A single example must fit into an array.
    let private requirePossible (shape: int[]) =
        shape
        |> Array.map (fun n -> if n = UnknownSize.Value then 1L else int64 n)
        |> Shape.ofSizes "example"
        |> ignore

    let private draw (block: Tensor -> obj) key (given: int[][]) =
        try
            block key
        with
        | :? System.ArgumentException
        | :? System.OverflowException when Array.exists UnknownSize.isIn given ->
            invalidArg
                "inputs"
                "its weights depend on a size that is not known (None); give the input a number for it, or make an end of that axis before this layer, as pooling over all steps does"

    /// For inputs of some shapes, without the batch axis: how the parameters of all blocks are drawn from a key, and the shapes
    /// that every call gives. A size may be `UnknownSize.Value`.
    let place (network: Network) (inputs: int[][]) : (Tensor -> obj[]) * int[][][] =
        Array.iter requirePossible inputs
        let draws: (Tensor -> obj)[] = Array.create network.Blocks.Length (fun _ -> null)
        let placed = Array.create network.Blocks.Length false

        let shapes =
            run network inputs (fun _ call given ->
                let block = call.Block

                at network block given (fun () ->
                    let first, outputs = (called network call).Place given
                    Array.iter requirePossible outputs

                    // a block that is called again has its parameters from the first call
                    if not placed[block] then
                        placed[block] <- true
                        draws[block] <- fun key -> at network block given (fun () -> draw first key given)

                    outputs))

        (fun key -> Array.map2 (fun draw key -> draw key) draws (Key.split network.Blocks.Length key)), shapes

    /// The shapes that every call gives, for inputs of some shapes.
    let shapes (network: Network) (inputs: int[][]) : int[][][] = snd (place network inputs)

    /// The shapes of the network's outputs.
    let outputShapes (network: Network) (inputs: int[][]) : int[][] =
        network.Outputs |> Array.map (find inputs (shapes network inputs))

    /// Parameters of all blocks, drawn from a key, for inputs of some shapes.
    let initialize (network: Network) (key: Tensor) (inputs: int[][]) : obj[] = fst (place network inputs) key

    /// The same as shapes and element types alone, for weights that will be read from a file: nothing is drawn, and no memory
    /// is taken, however large the layers say they are. The tensors have no numbers; `Checkpoint.load` gives them some.
    let outline (network: Network) (inputs: int[][]) : obj[] =
        let key: Functional.Operations.Spec = { Shape = Shape.scalar; DType = DType.Int64 }
        Functional.Tracing.Trace.outline [| key |] (fun keys -> initialize network keys[0] inputs)

    /// For every call, the calls whose outputs nobody reads after it.
    let private finished (network: Network) : int list[] =
        let last = Array.create network.Calls.Length -1

        network.Calls
        |> Array.iteri (fun i call ->
            for source in call.Inputs do
                if source.Call >= 0 then
                    last[source.Call] <- i)

        for source in network.Outputs do
            if source.Call >= 0 then
                last[source.Call] <- -1

        let after = Array.create network.Calls.Length []

        last
        |> Array.iteri (fun call i ->
            if i >= 0 then
                after[i] <- call :: after[i])

        after

    /// A function that computes the network's outputs with their masks, and the parameters with running statistics
    /// brought up to date (the same array where there are none).
    let apply (network: Network) : Phase -> obj[] -> Masked[] -> Masked[] * obj[] =
        let finished = finished network

        fun phase parameters inputs ->
            if parameters.Length <> network.Blocks.Length then
                invalidArg
                    "parameters"
                    $"{network.Name}: parameters of {parameters.Length} layers for a model of {network.Blocks.Length}"

            let phases = Phase.split network.Calls.Length phase
            let updated = Array.copy parameters
            let made: Masked[][] = Array.zeroCreate network.Calls.Length

            network.Calls
            |> Array.iteri (fun i call ->
                let given = call.Inputs |> Array.map (find inputs made)

                let outputs, p =
                    at network call.Block (given |> Array.map _.Value.Shape) (fun () ->
                        (called network call).Apply phases[i] updated[call.Block] given)

                made[i] <- outputs
                updated[call.Block] <- p

                for call in finished[i] do
                    made[call] <- null)

            let same = Array.forall2 (fun (a: obj) (b: obj) -> obj.ReferenceEquals(a, b)) updated parameters
            network.Outputs |> Array.map (find inputs made), (if same then parameters else updated)

    /// A network of one input and one output as a layer, which knows no masks.
    let toLayer (network: Network) : Layer<obj[]> =
        if network.Outputs.Length <> 1 then
            invalidArg "network" $"{network.Name}: a layer has one output, the network has {network.Outputs.Length}"

        let apply = apply network

        {
            Name = network.Name
            Place =
                fun shape ->
                    let draw, shapes = place network [| shape |]
                    draw, find [| shape |] shapes network.Outputs[0]
            Apply =
                fun phase parameters x ->
                    let outputs, parameters = apply phase parameters [| Masked.ofTensor x |]
                    outputs[0].Value, parameters
        }
