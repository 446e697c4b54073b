/// The shape interpreter: every result's shape and element type, and every shape error in the user's words.
[<RequireQualifiedAccess>]
module Functional.Operations.Shapes

open Functional
open Functional.Operations.ShapeRules

/// The result's shape and element type; absent inputs are passed as default.
let infer (op: Op) (a: Spec) (b: Spec) (c: Spec) : Spec =
    let name = Facts.Named op

    match op with
    | Unary _
    | StopGradient -> a
    | Reverse axes ->
        requireAxes name axes a
        a
    | Cumulate(_, axis, _) ->
        requireAxis name axis a
        a
    | Binary _ ->
        sameType name a b

        if Shape.same a.Shape b.Shape then
            a
        else
            { a with Shape = Shape.broadcast name a.Shape b.Shape }
    | Compare _ ->
        sameType name a b
        { Shape = Shape.broadcast name a.Shape b.Shape; DType = DType.Bool }
    | Select ->
        sameType name b c

        if a.DType <> DType.Bool then
            invalidArg "dtype" $"where: the mask is {a.DType}; it must be Bool (compare something to get one)"

        {
            b with
                Shape = Shape.broadcast "where" a.Shape (Shape.broadcast "where" b.Shape c.Shape)
        }
    | Cast t -> { a with DType = t }
    | AddScaled _ ->
        floatsOf name a b
        requireSame name a b
        a
    | MatMul(ta, tb) -> matmul name ta tb a b
    | Dense -> dense name a b c
    | Conv k ->
        floatsOf name a b
        { a with Shape = Windows.conv (Facts.name op) k a.Shape b.Shape }
    | ConvBias k ->
        floatsOf name a b
        sameType name a c
        let y = Windows.conv (Facts.name op) k a.Shape b.Shape

        if c.Shape.Length <> 1 || c.Shape[0] <> y[y.Length - 1] then
            invalidShape name $"the bias {c.Shape} must be a vector of {y[y.Length - 1]} features (kernel {b.Shape})"

        { a with Shape = y }
    | ConvInput(k, space) ->
        floatsOf name a b
        { a with Shape = Windows.convInput (Facts.name op) k space a.Shape b.Shape }
    | ConvKernel(k, window) ->
        floatsOf name a b
        { a with Shape = Windows.convKernel (Facts.name op) k window a.Shape b.Shape }
    | MaxPool w ->
        requireFloat name a
        { a with Shape = Windows.pool (Facts.name op) w a.Shape }
    | MaxPoolPick w ->
        floatsOf name a b
        requireSame name a b
        { a with Shape = Windows.pool (Facts.name op) w b.Shape }
    | MaxPoolPlace w ->
        floatsOf name a b
        let y = Windows.pool (Facts.name op) w b.Shape

        if not (Shape.same a.Shape y) then
            invalidShape name $"{a.Shape} is not the result of pooling {b.Shape}, which is {y}"

        b
    | SumProduct(axes, keep) ->
        sameType name a b
        requireSame name a b
        requireAxes name axes a
        { a with Shape = Shape.reduce axes keep a.Shape }
    | Reduce(_, axes, keep) ->
        requireAxes name axes a
        { a with Shape = Shape.reduce axes keep a.Shape }
    | ArgReduce(_, axis) ->
        requireAxis name axis a

        if a.Shape[axis] = 0 then
            invalidShape name $"{a.Shape} is empty along axis {axis}"

        { Shape = Shape.reduce [| axis |] false a.Shape; DType = DType.Int32 }
    | Softmax axis ->
        requireFloat name a
        requireAxis name axis a
        a
    | SoftmaxScale axis ->
        floatsOf name a b
        requireSame name a b
        requireAxis name axis a
        a
    | Broadcast s ->
        Shape.possible "broadcastTo" s |> ignore

        if not (Shape.same (Shape.broadcast "broadcastTo" a.Shape s) s) then
            invalidShape "broadcastTo" $"{a.Shape} does not broadcast to {s}"

        { a with Shape = s }
    | Reshape s ->
        Shape.possible "reshape" s |> ignore

        if Shape.size s <> Shape.size a.Shape then
            invalidShape "reshape" $"{a.Shape} has {Shape.size a.Shape} elements, {s} would have {Shape.size s}"

        { a with Shape = s }
    | Transpose p -> transpose name p a
    | Slice(starts, lengths, steps) -> slice a starts lengths steps
    | Pad(low, high, interior) ->
        requireEach name "widths" low.Length a
        { a with Shape = pad a low high interior }
    | Gather axis ->
        requireIndex name b
        requireAxis name axis a

        {
            a with
                Shape = Array.concat [ a.Shape[.. axis - 1]; b.Shape; a.Shape[axis + 1 ..] ] |> Shape.possible name
        }
    | ScatterAdd(axis, size) ->
        requireIndex name b
        let places = b.Shape.Length

        if
            axis < 0
            || axis + places > a.Shape.Length
            || not (Shape.same a.Shape[axis .. axis + places - 1] b.Shape)
        then
            invalidShape name $"updates {a.Shape} must have the index' shape {b.Shape} from axis {axis} on"

        {
            a with
                Shape =
                    Array.concat [ a.Shape[.. axis - 1]; [| size |]; a.Shape[axis + places ..] ] |> Shape.possible name
        }
    | GatherAlong axis ->
        along name axis a b
        { a with Shape = b.Shape }
    | ScatterAlong(axis, size) ->
        requireIndex name b

        requireAxis name axis a

        if not (Shape.same a.Shape b.Shape) then
            invalidShape name $"updates {a.Shape} and index {b.Shape} must have one shape"

        { a with Shape = Shape.withAxis axis size a.Shape |> Shape.possible name }
    | ArgSort(axis, _, count) ->
        requireAxis name axis a

        if count < 0 || count > a.Shape[axis] then
            invalidShape "argsort" $"the first {count} were asked for, axis {axis} of {a.Shape} has {a.Shape[axis]}"

        { Shape = Shape.withAxis axis count a.Shape; DType = DType.Int32 }
    | Random(_, shape, t) ->
        if a.DType <> DType.Int64 then
            invalidArg "key" $"random: the key is {a.DType}; make one with Key.create"

        { Shape = Array.append a.Shape shape |> Shape.possible "random"; DType = t }

/// The results' shapes and element types.
let inferMany (op: ManyOp) (xs: Spec[]) : Spec[] =
    match op with
    | Concat axis ->
        requireAxis "concat" axis xs[0]

        for x in xs do
            if x.DType <> xs[0].DType then
                invalidArg "dtype" $"concat: {xs[0].DType} and {x.DType} do not mix; cast one of them"

            if
                x.Shape.Length <> xs[0].Shape.Length
                || not (Shape.same (Shape.withAxis axis 0 x.Shape) (Shape.withAxis axis 0 xs[0].Shape))
            then
                invalidShape
                    "concat"
                    $"{xs[0].Shape} and {x.Shape} differ in more than axis {axis}, along which they are joined"

        [|
            {
                xs[0] with
                    Shape =
                        let total = xs |> Array.sumBy (fun x -> int64 x.Shape[axis])

                        xs[0].Shape
                        |> Array.mapi (fun i d -> if i = axis then total else int64 d)
                        |> Shape.ofSizes "concat"
            }
        |]
    | Split(axis, sizes) ->
        let x = xs[0]
        requireAxis "split" axis x

        if Array.exists (fun n -> n < 0) sizes || Array.sumBy int64 sizes <> int64 x.Shape[axis] then
            invalidShape
                "split"
                $"pieces of {Shape.list sizes} do not add up to axis {axis} of {x.Shape}; each is 0 or more"

        sizes |> Array.map (fun n -> { x with Shape = Shape.withAxis axis n x.Shape })
    | Linear(op, onFailure) -> linear op onFailure xs
    | Scan s ->
        s.Body.OutputSpecs
        |> Array.mapi (fun i y ->
            if i < s.Carry then
                y
            else
                { y with Shape = Array.append [| s.Length |] y.Shape |> Shape.possible "scan" })
    | Cond(whenTrue, _) -> whenTrue.OutputSpecs
    | While w -> w.Body.OutputSpecs
    | Call p -> p.Graph.OutputSpecs
    | Custom e -> e.Infer xs
