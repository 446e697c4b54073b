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

/// The forward half of a loop's body with some residuals as further results, to be stacked.
let private keeping (results: int) (lin: Linearized) (kept: Residual[]) : Graph =
    let f = lin.Forward

    let extra =
        kept
        |> Array.map (function
            | OfInput i -> i
            | Computed k -> f.Outputs[results + k])

    Graph(f.Inputs, f.Instructions, f.Specs, Array.append (Array.take results f.Outputs) extra)

/// The way back through a loop: a loop from the other end, over the body's backward half. Inputs and results of the body
/// go by their numbers here, `sourceOf` gives a residual's tensor in the whole loop.
[<Sealed>]
type private Pullback(s: Scan, lin: Linearized, isActive: int -> bool, sourceOf: Residual -> Tensor) =
    let backward = lin.Backward
    let inputSpecs, resultSpecs = s.Body.InputSpecs, s.Body.OutputSpecs
    let gradientOf i = System.Array.IndexOf(lin.Gradients, i)

    // what the body reads: constants as they are, places of what is stacked
    let constants, moving =
        lin.Residuals
        |> Array.partition (function
            | OfInput i -> i < s.Constants
            | Computed _ -> false)

    let floatCarry, floatStacked = lin.Floats |> Array.partition (fun k -> k < s.Carry)

    let wanted =
        s.Inputs [| 0 .. s.Body.Inputs - 1 |] |> Sections.filter (fun i -> isActive i && gradientOf i >= 0)

    let look = deferred backward
    let gradientValue i = backward.Outputs[gradientOf i]

    /// The constants whose gradients are worked off after the loop, and those whose are summed step by step.
    let later =
        wanted.Constants |> Array.choose (fun i -> look (gradientValue i) |> Option.map (fun d -> i, d))

    let summed = wanted.Constants |> Array.except (Array.map fst later)

    /// What is stacked anyway: a residual, or the gradient of a sequence.
    let residualAt v =
        if v < lin.Residuals.Length then
            System.Array.IndexOf(moving, lin.Residuals[v])
        else
            -1

    let sequenceAt v = wanted.Stacked |> Array.tryFindIndex (fun i -> gradientValue i = v)

    /// What else has to be stacked for the gradients that come later.
    let values =
        later
        |> Array.collect (snd >> operands >> Array.ofList)
        |> Array.distinct
        |> Array.filter (fun v -> residualAt v < 0 && (sequenceAt v).IsNone)

    let placeOf (t: Tensor) : Spec = { Shape = t.Shape[1..]; DType = t.DType }

    let specs = {
        Constants = constants |> Array.map (sourceOf >> Tensor.specOf)
        Carry =
            Array.append (floatCarry |> Array.map (Array.get resultSpecs)) (summed |> Array.map (Array.get inputSpecs))
        Stacked =
            Array.append (floatStacked |> Array.map (Array.get resultSpecs)) (moving |> Array.map (sourceOf >> placeOf))
    }

    let body =
        Trace.graph (Sections.flat specs) (fun v ->
            let now = Sections.cut constants.Length specs.Carry.Length v
            let dCarry, sums = Array.splitAt floatCarry.Length now.Carry
            let dStacked, movingNow = Array.splitAt floatStacked.Length now.Stacked

            let residuals =
                lin.Residuals
                |> Array.map (fun r ->
                    match System.Array.IndexOf(constants, r) with
                    | -1 -> movingNow[System.Array.IndexOf(moving, r)]
                    | k -> now.Constants[k])

            // gradients, and what is deferred, as further outputs
            let graph =
                Graph(backward.Inputs, backward.Instructions, backward.Specs, Array.append backward.Outputs values)

            let found, deferredNow =
                Trace.replay graph (Array.concat [ residuals; dCarry; dStacked ])
                |> Array.splitAt backward.Outputs.Length

            let gradient i =
                match gradientOf i with
                | -1 -> zeros inputSpecs[i]
                | k -> found[k]

            Array.concat [
                floatCarry |> Array.map (fun k -> gradient (s.Constants + k))
                Array.map2 (fun sum i -> sum + gradient i) sums summed
                wanted.Stacked |> Array.map gradient
                deferredNow
            ])

    let loop = {
        Body = body
        Constants = constants.Length
        Carry = specs.Carry.Length
        Length = s.Length
        FromEnd = not s.FromEnd
    }

    /// The residuals in the order in which `Pull` takes them.
    member _.Residuals = Array.append constants moving

    /// The cotangents of the loop's inputs; `ct` gives those of its results.
    member _.Pull(residuals: Tensor[], ct: int -> Tensor) : Tensor[] =
        let constantsNow, movingNow = Array.splitAt constants.Length residuals

        let given = {
            Constants = constantsNow
            Carry = Array.append (Array.map ct floatCarry) (summed |> Array.map (fun i -> zeros inputSpecs[i]))
            Stacked = Array.append (Array.map ct floatStacked) movingNow
        }

        let found = loop.Results(Tensor.Bind(Scan loop, Sections.flat given))
        let dCarry, sums = Array.splitAt floatCarry.Length found.Carry
        let dStacked, stackedNow = Array.splitAt wanted.Stacked.Length found.Stacked
        let all = Array.zeroCreate inputSpecs.Length
        Array.iter2 (fun k d -> all[s.Constants + k] <- d) floatCarry dCarry
        Array.iter2 (fun i d -> all[i] <- d) summed sums
        Array.iter2 (fun i d -> all[i] <- d) wanted.Stacked dStacked

        let stackedOf v =
            match residualAt v, sequenceAt v with
            | -1, None -> stackedNow[System.Array.IndexOf(values, v)]
            | -1, Some k -> dStacked[k]
            | k, _ -> movingNow[k]

        for i, d in later do
            all[i] <- settle stackedOf inputSpecs[i].Shape d

        all

let record (recordMany: Linearize.Record) (l: RecordLevel) (s: Scan) (xs: Tensor[]) (ns: Node[]) : Tensor[] =
    let results = s.Body.Outputs.Length
    let active = ns |> Array.map (isNull >> not) |> Dependence.carried s.Body s.Constants s.Carry
    let lin = Linearize.graph recordMany s.Body active
    let isCarry i = i >= s.Constants && i < s.Constants + s.Carry

    // the residuals that change from step to step and are no input are stacked; carries come in through the body's inputs
    let kept =
        lin.Residuals
        |> Array.filter (function
            | OfInput i -> isCarry i
            | Computed _ -> true)

    let body = keeping results lin kept
    let outs, stacked = Tensor.Bind(Scan { s with Body = body }, xs) |> Array.splitAt results

    let sourceOf r =
        match r with
        | OfInput i when not (isCarry i) -> xs[i]
        | OfInput _
        | Computed _ -> stacked[System.Array.IndexOf(kept, r)]

    let pullback = Pullback(s, lin, (fun i -> not (isNull ns[i])), sourceOf)

    l.Many(
        outs,
        fun id -> {
            new ManyNode(id, ns, Array.map sourceOf pullback.Residuals, Array.map Tensor.specOf outs) with
                member node.Pull(residuals, cts) =
                    pullback.Pull(residuals, (fun i -> if isNull cts[i] then zeros node.Results[i] else cts[i]))
        }
    )
