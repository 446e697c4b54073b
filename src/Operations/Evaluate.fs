/// The evaluator: an operation's value, by the kernels. Knows arrays, knows no Tensor.
[<RequireQualifiedAccess>]
module Functional.Operations.Evaluate

open Functional
open Functional.Kernels

let inline private spec (x: NDArray) : Spec = { Shape = x.Shape; DType = x.DType }

let private specOrNone (x: NDArray) = if isNull x.Shape then Unchecked.defaultof<Spec> else spec x

/// An array of equal elements.
let full (shape: int[]) (value: NDArray) : NDArray =
    if shape.Length = 0 then
        value
    else
        let y = NDArray.Allocate(shape, value.DType)
        Elementwise.Fill(y, value)
        y

let private zeros shape (dtype: DType) =
    full
        shape
        (if dtype.IsFloat() then
             NDArray.OfFloat(0.0, dtype)
         else
             NDArray.OfInteger(0L, dtype))

let unary (op: Unary) (x: NDArray) : NDArray =
    if isNull x.Storage then
        Scalars.Unary(op, x)
    else
        let y = NDArray.Allocate(x.Shape, x.DType)
        Elementwise.Unary(op, x, y)
        y

let binary (op: Binary) (a: NDArray) (b: NDArray) : NDArray =
    if isNull a.Storage && isNull b.Storage && a.DType = b.DType then
        Scalars.Binary(op, a, b)
    else
        let s = Shapes.infer (Op.Binary op) (spec a) (spec b) Unchecked.defaultof<_>
        let y = NDArray.Allocate(s.Shape, s.DType)
        Elementwise.Binary(op, a, b, y)
        y.Settle()

let private cast (x: NDArray) dtype =
    if x.DType = dtype then
        x
    elif isNull x.Storage then
        Scalars.Cast(x, dtype)
    else
        let y = NDArray.Allocate(x.Shape, dtype)
        Elementwise.Cast(x, y)
        y

/// The value of an operation; absent inputs are passed as default.
let evaluate (op: Op) (a: NDArray) (b: NDArray) (c: NDArray) : NDArray =
    let inline infer () = Shapes.infer op (spec a) (specOrNone b) (specOrNone c)

    let inline fresh (fill: NDArray -> unit) =
        let s = infer ()
        let y = NDArray.Allocate(s.Shape, s.DType)
        fill y
        y.Settle()

    match op with
    | Unary u -> unary u a
    | Binary o -> binary o a b
    | Compare o ->
        if isNull a.Storage && isNull b.Storage && a.DType = b.DType then
            Scalars.Compare(o, a, b)
        else
            fresh (fun y -> Elementwise.Compare(o, a, b, y))
    | Select ->
        if isNull a.Storage && isNull b.Storage && isNull c.Storage then
            infer () |> ignore
            if a.Bits <> 0L then b else c
        else
            fresh (fun y -> Elementwise.Select(a, b, c, y))
    | Cast t -> cast a t
    | StopGradient -> a
    | AddScaled s -> fresh (fun y -> Elementwise.AddScaled(s, a, b, y))
    | MatMul(ta, tb) -> fresh (fun y -> MatMul.Run(ta, tb, a, b, y))
    | Dense -> fresh (fun y -> MatMul.RunAdd(a, b, c, y))
    | Conv k -> fresh (fun y -> Convolve.conv k a.Shape b.Shape y.Shape a b y)
    | ConvBias k -> fresh (fun y -> Convolve.convBias k a.Shape b.Shape y.Shape a b c y)
    | ConvInput(k, _) -> fresh (fun y -> Convolve.convInput k a.Shape b.Shape y.Shape a b y)
    | ConvKernel(k, _) -> fresh (fun y -> Convolve.convKernel k a.Shape b.Shape y.Shape a b y)
    | MaxPool w -> fresh (fun y -> Convolve.maxPool w a.Shape y.Shape a y)
    | MaxPoolPick w -> fresh (fun y -> Convolve.maxPoolPick w b.Shape y.Shape a b y)
    | MaxPoolPlace w -> fresh (fun y -> Convolve.maxPoolPlace w a.Shape y.Shape a b y)
    | SumProduct(axes, _) -> fresh (fun y -> Reductions.SumProduct(a, b, axes, y))
    | Reduce(r, axes, _) -> if axes.Length = 0 then a else fresh (fun y -> Reductions.Reduce(r, a, axes, y))
    | ArgReduce(r, axis) -> fresh (fun y -> Reductions.ArgReduce(r, a, axis, y))
    | Cumulate(c, axis, reverse) -> fresh (fun y -> Reductions.Cumulate(c, a, axis, reverse, y))
    | Softmax axis -> fresh (fun y -> Reductions.Softmax(a, axis, y))
    | SoftmaxScale axis -> fresh (fun y -> Reductions.SoftmaxScale(a, b, axis, y))
    | Broadcast shape ->
        if Shape.same a.Shape shape then a
        elif isNull a.Storage then full shape a
        else fresh (fun y -> Layout.Broadcast(a, y))
    | Reshape shape ->
        infer () |> ignore
        if Shape.same a.Shape shape then a else a.Reshape shape
    | Transpose p -> fresh (fun y -> Layout.Transpose(a, p, y))
    | Slice(starts, _, steps) -> fresh (fun y -> Layout.Slice(a, starts, steps, y))
    | Pad(low, _, interior) -> fresh (fun y -> Layout.Pad(a, low, interior, y))
    | Reverse axes -> fresh (fun y -> Layout.Reverse(a, axes, y))
    | Gather axis -> fresh (fun y -> Indexing.Gather(a, b, axis, y))
    | ScatterAdd(axis, _) -> fresh (fun y -> Indexing.ScatterAdd(a, b, axis, y))
    | GatherAlong axis -> fresh (fun y -> Indexing.GatherAlong(a, b, axis, y))
    | ScatterAlong(axis, _) -> fresh (fun y -> Indexing.ScatterAlong(a, b, axis, y))
    | ArgSort(axis, descending, _) -> fresh (fun y -> Sorting.ArgSort(a, axis, descending, y))
    | Random(d, _, _) -> fresh (fun y -> RandomNumbers.Draw(d, a, y))

/// For each instruction, the values whose storage nothing reads after it. Views (a reshape shares its operand's storage)
/// live as long as the last of them; inputs, constants and outputs are not the graph's to give back.
let private deaths (g: Graph) : int[][] =
    let count = g.Specs.Length
    let root = Array.init count id
    let lastUse = Array.create count -1
    let mortal = Array.create count false
    let mutable next = g.Inputs

    let first =
        g.Instructions
        |> Array.mapi (fun i instruction ->
            let at = next

            match instruction with
            | Constant _ -> next <- next + 1
            | Apply(op, a, b, c) ->
                for x in [| a; b; c |] do
                    if x >= 0 then
                        lastUse[root[x]] <- i

                match op with
                | Reshape _
                | StopGradient
                | Broadcast _
                | Cast _
                | Reduce _ -> root[at] <- root[a]
                | _ -> mortal[at] <- true

                next <- next + 1
            | ApplyMany(op, arguments, results) ->
                for x in arguments do
                    lastUse[root[x]] <- i

                    match op with
                    | Concat _
                    | Split _
                    | Linear _ -> ()
                    // their results may be their operands
                    | Scan _
                    | Cond _
                    | While _
                    | Call _
                    | Custom _ -> mortal[root[x]] <- false

                next <- next + results

            at)

    for x in g.Outputs do
        mortal[root[x]] <- false

    let dying = Array.init g.Instructions.Length (fun _ -> ResizeArray<int>())

    for i in 0 .. first.Length - 1 do
        let x = first[i]

        if mortal[x] then
            dying[max i lastUse[x]].Add x

    dying |> Array.map (fun d -> d.ToArray())

let private schedules = System.Runtime.CompilerServices.ConditionalWeakTable<Graph, int[][]>()

/// The values of an operation with many inputs or results.
let rec evaluateMany (op: ManyOp) (xs: NDArray[]) : NDArray[] =
    let infer () = Shapes.inferMany op (Array.map spec xs)
    let allocate (s: Spec) = NDArray.Allocate(s.Shape, s.DType)

    match op with
    | Concat axis ->
        let specs = infer ()
        let y = allocate specs[0]
        Layout.Concat(xs, axis, y)
        [| y |]
    | Split(axis, _) ->
        let ys = Array.map allocate (infer ())
        Layout.Split(xs[0], axis, ys)
        ys |> Array.map (fun y -> y.Settle())
    | Linear op -> Factorizations.evaluate op xs (infer ())
    | Scan s -> scan s xs
    | Cond(whenTrue, whenFalse) -> graph (if xs[0].Bits <> 0L then whenTrue else whenFalse) xs[1..]
    | While w -> repeat w xs
    | Call p -> p.Run xs
    | Custom e -> e.Evaluate xs

/// A graph's outputs, instruction by instruction; what is made on the way is given back as soon as nothing reads it.
and graph (g: Graph) (inputs: NDArray[]) : NDArray[] =
    let dying = schedules.GetValue(g, (fun g -> deaths g))
    let values = Array.zeroCreate<NDArray> g.Specs.Length
    System.Array.Copy(inputs, values, inputs.Length)
    let mutable next = g.Inputs
    let at i = if i < 0 then Unchecked.defaultof<NDArray> else values[i]

    for i in 0 .. g.Instructions.Length - 1 do
        match g.Instructions[i] with
        | Constant c ->
            values[next] <- c
            next <- next + 1
        | Apply(op, a, b, c) ->
            values[next] <- evaluate op values[a] (at b) (at c)
            next <- next + 1
        | ApplyMany(op, arguments, results) ->
            let ys = evaluateMany op (arguments |> Array.map (fun i -> values[i]))
            System.Array.Copy(ys, 0, values, next, results)
            next <- next + results

        for dead in dying[i] do
            if not (isNull values[dead].Storage) then
                values[dead].Storage.Release()

    g.Outputs |> Array.map (fun i -> values[i])

and private scan (s: Scan) (xs: NDArray[]) : NDArray[] =
    let constants, rest = Array.splitAt s.Constants xs
    let first, stacked = Array.splitAt s.Carry rest
    let specs = s.Body.InputSpecs
    let mutable carry = first
    let ys = Array.init (s.Body.Outputs.Length - s.Carry) (fun _ -> Array.zeroCreate<NDArray> s.Length)

    let place t (x: NDArray) (spec: Spec) =
        let starts = Array.zeroCreate<int> x.Rank
        starts[0] <- t
        let y = NDArray.Allocate(spec.Shape, spec.DType)
        Layout.Slice(x, starts, Array.create x.Rank 1, y.Reshape(Array.append [| 1 |] spec.Shape))
        y.Settle()

    for step in 0 .. s.Length - 1 do
        let t = if s.FromEnd then s.Length - 1 - step else step
        let now = stacked |> Array.mapi (fun j x -> place t x specs[s.Constants + s.Carry + j])
        let outs = graph s.Body (Array.concat [ constants; carry; now ])
        carry <- Array.sub outs 0 s.Carry

        for j in 0 .. ys.Length - 1 do
            ys[j][t] <- outs[s.Carry + j]

    let stack (spec: Spec) (rows: NDArray[]) =
        let y = NDArray.Allocate(Array.append [| s.Length |] spec.Shape, spec.DType)

        if s.Length > 0 then
            Layout.Concat(rows |> Array.map (fun r -> r.Reshape(Array.append [| 1 |] spec.Shape)), 0, y)

        y

    Array.append carry (Array.mapi (fun j rows -> stack s.Body.OutputSpecs[s.Carry + j] rows) ys)

and private repeat (w: While) (xs: NDArray[]) : NDArray[] =
    let constants, first = Array.splitAt w.Constants xs
    let mutable carry = first

    while (Array.head (graph w.Condition (Array.append constants carry))).Bits <> 0L do
        carry <- graph w.Body (Array.append constants carry)

    carry
