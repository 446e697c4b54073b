/// Loops by rows: whether the body of a loop treats the examples of a batch (the places along the first axis of all that
/// moves through it) each by itself, and the same body for fewer of them. Such a loop can be run in parts, one for each
/// thread, without waiting in any step; every row is computed as before, so the bits are the same however it is cut.
[<RequireQualifiedAccess>]
module internal Functional.Rewrites.Rows

open System.Collections.Generic
open Functional
open Functional.Operations

/// Which values have the batch as their first axis; the others are the same for all rows.
type Division = { Batch: int; ByRow: bool[] }

let private untouched (axes: int[]) = not (Array.contains 0 axes)

/// What an operation at least one of whose operands is cut into rows does: whether each row of the result depends on
/// that row of the operands alone. `rows v` says that an operand is cut, `require v` demands it.
let separates (g: Graph) (rows: int -> bool) (require: int -> unit) (op: Op) (a: int) (b: int) (c: int) (y: int) =
    let shape v = g.Specs[v].Shape
    let rank v = (shape v).Length

    /// Operands that broadcast: aligned with the result, and whole rows of it.
    let aligned () =
        [ a; b; c ]
        |> List.forall (fun v ->
            v < 0
            || (if rows v then
                    rank v = rank y
                else
                    (if rank v = rank y && (shape v)[0] > 1 then
                         require v

                     true)))

    let same () =
        for v in [ a; b; c ] do
            if v >= 0 && not (rows v) then
                require v

        true

    let only v others = rows v && List.forall (fun o -> o < 0 || not (rows o)) others

    match op with
    | Unary _
    | Binary _
    | Compare _
    | Select
    | Cast _
    | StopGradient -> aligned ()
    | AddScaled _ -> same ()
    | MatMul(transA, _) ->
        if rank a > 2 && rank b > 2 then same () && rank a = rank b
        elif rank a = 2 then only a [ b ] && rank b = 2 && not transA
        else only a [ b ] && rank b = 2
    | Dense -> only a [ b; c ]
    | Conv _
    | ConvBias _
    | ConvInput _ -> only a [ b; c ]
    | ConvKernel _ -> false
    | MaxPool _ -> true
    | MaxPoolPick _
    | MaxPoolPlace _ -> same ()
    | SumProduct(axes, _) -> untouched axes && same ()
    | Reduce(_, axes, _) -> untouched axes
    | ArgReduce(_, axis)
    | Cumulate(_, axis, _)
    | Softmax axis
    | ArgSort(axis, _, _) -> axis <> 0
    | SoftmaxScale axis -> axis <> 0 && same ()
    | Broadcast _ -> rank a = rank y
    | Reshape s -> s.Length > 0 && s[0] = (shape a)[0]
    | Transpose p -> p[0] = 0
    | Slice(starts, lengths, steps) -> starts[0] = 0 && steps[0] = 1 && lengths[0] = (shape a)[0]
    | Pad(low, high, interior) -> low[0] = 0 && high[0] = 0 && interior[0] = 0
    | Reverse axes -> untouched axes
    // what is looked up by the batch's indices, or the batch's rows by common ones
    | Gather axis -> (axis = 0 && only b [ a ]) || (axis > 0 && only a [ b ])
    | GatherAlong axis -> axis <> 0 && same ()
    | ScatterAlong(axis, _) -> axis <> 0 && same ()
    | ScatterAdd _ -> false
    | Random _ -> false

let separatesMany (rows: int -> bool) (require: int -> unit) (op: ManyOp) (arguments: int[]) =
    match op with
    | Concat axis ->
        for v in arguments do
            if not (rows v) then
                require v

        axis <> 0
    | Split(axis, _) -> axis <> 0
    | Linear _
    | Scan _
    | Cond _
    | While _
    | Call _
    | Custom _ -> false

/// What comes of cutting some values.
[<Struct>]
type private Attempt =
    | Divided of Division
    /// This value has to be cut as well.
    | Lacks of value: int
    | Impossible

let private batchOf (g: Graph) v = if g.Specs[v].Shape.Length = 0 then -1 else g.Specs[v].Shape[0]

/// Cuts what moves and those of the constants and of what is made of them that are wanted, as far as that goes.
let private attempt (g: Graph) (constants: int) (batch: int) (wanted: HashSet<int>) : Attempt =
    let firsts = Graphs.firsts g
    let byRow = Array.init g.Specs.Length (fun v -> v < g.Inputs && (v >= constants || wanted.Contains v))
    let lacking = List<int>()

    let separates k =
        let y = firsts[k]
        let cut = Graphs.arguments g.Instructions[k] |> Array.exists (fun v -> byRow[v])

        let isSeparate =
            match g.Instructions[k] with
            | Constant _ -> not (wanted.Contains y)
            | Apply(Broadcast s, a, _, _) when not cut && wanted.Contains y ->
                byRow[y] <- true
                g.Specs[a].Shape.Length < s.Length || g.Specs[a].Shape[0] = 1
            | Apply(op, a, b, c) when cut -> separates g (fun v -> byRow[v]) lacking.Add op a b c y
            | ApplyMany(op, arguments, _) when cut -> separatesMany (fun v -> byRow[v]) lacking.Add op arguments
            | Apply _
            | ApplyMany _ -> not (wanted.Contains y)

        if cut then
            for r in Graphs.made g firsts k do
                byRow[r] <- true

        isSeparate && lacking.Count = 0

    let isSeparate = Seq.forall separates (seq { 0 .. firsts.Length - 1 })

    if isSeparate then
        lacking.AddRange(g.Outputs |> Seq.filter (fun v -> not byRow[v]))

    if lacking.Count > 0 then
        if batchOf g lacking[0] = batch then Lacks lacking[0] else Impossible
    elif
        isSeparate
        && Seq.forall (fun v -> not byRow[v] || batchOf g v = batch) (seq { 0 .. byRow.Length - 1 })
    then
        Divided { Batch = batch; ByRow = byRow }
    else
        Impossible

/// The body of a loop cut by rows, where that is possible: all that moves has the batch as its first axis, and all that
/// comes out of it, too.
let divide (g: Graph) (constants: int) : Division option =
    match [| constants .. g.Inputs - 1 |] |> Array.map (batchOf g) |> Array.distinct with
    | [| batch |] when batch > 1 ->
        let wanted = HashSet<int>()

        let rec search () =
            match attempt g constants batch wanted with
            | Divided found -> Some found
            | Lacks v when wanted.Add v -> search ()
            | Lacks _
            | Impossible -> None

        search ()
    | _ -> None

/// The body for fewer rows.
let narrow (g: Graph) (division: Division) (rows: int) : Graph =
    let firsts = Graphs.firsts g

    let specs =
        g.Specs
        |> Array.mapi (fun v s ->
            if division.ByRow[v] then
                { s with Shape = Shape.withAxis 0 rows s.Shape }
            else
                s)

    let instructions =
        g.Instructions
        |> Array.mapi (fun k instruction ->
            match instruction with
            | Apply(op, a, b, c) when division.ByRow[firsts[k]] -> Apply(Facts.withRows rows op, a, b, c)
            | Apply _
            | ApplyMany _
            | Constant _ -> instruction)

    Graph(g.Inputs, instructions, specs, g.Outputs)

/// The operand whose rows a product or a convolution goes by, which is where the arithmetic is.
let leading (g: Graph) (instruction: Instruction) : int voption =
    match instruction with
    | Apply(MatMul(false, _), a, _, _)
    | Apply((Dense | Conv _ | ConvBias _ | ConvInput _), a, _, _) when g.Specs[a].Shape.Length >= 2 -> ValueSome a
    | Apply _
    | ApplyMany _
    | Constant _ -> ValueNone

/// About how long an instruction takes, in nanoseconds: enough to tell what is worth sharing. `y` is its first result.
let costOf (g: Graph) (instruction: Instruction) (y: int) : float =
    let size v = float (Shape.size g.Specs[v].Shape)

    match instruction with
    | Constant _
    | Apply(Reshape _, _, _, _) -> 0.0
    | Apply(MatMul(transA, _), a, _, _) ->
        let shape = g.Specs[a].Shape
        size y * float shape[shape.Length - (if transA then 2 else 1)] / 50.0
    | Apply(Dense, a, _, _) -> size y * float (Array.last g.Specs[a].Shape) / 50.0
    | Apply(Conv c, _, w, _)
    | Apply(ConvBias c, _, w, _)
    | Apply(ConvInput(c, _), _, w, _) -> size y * size w / float (Array.last g.Specs[w].Shape) / 50.0
    | Apply _
    | ApplyMany _ -> size y / 4.0

/// The same of a graph.
let cost (g: Graph) : float = Array.map2 (costOf g) g.Instructions (Graphs.firsts g) |> Array.sum
