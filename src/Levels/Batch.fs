namespace Functional.Levels

// Batching: an operation on one example becomes the operation on all of them. The batch axis is always the first of the
// value; it is moved only at the door.

open System.Runtime.CompilerServices
open Functional
open Functional.Operations
open Functional.Rules

/// One example standing for all: its shape is without the batch axis.
[<Sealed>]
type Batched(level: Level, value: Tensor) =
    inherit Tensor(level, value.Shape[1..], value.DType)
    member _.Value = value

/// A user's rule, applied to every example of a batch; so is its derivative.
[<Sealed>]
type internal BatchedReverseRule
    (rule: ReverseRule, over: (Tensor[] -> Tensor[]) -> bool[] -> Tensor[] -> Tensor[], mapped: bool[]) =
    inherit ReverseRule(rule.Name)
    override _.Apply inputs = over rule.Apply mapped inputs

    override _.Forward inputs =
        let results = ref 0

        let both (xs: Tensor[]) =
            let struct (ys, residuals) = rule.Forward xs
            results.Value <- ys.Length
            Array.append ys residuals

        let outs = over both mapped inputs
        struct (Array.take results.Value outs, Array.skip results.Value outs)

    override _.Backward(residuals, cts) =
        let backward (all: Tensor[]) =
            let residuals, cts = Array.splitAt residuals.Length all

            rule.Backward(residuals, cts)
            |> Array.mapi (fun i ct ->
                if isNull ct then
                    invalidOp $"{rule.Name}: under vmap every input needs a cotangent; number {i} is missing"
                else
                    ct)

        let all = Array.append residuals cts
        let gradients = over backward (Array.create all.Length true) all
        // an input shared by the whole batch collects from every example
        Array.map2 (fun (g: Tensor) each -> if each then g else sumOver [ 0 ] g) gradients mapped

/// A user's forward rule, applied to every example of a batch.
[<Sealed>]
type internal BatchedForwardRule
    (rule: ForwardRule, over: (Tensor[] -> Tensor[]) -> bool[] -> Tensor[] -> Tensor[], mapped: bool[]) =
    inherit ForwardRule(rule.Name)
    override _.Apply inputs = over rule.Apply mapped inputs

    override _.Tangents(inputs, results, tangents) =
        let present = tangents |> Array.map (isNull >> not)
        let n, m = inputs.Length, results.Length

        let each (all: Tensor[]) =
            let mutable next = n + m

            let ts =
                present
                |> Array.map (fun p ->
                    if p then
                        next <- next + 1
                        all[next - 1]
                    else
                        null)

            let outs = rule.Tangents(Array.take n all, all[n .. n + m - 1], ts)

            Array.map2
                (fun (t: Tensor) (y: Tensor) -> if isNull t then Tensor.zerosLike y else t)
                outs
                all[n .. n + m - 1]

        let given = tangents |> Array.filter (isNull >> not)

        let axes =
            Array.concat [
                mapped
                Array.create m true
                Array.map2 (&&) present mapped |> Array.zip present |> Array.filter fst |> Array.map snd
            ]

        over each axes (Array.concat [ inputs; results; given ])

/// The level of vmap.
[<Sealed>]
type BatchLevel(size: int) =
    inherit Level("vmap")

    member private l.Is(a: Tensor) = obj.ReferenceEquals(a.Level, l)
    member l.ValueOf(a: Tensor) = if l.Is a then Unsafe.As<Batched>(a).Value else a
    member _.Size = size

    /// The value with ones after the batch axis, so that operands of different rank broadcast as single examples do.
    member private l.Aligned(rank: int, a: Tensor) =
        let missing = rank - a.Rank

        if not (l.Is a) || missing <= 0 then
            l.ValueOf a
        else
            reshape (Array.concat [ [| size |]; Array.create missing 1; a.Shape ]) (l.ValueOf a)

    /// The value of every example, also where all share one.
    member l.Spread(a: Tensor) = if l.Is a then l.ValueOf a else broadcastTo (Array.append [| size |] a.Shape) a

    override l.Detach(operation, _) =
        invalidOp
            $"{operation}: under vmap a tensor stands for {size} examples and has no one value to read, so host `if` and `while` cannot depend on it; use where, cond, whileLoop or scan{UserCode.place ()}"

    override l.Process1(op, a) =
        l.Check()
        let v = l.ValueOf a
        let up = Array.map ((+) 1)
        let under first (xs: int[]) = Array.append [| first |] xs

        let y =
            match op with
            | Unary _
            | Cast _
            | StopGradient
            | Random _ -> Tensor.Bind(op, v)
            | Reduce(r, axes, keep) -> Tensor.Bind(Reduce(r, up axes, keep), v)
            | ArgReduce(r, axis) -> Tensor.Bind(ArgReduce(r, axis + 1), v)
            | Cumulate(c, axis, fromEnd) -> Tensor.Bind(Cumulate(c, axis + 1, fromEnd), v)
            | Softmax axis -> Tensor.Bind(Softmax(axis + 1), v)
            | Broadcast s -> Tensor.Bind(Broadcast(under size s), l.Aligned(s.Length, a))
            | Reshape s -> Tensor.Bind(Reshape(under size s), v)
            | Transpose p -> Tensor.Bind(Transpose(under 0 (up p)), v)
            | Slice(starts, lengths, steps) -> Tensor.Bind(Slice(under 0 starts, under size lengths, under 1 steps), v)
            | Pad(low, high, interior) -> Tensor.Bind(Pad(under 0 low, under 0 high, under 0 interior), v)
            | Reverse axes -> Tensor.Bind(Reverse(up axes), v)
            | ArgSort(axis, descending, count) -> Tensor.Bind(ArgSort(axis + 1, descending, count), v)
            | MaxPool _ -> BatchConvolution.images op size v
            | Binary _
            | Compare _
            | Select
            | AddScaled _
            | MatMul _
            | Dense
            | Conv _
            | ConvBias _
            | ConvInput _
            | ConvKernel _
            | MaxPoolPick _
            | MaxPoolPlace _
            | SumProduct _
            | SoftmaxScale _
            | Gather _
            | ScatterAdd _
            | GatherAlong _
            | ScatterAlong _ -> invalidOp $"internal: {Shapes.name op} has more than one input"

        Batched(l, y)

    member private l.MatMul(op, ta, a: Tensor, b: Tensor) =
        if not (l.Is b) && not ta && a.Rank = 2 && b.Rank = 2 then
            // one matrix for all: the batch joins the rows
            let v = l.ValueOf a
            let y = Tensor.Bind(op, reshape [ size * v.Shape[1]; v.Shape[2] ] v, b)
            reshape [ size; v.Shape[1]; y.Shape[1] ] y
        else
            let rank = max a.Rank b.Rank
            Tensor.Bind(op, l.Aligned(rank, a), l.Aligned(rank, b))

    /// Both array and index differ between examples: the index is spelled out for every place, so that each example's
    /// index is checked against its own axis.
    member private l.SpreadIndex(pre: int[], post: int[], index: Tensor) =
        let k = Shape.size index.Shape
        let ones (s: int[]) = Array.create s.Length 1

        l.Spread index
        |> reshape (Array.concat [ [| size |]; ones pre; [| k |]; ones post ])
        |> broadcastTo (Array.concat [ [| size |]; pre; [| k |]; post ])

    member private l.Gather(axis: int, a: Tensor, index: Tensor) =
        if not (l.Is index) then
            Tensor.Bind(Gather(axis + 1), l.ValueOf a, index)
        else
            let pre, post = a.Shape[.. axis - 1], a.Shape[axis + 1 ..]

            if not (l.Is a) then
                // the batch axis arrives where the index was; it goes to the front
                let y = Tensor.Bind(Gather axis, a, l.ValueOf index)
                permute (Array.concat [ [| axis |]; [| 0 .. axis - 1 |]; [| axis + 1 .. y.Rank - 1 |] ]) y
            else
                let places = l.SpreadIndex(pre, post, index)

                Tensor.Bind(GatherAlong(axis + 1), l.ValueOf a, places)
                |> reshape (Array.concat [ [| size |]; pre; index.Shape; post ])

    member private l.ScatterAdd(axis: int, n: int, updates: Tensor, index: Tensor) =
        if not (l.Is index) then
            Tensor.Bind(ScatterAdd(axis + 1, n), l.ValueOf updates, index)
        else
            let pre, post = updates.Shape[.. axis - 1], updates.Shape[axis + index.Rank ..]
            let places = l.SpreadIndex(pre, post, index)
            Tensor.Bind(ScatterAlong(axis + 1, n), reshape places.Shape (l.Spread updates), places)

    override l.Process2(op, a, b) =
        l.Check()
        let up = Array.map ((+) 1)

        let y =
            match op with
            | Binary _
            | Compare _ ->
                let rank = max a.Rank b.Rank
                Tensor.Bind(op, l.Aligned(rank, a), l.Aligned(rank, b))
            | AddScaled _ -> Tensor.Bind(op, l.Spread a, l.Spread b)
            | SumProduct(axes, keep) -> Tensor.Bind(SumProduct(up axes, keep), l.Spread a, l.Spread b)
            | SoftmaxScale axis -> Tensor.Bind(SoftmaxScale(axis + 1), l.Spread a, l.Spread b)
            | MatMul(ta, _) -> l.MatMul(op, ta, a, b)
            | Conv c -> BatchConvolution.conv c size (l.ValueOf a) (l.Is a) (l.ValueOf b) (l.Is b)
            | ConvInput(c, space) ->
                BatchConvolution.convInput c space size (l.ValueOf a) (l.Is a) (l.ValueOf b) (l.Is b)
            | ConvKernel(c, window) ->
                BatchConvolution.convKernel c window size (l.ValueOf a) (l.Is a) (l.ValueOf b) (l.Is b)
            | MaxPoolPick _
            | MaxPoolPlace _ -> BatchConvolution.images2 op size (l.Spread a) (l.Spread b)
            | Gather axis -> l.Gather(axis, a, b)
            | ScatterAdd(axis, n) -> l.ScatterAdd(axis, n, a, b)
            | GatherAlong axis -> Tensor.Bind(GatherAlong(axis + 1), l.Spread a, l.Spread b)
            | ScatterAlong(axis, n) -> Tensor.Bind(ScatterAlong(axis + 1, n), l.Spread a, l.Spread b)
            | Unary _
            | Select
            | Cast _
            | StopGradient
            | Dense
            | ConvBias _
            | MaxPool _
            | Reduce _
            | ArgReduce _
            | Cumulate _
            | Softmax _
            | Broadcast _
            | Reshape _
            | Transpose _
            | Slice _
            | Pad _
            | Reverse _
            | ArgSort _
            | Random _ -> invalidOp $"internal: {Shapes.name op} does not have two inputs"

        Batched(l, y)

    override l.Process3(op, a, b, c) =
        l.Check()

        match op with
        | Dense when l.Is a && not (l.Is b) && not (l.Is c) ->
            let v = l.ValueOf a
            let lead, features = Array.splitAt (v.Rank - 1) v.Shape
            let y = Tensor.Bind(Dense, reshape [ Shape.size lead; features[0] ] v, b, c)
            Batched(l, reshape (Array.append lead [| y.Shape[1] |]) y)
        | ConvBias _ when l.Is a && not (l.Is b) && not (l.Is c) ->
            let v = l.ValueOf a
            let y = Tensor.Bind(op, reshape (Array.append [| size * v.Shape[1] |] v.Shape[2..]) v, b, c)
            Batched(l, reshape (Array.append [| size; v.Shape[1] |] y.Shape[1..]) y)
        | Dense
        | ConvBias _ -> Partial.expand op a b c
        | _ ->
            let rank = max a.Rank (max b.Rank c.Rank)
            Batched(l, Tensor.Bind(op, l.Aligned(rank, a), l.Aligned(rank, b), l.Aligned(rank, c)))

    /// A graph over the batch axis of its mapped inputs; every output is mapped.
    member private l.Graph(g: Graph, mapped: bool[]) : Graph =
        let spec i (s: Spec) = if mapped[i] then { s with Shape = Array.append [| size |] s.Shape } else s
        Trace.graph (Array.mapi spec g.InputSpecs) (BatchLevel.Over (Trace.replay g) mapped)

    member private l.Scan(s: Scan, inputs: Tensor[]) =
        let nc, nk = s.Constants, s.Carry
        // what a step makes of a batch is a batch: every carry is one
        let mapped = inputs |> Array.mapi (fun i x -> l.Is x || (i >= nc && i < nc + nk))
        let swap (x: Tensor) = permute (Array.append [| 1; 0 |] [| 2 .. x.Rank - 1 |]) x

        let values =
            inputs
            |> Array.mapi (fun i x ->
                if i >= nc + nk && l.Is x then swap (l.ValueOf x)
                elif mapped[i] then l.Spread x
                else x)

        Tensor.Bind(Scan { s with Body = l.Graph(s.Body, mapped) }, values)
        |> Array.mapi (fun i y -> if i < nk then y else swap y)

    member private l.Cond(whenTrue: Graph, whenFalse: Graph, inputs: Tensor[]) =
        let operands = inputs[1..]

        if l.Is inputs[0] then
            // examples differ: both branches, and a choice
            Array.map2
                (fun a b -> l.Spread(Functional.Functions.where inputs[0] a b))
                (Trace.replay whenTrue operands)
                (Trace.replay whenFalse operands)
        else
            let mapped = operands |> Array.map l.Is
            let op = Cond(l.Graph(whenTrue, mapped), l.Graph(whenFalse, mapped))
            Tensor.Bind(op, Array.append [| inputs[0] |] (Array.map l.ValueOf operands))

    member private l.While(w: While, inputs: Tensor[]) =
        let nc = w.Constants
        let mapped = inputs |> Array.mapi (fun i x -> i >= nc || l.Is x)
        let condition = l.Graph(w.Condition, mapped)

        // examples that are done keep their values while others go on
        let going (v: Tensor[]) = Array.head (Trace.replay condition v)

        let step (v: Tensor[]) =
            let keep (xs: Tensor[]) =
                let on = Array.head (Trace.replay w.Condition xs)

                Array.map2
                    (fun (next: Tensor) now -> Functional.Functions.where on next now)
                    (Trace.replay w.Body xs)
                    (Array.skip nc xs)

            BatchLevel.Over keep mapped v

        let values = inputs |> Array.mapi (fun i x -> if mapped[i] then l.Spread x else x)
        let specs = values |> Array.map (fun v -> { Shape = v.Shape; DType = v.DType }: Spec)

        let batched = {
            Condition = Trace.graph specs (fun v -> [| amax (going v) |])
            Body = Trace.graph specs step
            Constants = nc
        }

        Tensor.Bind(While batched, values)

    override l.ProcessMany(op, inputs) =
        l.Check()

        let outs =
            match op with
            | Concat axis -> Tensor.Bind(Concat(axis + 1), Array.map l.Spread inputs)
            | Split(axis, sizes) -> Tensor.Bind(Split(axis + 1, sizes), Array.map l.Spread inputs)
            | Linear _ -> Tensor.Bind(op, Array.map l.Spread inputs)
            | Scan s -> l.Scan(s, inputs)
            | Cond(whenTrue, whenFalse) -> l.Cond(whenTrue, whenFalse, inputs)
            | While w -> l.While(w, inputs)
            | Call p ->
                let mapped = inputs |> Array.map l.Is
                let key = System.String(mapped |> Array.map (fun m -> if m then '1' else '0'))
                let batch = p.Derive($"vmap {size} {key}", (fun () -> l.Graph(p.Graph, mapped)))
                Tensor.Bind(Call batch, Array.map l.ValueOf inputs)
            | Custom rule ->
                let mapped = inputs |> Array.map l.Is
                let values = Array.map l.ValueOf inputs

                match rule with
                | :? ReverseRule as r -> CustomRule.Perform l (BatchedReverseRule(r, BatchLevel.Over, mapped)) values
                | :? ForwardRule as r -> CustomRule.Perform l (BatchedForwardRule(r, BatchLevel.Over, mapped)) values
                | _ -> invalidOp $"{rule.Name}: this operation of the user's has no batching rule"

        outs |> Array.map (fun y -> Batched(l, y) :> Tensor)

    /// A function of single examples over the first axis of those inputs that are mapped.
    static member Over (f: Tensor[] -> Tensor[]) (mapped: bool[]) (xs: Tensor[]) : Tensor[] =
        match Array.tryFindIndex id mapped with
        | None -> f xs
        | Some first ->
            let size = xs[first].Shape[0]
            let level = BatchLevel size

            try
                let ys = f (Array.map2 (fun x each -> if each then Batched(level, x) :> Tensor else x) xs mapped)
                Array.map level.Spread ys
            finally
                level.Close()
