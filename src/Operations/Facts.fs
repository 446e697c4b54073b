/// What is true of each primitive, whoever asks: the compiler's passes, the interpreters, the release of memory. Each fact is
/// a total function over `Op`, so that a new primitive does not compile until it has all of them.
[<RequireQualifiedAccess>]
module Functional.Operations.Facts

open Functional
open Functional.Kernels

/// Whether the result is the operand's elements, in its memory and under another shape: no work at all.
let isView (op: Op) : bool =
    match op with
    | Reshape _ -> true
    | Unary _
    | Binary _
    | Compare _
    | Select
    | Cast _
    | StopGradient
    | AddScaled _
    | MatMul _
    | Dense
    | Conv _
    | ConvBias _
    | ConvInput _
    | ConvKernel _
    | MaxPool _
    | MaxPoolPick _
    | MaxPoolPlace _
    | SumProduct _
    | Reduce _
    | ArgReduce _
    | Cumulate _
    | Softmax _
    | SoftmaxScale _
    | Broadcast _
    | Transpose _
    | Slice _
    | Pad _
    | Reverse _
    | Gather _
    | ScatterAdd _
    | GatherAlong _
    | ScatterAlong _
    | ArgSort _
    | Random _ -> false

/// Whether the evaluator may return the operand's own memory: then that is not given back as long as the result lives.
let mayAlias (op: Op) : bool =
    match op with
    // where there is nothing to cast, to spread, to sum
    | Cast _
    | Broadcast _
    | Reduce _
    | StopGradient
    | Reshape _ -> true
    | Unary _
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
    | MaxPool _
    | MaxPoolPick _
    | MaxPoolPlace _
    | SumProduct _
    | ArgReduce _
    | Cumulate _
    | Softmax _
    | SoftmaxScale _
    | Transpose _
    | Slice _
    | Pad _
    | Reverse _
    | Gather _
    | ScatterAdd _
    | GatherAlong _
    | ScatterAlong _
    | ArgSort _
    | Random _ -> false

/// The same of an operation with many inputs or results: any result, any operand.
let mayAliasMany (op: ManyOp) : bool =
    match op with
    | Concat _
    | Split _
    | Linear _ -> false
    | Scan _
    | Cond _
    | While _
    | Call _
    | Custom _ -> true

/// Whether the operation can fail on the values it is given: an index out of range. Arithmetic cannot, that of integers
/// being defined for every pair.
let canFail (op: Op) : bool =
    match op with
    | Gather _
    | ScatterAdd _
    | GatherAlong _
    | ScatterAlong _ -> true
    | Unary _
    | Binary _
    | Compare _
    | Select
    | Cast _
    | StopGradient
    | AddScaled _
    | MatMul _
    | Dense
    | Conv _
    | ConvBias _
    | ConvInput _
    | ConvKernel _
    | MaxPool _
    | MaxPoolPick _
    | MaxPoolPlace _
    | SumProduct _
    | Reduce _
    | ArgReduce _
    | Cumulate _
    | Softmax _
    | SoftmaxScale _
    | Broadcast _
    | Reshape _
    | Transpose _
    | Slice _
    | Pad _
    | Reverse _
    | ArgSort _
    | Random _ -> false

/// Whether the operation itself, whatever graphs it holds, can fail on the values it is given.
let canFailMany (op: ManyOp) : bool =
    match op with
    | Linear _
    | Custom _ -> true
    | Concat _
    | Split _
    | Scan _
    | Cond _
    | While _
    | Call _ -> false

/// Whether the operation itself may go on forever.
let canHang (op: ManyOp) : bool =
    match op with
    | While _
    | Custom _ -> true
    | Concat _
    | Split _
    | Linear _
    | Scan _
    | Cond _
    | Call _ -> false

/// How the elements of a result are computed, as far as fusion can go along.
[<Struct; RequireQualifiedAccess>]
type Fusion =
    /// One by one, by a loop's function with a number of its own and a factor.
    | Elementwise of kind: FusedKind * number: int * factor: float
    /// As products, one by one where sums have one term.
    | Product
    | Apart

/// How fusion sees the operation.
let fusion (op: Op) : Fusion =
    match op with
    | Unary u -> Fusion.Elementwise(FusedKind.Unary, int u, 0.0)
    | Binary o -> Fusion.Elementwise(FusedKind.Binary, int o, 0.0)
    | Compare o -> Fusion.Elementwise(FusedKind.Compare, int o, 0.0)
    | Select -> Fusion.Elementwise(FusedKind.Select, 0, 0.0)
    | Cast _ -> Fusion.Elementwise(FusedKind.Cast, 0, 0.0)
    | AddScaled scale -> Fusion.Elementwise(FusedKind.AddScaled, 0, scale)
    | MatMul _
    | Dense -> Fusion.Product
    | StopGradient
    | Conv _
    | ConvBias _
    | ConvInput _
    | ConvKernel _
    | MaxPool _
    | MaxPoolPick _
    | MaxPoolPlace _
    | SumProduct _
    | Reduce _
    | ArgReduce _
    | Cumulate _
    | Softmax _
    | SoftmaxScale _
    | Broadcast _
    | Reshape _
    | Transpose _
    | Slice _
    | Pad _
    | Reverse _
    | Gather _
    | ScatterAdd _
    | GatherAlong _
    | ScatterAlong _
    | ArgSort _
    | Random _ -> Fusion.Apart

/// The same operation for another number of rows, where the result's first axis is the batch: what names the result's shape
/// names another.
let withRows (rows: int) (op: Op) : Op =
    let first (shape: int[]) = Shape.withAxis 0 rows shape

    match op with
    | Broadcast shape -> Broadcast(first shape)
    | Reshape shape -> Reshape(first shape)
    | Slice(starts, lengths, steps) -> Slice(starts, first lengths, steps)
    | Random(distribution, shape, dtype) -> Random(distribution, first shape, dtype)
    | Unary _
    | Binary _
    | Compare _
    | Select
    | Cast _
    | StopGradient
    | AddScaled _
    | MatMul _
    | Dense
    | Conv _
    | ConvBias _
    // their shapes are those of space, of windows, of other axes
    | ConvInput _
    | ConvKernel _
    | MaxPool _
    | MaxPoolPick _
    | MaxPoolPlace _
    | SumProduct _
    | Reduce _
    | ArgReduce _
    | Cumulate _
    | Softmax _
    | SoftmaxScale _
    | Transpose _
    | Pad _
    | Reverse _
    | Gather _
    | ScatterAdd _
    | GatherAlong _
    | ScatterAlong _
    | ArgSort _ -> op

/// The name of an operation as the user knows it.
let name (op: Op) =
    match op with
    | Unary u -> (string u).ToLowerInvariant()
    | Binary b -> (string b).ToLowerInvariant()
    | Compare c -> (string c).ToLowerInvariant()
    | Select -> "where"
    | Cast _ -> "cast"
    | StopGradient -> "stopGradient"
    | AddScaled _ -> "addScaled"
    | MatMul _ -> "matmul"
    | Dense -> "affine"
    | Conv _
    | ConvBias _ -> "conv"
    | ConvInput _ -> "convTranspose"
    | ConvKernel _ -> "convKernel"
    | MaxPool _ -> "maxPool"
    | MaxPoolPick _ -> "maxPoolPick"
    | MaxPoolPlace _ -> "maxPoolPlace"
    | SumProduct _ -> "sumProduct"
    | Reduce(r, _, _) -> (string r).ToLowerInvariant()
    | ArgReduce(r, _) -> (string r).ToLowerInvariant()
    | Cumulate(Cumulation.Sum, _, _) -> "cumsum"
    | Cumulate(Cumulation.Prod, _, _) -> "cumprod"
    | Softmax _ -> "softmax"
    | SoftmaxScale _ -> "softmaxScale"
    | Broadcast _ -> "broadcastTo"
    | Reshape _ -> "reshape"
    | Transpose _ -> "transpose"
    | Slice _ -> "slice"
    | Pad _ -> "pad"
    | Reverse _ -> "reverse"
    | Gather _ -> "take"
    | ScatterAdd _ -> "scatterAdd"
    | GatherAlong _ -> "gatherAlong"
    | ScatterAlong _ -> "scatterAlong"
    | ArgSort _ -> "argsort"
    | Random _ -> "random"

/// An operation in a message that is perhaps never built: its name is made with it.
[<Struct>]
type internal Named(op: Op) =
    override _.ToString() = name op

/// The name of an operation of linear algebra as the user knows it.
let linearName (op: LinearAlgebra) (onFailure: OnFailure) =
    let name =
        match op with
        | Solve -> "solve"
        | TriangularSolve _ -> "triangularSolve"
        | Cholesky -> "cholesky"
        | Qr -> "qr"
        | SignLogDeterminant -> "signLogDeterminant"
        | Determinant -> "determinant"
        | Adjugate -> "adjugate"
        | SymmetricEigen -> "symmetricEigen"
        | Svd -> "svd"

    match onFailure with
    | Raise -> name
    | GiveNaN -> name + "OrNaN"

/// The same for an operation with many inputs or results.
let nameMany (op: ManyOp) =
    match op with
    | Concat _ -> "concat"
    | Split _ -> "split"
    | Linear(op, onFailure) -> linearName op onFailure
    | Scan _ -> "scan"
    | Cond _ -> "cond"
    | While _ -> "whileLoop"
    | Call _ -> "call"
    | Custom e -> e.Name
