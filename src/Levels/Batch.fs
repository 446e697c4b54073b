namespace Functional.Levels

// Batching: an operation on one example becomes the operation on all of them. The batch axis is always the first of the
// value; it is moved only at the door.

open System.Runtime.CompilerServices
open Functional
open Functional.Operations
open Functional.Tracing
open Functional.Rules

/// One example standing for all: the shape is an example's, that of the value has the batch axis before it.
[<Sealed>]
type Batched(level: Level, value: Tensor, shape: int[]) =
    inherit Tensor(level, shape, value.DType)
    new(level: Level, value: Tensor) = Batched(level, value, value.Shape[1..])
    member _.Value = value

/// Axes as they are counted with the batch axis in front of them.
module private Axes =
    let up (axes: int[]) = Array.map ((+) 1) axes

    /// One number for the batch axis before those of the others.
    let under (first: int) (others: int[]) =
        let all = Array.zeroCreate (others.Length + 1)
        all[0] <- first
        System.Array.Copy(others, 0, all, 1, others.Length)
        all

    /// Whether a value is a batch of what one example gives.
    let isBatchOf (size: int) (example: Spec) (value: Tensor) =
        value.DType = example.DType
        && value.Rank = example.Shape.Length + 1
        && value.Shape[0] = size
        && System.MemoryExtensions.SequenceEqual(
            System.ReadOnlySpan(value.Shape, 1, example.Shape.Length),
            System.ReadOnlySpan example.Shape
        )

open Axes

/// The level of vmap. What an operation refuses for one example it refuses here, in that example's shapes; what it makes
/// of the batch are the results of all examples, under one more axis, and that is checked.
[<Sealed>]
type BatchLevel(size: int) =
    inherit Level("vmap")

    member private l.Is(a: Tensor) = not (isNull a) && obj.ReferenceEquals(a.Level, l)
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
    member l.Spread(a: Tensor) = if l.Is a then l.ValueOf a else broadcastTo (under size a.Shape) a

    override l.Detach(operation, _) =
        invalidOp
            $"{operation}: under vmap a tensor stands for {size} examples and has no one value to read, so host `if` and `while` cannot depend on it; use where, cond, whileLoop or scan{UserCode.place ()}"

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

    /// An affine map or a convolution with a bias. Where only the examples differ they are further rows, or images, of one.
    member private l.Affine(op, a: Tensor, b: Tensor, c: Tensor) =
        if not (l.Is a) || l.Is b || l.Is c then
            l.Spread(Partial.expand op a b c)
        else
            let v = l.ValueOf a
            let y = Tensor.Bind(op, reshape (Array.append [| size * v.Shape[1] |] v.Shape[2..]) v, b, c)
            reshape (Array.append [| size; v.Shape[1] |] y.Shape[1..]) y

    /// The operation over the batch axis. The examples' shapes are known to be right, and the batch is not empty.
    member private l.OverBatch(op: Op, a: Tensor, b: Tensor, c: Tensor) : Tensor =
        match op with
        | Unary _
        | Cast _
        | StopGradient
        | Random _ -> Tensor.Bind(op, l.ValueOf a)
        | Binary _
        | Compare _ ->
            let rank = max a.Rank b.Rank
            Tensor.Bind(op, l.Aligned(rank, a), l.Aligned(rank, b))
        | Select ->
            let rank = max a.Rank (max b.Rank c.Rank)
            Tensor.Bind(op, l.Aligned(rank, a), l.Aligned(rank, b), l.Aligned(rank, c))
        | AddScaled _ -> Tensor.Bind(op, l.Spread a, l.Spread b)
        | MatMul(ta, _) -> l.MatMul(op, ta, a, b)
        | Dense
        | ConvBias _ -> l.Affine(op, a, b, c)
        | Conv k -> BatchConvolution.conv k size (l.ValueOf a) (l.Is a) (l.ValueOf b) (l.Is b)
        | ConvInput(k, space) -> BatchConvolution.convInput k space size (l.ValueOf a) (l.Is a) (l.ValueOf b) (l.Is b)
        | ConvKernel(k, window) ->
            BatchConvolution.convKernel k window size (l.ValueOf a) (l.Is a) (l.ValueOf b) (l.Is b)
        | MaxPool _ -> BatchConvolution.images op size (l.ValueOf a)
        | MaxPoolPick _
        | MaxPoolPlace _ -> BatchConvolution.images2 op size (l.Spread a) (l.Spread b)
        | SumProduct(axes, keep) -> Tensor.Bind(SumProduct(up axes, keep), l.Spread a, l.Spread b)
        | Reduce(r, axes, keep) -> Tensor.Bind(Reduce(r, up axes, keep), l.ValueOf a)
        | ArgReduce(r, axis) -> Tensor.Bind(ArgReduce(r, axis + 1), l.ValueOf a)
        | Cumulate(k, axis, fromEnd) -> Tensor.Bind(Cumulate(k, axis + 1, fromEnd), l.ValueOf a)
        | Softmax axis -> Tensor.Bind(Softmax(axis + 1), l.ValueOf a)
        | SoftmaxScale axis -> Tensor.Bind(SoftmaxScale(axis + 1), l.Spread a, l.Spread b)
        | Broadcast s -> Tensor.Bind(Broadcast(under size s), l.Aligned(s.Length, a))
        | Reshape s -> Tensor.Bind(Reshape(under size s), l.ValueOf a)
        | Transpose p -> Tensor.Bind(Transpose(under 0 (up p)), l.ValueOf a)
        | Slice(starts, lengths, steps) ->
            Tensor.Bind(Slice(under 0 starts, under size lengths, under 1 steps), l.ValueOf a)
        | Pad(low, high, interior) -> Tensor.Bind(Pad(under 0 low, under 0 high, under 0 interior), l.ValueOf a)
        | Reverse axes -> Tensor.Bind(Reverse(up axes), l.ValueOf a)
        | Gather axis -> l.Gather(axis, a, b)
        | ScatterAdd(axis, n) -> l.ScatterAdd(axis, n, a, b)
        | GatherAlong axis -> Tensor.Bind(GatherAlong(axis + 1), l.Spread a, l.Spread b)
        | ScatterAlong(axis, n) -> Tensor.Bind(ScatterAlong(axis + 1, n), l.Spread a, l.Spread b)
        | ArgSort(axis, descending, count) -> Tensor.Bind(ArgSort(axis + 1, descending, count), l.ValueOf a)

    /// What comes out for no examples at all.
    member private _.Nothing(example: Spec) = Tensor.full example.DType (under 0 example.Shape) 0.0

    member private l.Example(op: obj, example: Spec, value: Tensor) : Tensor =
        if not (isBatchOf size example value) then
            invalidOp
                $"internal: {op} of one example is {example.DType} {Shape.show example.Shape}, of a batch of {size} it is {value.DType} {Shape.show value.Shape}"

        Batched(l, value, example.Shape)

    member private l.Apply(op: Op, a: Tensor, b: Tensor, c: Tensor) : Tensor =
        l.Check()
        let spec (t: Tensor) = if isNull t then Unchecked.defaultof<Spec> else Tensor.specOf t
        let example = Shapes.infer op (spec a) (spec b) (spec c)
        let value = if size = 0 then l.Nothing example else l.OverBatch(op, a, b, c)
        l.Example(op, example, value)

    override l.Process1(op, a) = l.Apply(op, a, null, null)
    override l.Process2(op, a, b) = l.Apply(op, a, b, null)
    override l.Process3(op, a, b, c) = l.Apply(op, a, b, c)

    /// A graph over the batch axis of its mapped inputs; every output is mapped.
    member private l.Graph(g: Graph, mapped: bool[]) : Graph =
        let spec i (s: Spec) = if mapped[i] then { s with Shape = Array.append [| size |] s.Shape } else s
        Trace.graph (Array.mapi spec g.InputSpecs) (BatchLevel.Over (Trace.replay g) mapped)

    member private l.Scan(s: Scan, inputs: Tensor[]) =
        let spread x = if l.Is x then l.Spread x else x
        let swap (x: Tensor) = permute (Array.append [| 1; 0 |] [| 2 .. x.Rank - 1 |]) x
        let xs = s.Inputs inputs

        // what a step makes of a batch is a batch: every carry is one
        let mapped = { Sections.map l.Is xs with Carry = Array.create s.Carry true }

        let values = {
            Constants = Array.map spread xs.Constants
            Carry = Array.map l.Spread xs.Carry
            Stacked = xs.Stacked |> Array.map (fun x -> if l.Is x then swap (l.ValueOf x) else x)
        }

        let body = l.Graph(s.Body, Sections.flat mapped)
        let found = s.Results(Tensor.Bind(Scan { s with Body = body }, Sections.flat values))
        Array.append found.Carry (Array.map swap found.Stacked)

    member private l.Cond(whenTrue: Graph, whenFalse: Graph, inputs: Tensor[]) =
        let mapped = inputs[1..] |> Array.map l.Is
        let operands = inputs[1..] |> Array.map l.ValueOf

        if l.Is inputs[0] then
            // examples differ: each branch for those that take it
            let branch (g: Graph) : Branching.Branch = {
                Graph = g
                Run = fun v -> BatchLevel.Over (fun v -> Trace.replay g v[1..]) (Array.append [| true |] mapped) v
            }

            Branching.cond (l.ValueOf inputs[0]) mapped operands (branch whenTrue) (branch whenFalse)
        else
            let op = Cond(l.Graph(whenTrue, mapped), l.Graph(whenFalse, mapped))
            Tensor.Bind(op, Array.append [| inputs[0] |] operands)

    member private l.While(w: While, inputs: Tensor[]) =
        let nc = w.Constants
        let mapped = inputs |> Array.mapi (fun i x -> i >= nc || l.Is x)

        /// Which examples go on.
        let going (v: Tensor[]) = Array.head (BatchLevel.Over (Trace.replay w.Condition) mapped v)

        // examples that are done keep their values while others go on
        let step (v: Tensor[]) =
            let on = going v
            let next = BatchLevel.Over (Trace.replay w.Body) mapped (Branching.operands w.Body on mapped v)
            Array.map2 (Branching.select on) next (Array.skip nc v)

        let values = inputs |> Array.mapi (fun i x -> if mapped[i] then l.Spread x else x)
        let specs = Array.map Tensor.specOf values

        let batched = {
            Condition = Trace.graph specs (fun v -> [| amax (going v) |])
            Body = Trace.graph specs step
            Constants = nc
        }

        Tensor.Bind(While batched, values)

    member private l.Custom(rule: External, inputs: Tensor[]) =
        let mapped = inputs |> Array.map l.Is
        let values = Array.map l.ValueOf inputs

        match rule with
        // it hands on whole batches as it would examples
        | :? Barrier as b ->
            Tensor.Bind(Custom b, Array.append (Array.map l.Spread inputs[.. b.HandsOn - 1]) values[b.HandsOn ..])
        | :? Checkpoint as c -> Tensor.Bind(Custom(Checkpoint(l.Graph(c.Graph, mapped))), values)
        | :? ReverseRule as r ->
            Closure.perform l (BatchedReverseRule(r, BatchLevel.Over, mapped, Array.map Tensor.specOf inputs)) values
        | :? ForwardRule as r -> Closure.perform l (BatchedForwardRule(r, BatchLevel.Over, mapped)) values
        | _ -> invalidOp $"{rule.Name}: this operation of the user's has no batching rule"

    /// The operation over the batch axis, as `OverBatch`.
    member private l.OverBatch(op: ManyOp, inputs: Tensor[]) : Tensor[] =
        match op with
        | Concat axis -> Tensor.Bind(Concat(axis + 1), Array.map l.Spread inputs)
        | Split(axis, sizes) -> Tensor.Bind(Split(axis + 1, sizes), Array.map l.Spread inputs)
        | Linear _ -> Tensor.Bind(op, Array.map l.Spread inputs)
        | Scan s -> l.Scan(s, inputs)
        | Cond(whenTrue, whenFalse) -> l.Cond(whenTrue, whenFalse, inputs)
        | While w -> l.While(w, inputs)
        | Call p ->
            let mapped = inputs |> Array.map l.Is
            let batch = p.Derive(Derived.Batched(size, mapped), (fun () -> l.Graph(p.Graph, mapped)))
            Tensor.Bind(Call batch, Array.map l.ValueOf inputs)
        | Custom rule -> l.Custom(rule, inputs)

    override l.ProcessMany(op, inputs) =
        l.Check()

        match op with
        // only the rule itself knows its results, and makes them one example's at a time
        | Custom rule -> l.Custom(rule, inputs) |> Array.map (fun y -> Batched(l, y) :> Tensor)
        | Concat _
        | Split _
        | Linear _
        | Scan _
        | Cond _
        | While _
        | Call _ ->
            let examples = Shapes.inferMany op (Array.map Tensor.specOf inputs)

            let values = if size = 0 then Array.map l.Nothing examples else l.OverBatch(op, inputs)

            Array.map2 (fun e v -> l.Example(op, e, v)) examples values

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
