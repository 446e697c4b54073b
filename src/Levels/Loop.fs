/// How a scan is recorded: the body is linearised once; its pullback runs as a scan from the other end. Gradients of
/// what is constant in the loop that are sums of products over the steps become one product after it.
module internal Functional.Levels.Loop

open Functional
open Functional.Operations
open Functional.Tracing

let private zeros (s: Spec) = Tensor.full s.DType s.Shape 0.0

/// A constant's gradient in one step, as something to be stacked and worked off after the loop.
type private Deferred =
    /// aᵀ·b of values of the backward graph: over all steps, one product of what is stacked.
    | Product of a: int * b: int
    /// Σ over the rows of a value.
    | Rows of x: int
    | Both of Deferred * Deferred

let private deferred (g: Graph) : int -> Deferred option =
    let firsts = Graphs.firsts g
    let maker = System.Collections.Generic.Dictionary<int, Op * int * int>()

    g.Instructions
    |> Array.iteri (fun k instruction ->
        match instruction with
        | Apply(op, a, b, _) -> maker[firsts[k]] <- (op, a, b)
        | Constant _
        | ApplyMany _ -> ())

    /// Whether an inner loop has stacked a value already: its steps are many rows as it is, and to stack those of the
    /// outer loop, too, would keep what a checkpointed loop is there not to keep.
    let isStacked v =
        match maker.TryGetValue v with
        | true, (Reshape _, x, _) -> x >= g.Inputs && not (maker.ContainsKey x)
        | _ -> false

    let isMatrix v = g.Specs[v].Shape.Length = 2 && not (isStacked v)

    let rec look v =
        match maker.TryGetValue v with
        | true, (MatMul(true, false), a, b) when isMatrix a && isMatrix b -> Some(Product(a, b))
        | true, (Reduce(Reduction.Sum, [| 0 |], _), x, _) when isMatrix x -> Some(Rows x)
        | true, (Reshape _, x, _) ->
            match maker.TryGetValue x with
            | true, (Reduce(Reduction.Sum, [| 0 |], _), x, _) when isMatrix x -> Some(Rows x)
            | _ -> None
        | true, (Binary Functional.Binary.Add, a, b) -> Option.map2 (fun p q -> Both(p, q)) (look a) (look b)
        | _ -> None

    look

let rec private operands deferred =
    match deferred with
    | Product(a, b) -> [ a; b ]
    | Rows x -> [ x ]
    | Both(p, q) -> operands p @ operands q

/// The gradient from what was stacked over the steps.
let rec private settle (stacked: int -> Tensor) (shape: int[]) deferred : Tensor =
    let flat v =
        let x = stacked v
        reshape [ x.Shape[0] * x.Shape[1]; x.Shape[2] ] x

    match deferred with
    | Product(a, b) -> Tensor.Bind(Prim.matmul true false, flat a, flat b)
    | Rows x -> flat x |> sumOver [ 0 ] |> reshape shape
    | Both(p, q) -> settle stacked shape p + settle stacked shape q

let record (recordMany: Linearize.Record) (l: RecordLevel) (s: Scan) (xs: Tensor[]) (ns: Node[]) : Tensor[] =
    let nc, nk, results = s.Constants, s.Carry, s.Body.Outputs.Length
    let firstX = nc + nk
    let active = ns |> Array.map (isNull >> not) |> Dependence.carried s.Body nc nk
    let lin = Linearize.graph recordMany s.Body active

    // forward: the residuals that change from step to step are stacked; carries come in through the body's inputs
    let changing = [|
        for r in lin.Residuals do
            match r with
            | OfInput i when i < nc || i >= firstX -> ()
            | OfInput _
            | Computed _ -> r
    |]

    let forward =
        let f = lin.Forward

        let extra =
            changing
            |> Array.map (function
                | OfInput i -> i
                | Computed k -> f.Outputs[results + k])

        Graph(f.Inputs, f.Instructions, f.Specs, Array.append (Array.take results f.Outputs) extra)

    let all = Tensor.Bind(Scan { s with Body = forward }, xs)
    let outs, stacked = Array.splitAt results all

    // what the backward body reads: constants as they are, places of what is stacked
    let isConstant r =
        match r with
        | OfInput i -> i < nc
        | Computed _ -> false

    let constants = lin.Residuals |> Array.filter isConstant
    let moving = lin.Residuals |> Array.filter (isConstant >> not)

    let source r =
        match r with
        | OfInput i when i < nc || i >= firstX -> xs[i]
        | _ -> stacked[System.Array.IndexOf(changing, r)]

    let specs = s.Body.OutputSpecs
    let floatCarry = lin.Floats |> Array.filter (fun i -> i < nk)
    let floatYs = lin.Floats |> Array.filter (fun i -> i >= nk)
    let gradientOf i = System.Array.IndexOf(lin.Gradients, i)
    let look = deferred lin.Backward
    let gradientValue i = lin.Backward.Outputs[gradientOf i]

    let wanted = [|
        for i in 0 .. nc - 1 do
            if not (isNull ns[i]) && gradientOf i >= 0 then
                i
    |]

    let later = wanted |> Array.choose (fun i -> look (gradientValue i) |> Option.map (fun d -> i, d))
    let summed = wanted |> Array.filter (fun i -> not (later |> Array.exists (fun (j, _) -> i = j)))

    let wantedXs = [|
        for i in firstX .. xs.Length - 1 do
            if not (isNull ns[i]) && gradientOf i >= 0 then
                i
    |]

    /// What is stacked anyway: a residual, or the gradient of a sequence.
    let residualAt v =
        if v < lin.Residuals.Length then
            System.Array.IndexOf(moving, lin.Residuals[v])
        else
            -1

    let sequenceAt v = wantedXs |> Array.tryFindIndex (fun i -> gradientValue i = v)

    let values =
        later
        |> Array.collect (snd >> operands >> Array.ofList)
        |> Array.distinct
        |> Array.filter (fun v -> residualAt v < 0 && (sequenceAt v).IsNone)

    let inputSpecs = s.Body.InputSpecs

    let placeOf (t: Tensor) : Spec = { Shape = t.Shape[1..]; DType = t.DType }

    let backwardInputs =
        Array.concat [
            constants |> Array.map (source >> Tensor.specOf)
            floatCarry |> Array.map (fun i -> specs[i])
            summed |> Array.map (fun i -> inputSpecs[i])
            floatYs |> Array.map (fun i -> specs[i])
            moving |> Array.map (source >> placeOf)
        ]

    let body =
        Trace.graph backwardInputs (fun v ->
            let cut n (v: Tensor[]) = Array.splitAt n v
            let fixedNow, v = cut constants.Length v
            let dCarry, v = cut floatCarry.Length v
            let sums, v = cut summed.Length v
            let dYs, movingNow = cut floatYs.Length v

            let residuals =
                lin.Residuals
                |> Array.map (fun r ->
                    if isConstant r then
                        fixedNow[System.Array.IndexOf(constants, r)]
                    else
                        movingNow[System.Array.IndexOf(moving, r)])

            // gradients, and what is deferred, as further outputs
            let b = lin.Backward
            let graph = Graph(b.Inputs, b.Instructions, b.Specs, Array.append b.Outputs values)

            let found, deferredNow =
                Trace.replay graph (Array.concat [ residuals; dCarry; dYs ]) |> Array.splitAt b.Outputs.Length

            let gradient i =
                match gradientOf i with
                | -1 -> zeros inputSpecs[i]
                | k -> found[k]

            Array.concat [
                floatCarry |> Array.map (fun i -> gradient (nc + i))
                Array.map2 (fun sum i -> sum + gradient i) sums summed
                wantedXs |> Array.map gradient
                deferredNow
            ])

    l.Many(
        outs,
        fun id -> {
            new ManyNode(id,
                         ns,
                         Array.append (Array.map source constants) (Array.map source moving),
                         Array.map Tensor.specOf outs) with
                member node.Pull(residuals, cts) =
                    let fixedNow, movingNow = Array.splitAt constants.Length residuals
                    let ct i = if isNull cts[i] then zeros node.Results[i] else cts[i]

                    let loop = {
                        Body = body
                        Constants = constants.Length
                        Carry = floatCarry.Length + summed.Length
                        Length = s.Length
                        FromEnd = not s.FromEnd
                    }

                    let found =
                        Tensor.Bind(
                            Scan loop,
                            Array.concat [
                                fixedNow
                                Array.map ct floatCarry
                                summed |> Array.map (fun i -> zeros inputSpecs[i])
                                Array.map ct floatYs
                                movingNow
                            ]
                        )

                    let carried, rest = Array.splitAt floatCarry.Length found
                    let sums, rest = Array.splitAt summed.Length rest
                    let dXs, stackedNow = Array.splitAt wantedXs.Length rest
                    let all = Array.zeroCreate node.Parents.Length
                    floatCarry |> Array.iteri (fun k i -> all[nc + i] <- carried[k])
                    summed |> Array.iteri (fun k i -> all[i] <- sums[k])
                    wantedXs |> Array.iteri (fun k i -> all[i] <- dXs[k])

                    let stackedOf v =
                        match residualAt v, sequenceAt v with
                        | -1, None -> stackedNow[System.Array.IndexOf(values, v)]
                        | -1, Some k -> dXs[k]
                        | k, _ -> movingNow[k]

                    for i, d in later do
                        all[i] <- settle stackedOf inputSpecs[i].Shape d

                    all
        }
    )
