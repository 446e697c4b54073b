/// The first pass: a graph written again by local rules, with constants folded and equal values made one. Every rule is
/// exact, but that a sum may leave out zeros, and so round its terms in another order.
[<RequireQualifiedAccess>]
module internal Functional.Rewrites.Simplify

open System
open System.Collections.Generic
open Functional
open Functional.Kernels
open Functional.Operations

/// Constants up to this many elements are folded; larger ones would only take memory.
let private foldLimit = 4096

/// The number that all elements of a constant are.
let private uniform (c: NDArray) : NDArray voption =
    if c.Size = 0 then
        ValueNone
    else
        let size = c.DType.Size()
        let bytes = c.Storage.Span<byte>().Slice(0, c.Size * size)

        let tail: ReadOnlySpan<byte> = Span.op_Implicit (bytes.Slice size)
        let head: ReadOnlySpan<byte> = Span.op_Implicit (bytes.Slice(0, bytes.Length - size))
        let same = MemoryExtensions.SequenceEqual(tail, head)

        let first =
            if same then
                ValueSome(NDArray(Shape.scalar, c.Storage, c.DType).Settle())
            else
                ValueNone

        Storage.KeepAlive c.Storage
        first

[<Sealed>]
type private Writer(inputs: Spec[]) =
    let specs = List<Spec>(inputs)
    let instructions = List<Instruction>()
    /// How each value was made, for the rules to look at.
    let made = List<Instruction voption>(inputs |> Array.map (fun _ -> ValueNone))
    let seen = Dictionary<struct (Op * int * int * int), int>()
    let constants = Dictionary<struct (int64 * DType), int>()
    let takes = Dictionary<int, NDArray>()

    member _.Specs = specs
    member _.Instructions = instructions
    member _.Spec(v: int) = specs[v]

    member _.Made(v: int) = if v < 0 then ValueNone else made[v]

    member private _.Add(instruction, results: Spec[]) =
        instructions.Add instruction
        let first = specs.Count

        for s in results do
            specs.Add s
            made.Add(if results.Length = 1 then ValueSome instruction else ValueNone)

        first

    member w.Constant(value: NDArray) : int =
        let add () =
            let v = w.Add(Constant value, [| { Shape = value.Shape; DType = value.DType } |])
            takes[v] <- value
            v

        if isNull value.Storage then
            let key = struct (value.Bits, value.DType)

            match constants.TryGetValue key with
            | true, v -> v
            | _ ->
                let v = add ()
                constants[key] <- v
                v
        else
            match uniform value with
            | ValueSome number -> w.Apply(Broadcast value.Shape, w.Constant number, -1, -1)
            | ValueNone -> add ()

    member _.ConstantOf(v: int) : NDArray voption =
        match takes.TryGetValue v with
        | true, c -> ValueSome c
        | _ -> ValueNone

    /// Whether a value is a constant that is this number everywhere.
    member w.Is(v: int, number: float) =
        match w.ConstantOf v with
        | ValueSome c when isNull c.Storage -> (if c.DType.IsFloat() then c.Float else float c.Bits) = number
        | _ -> false

    member w.Apply(op: Op, a: int, b: int, c: int) : int =
        let key = struct (op, a, b, c)

        match seen.TryGetValue key with
        | true, v -> v
        | _ ->
            let spec i = if i < 0 then Unchecked.defaultof<Spec> else specs[i]
            let result = Shapes.infer op (spec a) (spec b) (spec c)
            let known i = i < 0 || takes.ContainsKey i

            let v =
                // a number stays one, which operations spread by themselves; what can fail is left to the run, which may
                // never come to it
                if
                    not op.IsBroadcast
                    && not (Facts.ofOp op).CanFail
                    && known a
                    && known b
                    && known c
                    && Shape.size result.Shape <= foldLimit
                then
                    let at i = if i < 0 then Unchecked.defaultof<NDArray> else takes[i]
                    w.Constant(Evaluate.evaluate op (at a) (at b) (at c))
                else
                    w.Add(Apply(op, a, b, c), [| result |])

            seen[key] <- v
            v

    /// The same value under a name of its own, which no rule takes for the other: a view, and no work.
    member w.Apart(a: int) : int = w.Add(Apply(Reshape specs[a].Shape, a, -1, -1), [| specs[a] |])

    member w.ApplyMany(op, arguments: int[]) : int =
        let results = Shapes.inferMany op (arguments |> Array.map (fun i -> specs[i]))
        w.Add(ApplyMany(op, arguments, results.Length), results)

/// The operand of a broadcast, where the operation broadcasts by itself.
let private unspread (w: Writer) (v: int) =
    match w.Made v with
    | ValueSome(Apply(Broadcast _, x, _, _)) -> x
    | _ -> v

let private keepsShape (w: Writer) (shape: int[]) (a: int) (b: int) =
    Shape.same shape (Shape.broadcast "simplify" (w.Spec a).Shape (w.Spec b).Shape)

/// Whether every window sees a place of the image, so that its maximum is an element of it: shapes refuse more padding than
/// that, but a window with holes may stand around a small image.
let private everyWindowSees (window: Window) = Array.forall ((=) 1) window.Dilations

/// Of a gradient that came through max-pooling and is summed over space at least: the gradient before, whose elements all
/// went to some place each, between zeros.
let private pooledSum (w: Writer) (axes: int[]) (a: int) =
    match w.Made a with
    | ValueSome(Apply(MaxPoolPlace window, t, _, _)) when
        everyWindowSees window
        && Array.forall (fun axis -> Array.contains axis axes) [| 1 .. window.Size.Length |]
        ->
        ValueSome t
    | _ -> ValueNone

/// Of a gradient that came through max-pooling and goes through relu: the window, the gradient before, what relu was of.
let private pooledRelu (w: Writer) (t: int) (y: int) =
    match w.Made t, w.Made y with
    | ValueSome(Apply(MaxPoolPlace window, t, pooled, _)), ValueSome(Apply(Unary Unary.Relu, x, _, _)) when pooled = y ->
        ValueSome(struct (window, t, x))
    | _ -> ValueNone

/// The value of an operation after the rules.
let rec private rewrite (w: Writer) (op: Op) (a: int) (b: int) (c: int) : int =
    let shape v = (w.Spec v).Shape
    let asIs () = w.Apply(op, a, b, c)

    match op with
    | StopGradient -> a
    | Cast t when (w.Spec a).DType = t -> a
    | Broadcast s when Shape.same s (shape a) -> a
    | Broadcast _ ->
        match w.Made a with
        | ValueSome(Apply(Broadcast _, x, _, _)) -> rewrite w op x -1 -1
        | _ -> asIs ()
    | Reshape s when Shape.same s (shape a) -> a
    | Reshape s ->
        let drops (axes: int[]) x =
            let own = shape x

            Shape.same s [|
                for i in 0 .. own.Length - 1 do
                    if not (Array.contains i axes) then
                        own[i]
            |]

        match w.Made a with
        | ValueSome(Apply(Reshape _, x, _, _)) -> rewrite w op x -1 -1
        // a reduction that kept its axes for nothing
        | ValueSome(Apply(Reduce(r, axes, true), x, _, _)) when drops axes x ->
            w.Apply(Reduce(r, axes, false), x, -1, -1)
        | ValueSome(Apply(SumProduct(axes, true), x, y, _)) when drops axes x ->
            w.Apply(SumProduct(axes, false), x, y, -1)
        | _ -> asIs ()
    | Transpose p when Shape.same p [| 0 .. p.Length - 1 |] -> a
    | Transpose p ->
        match w.Made a with
        | ValueSome(Apply(Transpose q, x, _, _)) -> rewrite w (Transpose(p |> Array.map (fun i -> q[i]))) x -1 -1
        | _ -> asIs ()
    | Reduce(_, [||], _) -> a
    // the gradient of a bias before max-pooling
    | Reduce(Reduction.Sum, axes, _) ->
        match pooledSum w axes a with
        | ValueSome t -> rewrite w op t -1 -1
        | ValueNone -> asIs ()
    | Unary Unary.Neg ->
        match w.Made a with
        | ValueSome(Apply(Unary Unary.Neg, x, _, _)) -> x
        | _ -> asIs ()
    // relu ∘ maxPool is maxPool ∘ relu with fewer elements to go through, on the way back, too: no share goes to a maximum
    // that relu made 0, and any other stands in the same place with relu and without
    | MaxPool window ->
        match w.Made a with
        | ValueSome(Apply(Unary Unary.Relu, x, _, _)) when everyWindowSees window ->
            w.Apply(Unary Unary.Relu, w.Apply(op, x, -1, -1), -1, -1)
        | _ -> asIs ()
    | Binary Binary.ReluScale when (pooledRelu w a b).IsSome ->
        let struct (window, t, x) = (pooledRelu w a b).Value
        w.Apply(MaxPoolPlace window, rewrite w op t (rewrite w (MaxPool window) b -1 -1) -1, x, -1)
    | Binary o ->
        let spec = Shapes.infer op (w.Spec a) (w.Spec b) Unchecked.defaultof<_>
        let a', b' = unspread w a, unspread w b
        let a, b' = if keepsShape w spec.Shape a' b then a', b' else a, b'
        let b = if keepsShape w spec.Shape a b' then b' else b
        let isWhole v = Shape.same (shape v) spec.Shape

        match o with
        | Binary.Add when w.Is(b, 0.0) && isWhole a -> a
        | Binary.Add when w.Is(a, 0.0) && isWhole b -> b
        | Binary.Sub when w.Is(b, 0.0) && isWhole a -> a
        | (Binary.Mul | Binary.Div) when w.Is(b, 1.0) && isWhole a -> a
        | Binary.Mul when w.Is(a, 1.0) && isWhole b -> b
        | Binary.Add ->
            match w.Made b, w.Made a with
            | ValueSome(Apply(Unary Unary.Neg, x, _, _)), _ -> w.Apply(Prim.sub, a, x, -1)
            | _, ValueSome(Apply(Unary Unary.Neg, x, _, _)) -> w.Apply(Prim.sub, b, x, -1)
            | _ -> w.Apply(op, a, b, -1)
        | _ -> w.Apply(op, a, b, -1)
    | MatMul(ta, tb) ->
        // a transposed operand is read the other way round instead
        let swapsLast (p: int[]) =
            p.Length >= 2
            && p[p.Length - 1] = p.Length - 2
            && p[p.Length - 2] = p.Length - 1
            && Shape.same p[.. p.Length - 3] [| 0 .. p.Length - 3 |]

        let side v transposed =
            match w.Made v with
            | ValueSome(Apply(Transpose p, x, _, _)) when swapsLast p -> struct (x, not transposed)
            | _ -> struct (v, transposed)

        let struct (a, ta) = side a ta
        let struct (b, tb) = side b tb


        // where sums have one term, both factors are vectors, which lie the same way round or the other
        match shape a, shape b with
        | [| m; k |], [| l; n |] when (if ta then m else k) = 1 && (ta || tb) ->
            let vector v transposed swapped = if transposed then rewrite w (Reshape swapped) v -1 -1 else v
            w.Apply(Prim.matmul false false, vector a ta [| k; m |], vector b tb [| n; l |], -1)
        | _ -> w.Apply(Prim.matmul ta tb, a, b, -1)
    | Slice(_, lengths, _) when Shape.same lengths (shape a) -> a
    | Pad(low, high, interior) when [ low; high; interior ] |> List.forall (Array.forall ((=) 0)) -> a
    | Select
    | Unary _
    | Compare _
    | Cast _
    | AddScaled _
    | Dense
    | Conv _
    | ConvBias _
    | ConvInput _
    | ConvKernel _
    | MaxPoolPick _
    | MaxPoolPlace _
    | SumProduct _
    | Reduce _
    | ArgReduce _
    | Cumulate _
    | Softmax _
    | SoftmaxScale _
    | Slice _
    | Pad _
    | Reverse _
    | Gather _
    | ScatterAdd _
    | GatherAlong _
    | ScatterAlong _
    | ArgSort _
    | Random _ -> asIs ()

/// Programs and users' rules opened up: nothing differentiates any more, so they are ordinary operations.
let rec private copy (w: Writer) (g: Graph) (inputs: int[]) : int[] =
    let number = Array.create g.Specs.Length -1
    Array.Copy(inputs, number, inputs.Length)
    let at i = if i < 0 then i else number[i]
    let mutable next = g.Inputs

    for instruction in g.Instructions do
        match instruction with
        | Constant c ->
            number[next] <- w.Constant c
            next <- next + 1
        | Apply(op, a, b, c) ->
            number[next] <- rewrite w op (at a) (at b) (at c)
            next <- next + 1
        | ApplyMany(op, arguments, results) ->
            let arguments = Array.map at arguments

            let asIs () =
                let first = w.ApplyMany(op, arguments)
                [| first .. first + results - 1 |]

            let found =
                match op with
                | Call p -> copy w p.Graph arguments
                | Custom rule when rule.HandsOn > 0 -> Array.take rule.HandsOn arguments |> Array.map w.Apart
                | Custom rule ->
                    match rule.Open(arguments |> Array.map w.Spec) with
                    | ValueSome inner -> copy w inner arguments
                    | ValueNone -> asIs ()
                | Split(axis, sizes) when axis = (w.Spec arguments[0]).Shape.Length - 1 ->
                    // columns, which elementwise kernels read where they are
                    let shape = (w.Spec arguments[0]).Shape
                    let starts = Array.scan (+) 0 sizes

                    sizes
                    |> Array.mapi (fun i size ->
                        let slice =
                            Slice(
                                Array.init shape.Length (fun j -> if j = axis then starts[i] else 0),
                                Shape.withAxis axis size shape,
                                Array.create shape.Length 1
                            )

                        rewrite w slice arguments[0] -1 -1)
                | Concat _
                | Split _
                | Linear _
                | Scan _
                | Cond _
                | While _ -> asIs ()

            Array.Copy(found, 0, number, next, results)
            next <- next + results

    g.Outputs |> Array.map at

/// The graph, simplified, without what its outputs do not need.
let graph (g: Graph) : Graph =
    let w = Writer g.InputSpecs
    let outputs = copy w g [| 0 .. g.Inputs - 1 |]
    Graphs.live (Graph(g.Inputs, w.Instructions.ToArray(), w.Specs.ToArray(), outputs))
