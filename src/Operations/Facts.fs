/// What is true of each primitive, whoever asks: the compiler's passes, the interpreters, the release of memory. Total over
/// `Op`, so that a new primitive does not compile until it has an answer to everything.
[<RequireQualifiedAccess>]
module Functional.Operations.Facts

open Functional
open Functional.Kernels

/// How the elements of a result are computed, as far as fusion can go along.
[<Struct; RequireQualifiedAccess>]
type Fusion =
    /// One by one, by a loop's function with a number of its own and a factor.
    | Elementwise of kind: FusedKind * number: int * factor: float
    /// As products, one by one where sums have one term.
    | Product
    | Apart

/// What is true of a primitive.
[<Struct>]
type OpFacts = {
    /// The result is the operand's elements, in its memory and under another shape: no work at all.
    IsView: bool
    /// The evaluator may return the operand's own memory: then that is not given back as long as the result lives.
    MayAlias: bool
    /// It can fail on the values it is given: an index out of range. Arithmetic cannot, that of integers being defined for
    /// every pair.
    CanFail: bool
    /// How fusion sees it.
    Fusion: Fusion
}

let private plain = { IsView = false; MayAlias = false; CanFail = false; Fusion = Fusion.Apart }

let private elementwise kind number factor = { plain with Fusion = Fusion.Elementwise(kind, number, factor) }

/// The facts of a primitive.
let ofOp (op: Op) : OpFacts =
    match op with
    | Unary u -> elementwise FusedKind.Unary (int u) 0.0
    | Binary o -> elementwise FusedKind.Binary (int o) 0.0
    | Compare o -> elementwise FusedKind.Compare (int o) 0.0
    | Select -> elementwise FusedKind.Select 0 0.0
    | AddScaled scale -> elementwise FusedKind.AddScaled 0 scale
    // where there is nothing to cast, to spread, to sum
    | Cast _ -> { elementwise FusedKind.Cast 0 0.0 with MayAlias = true }
    | Broadcast _
    | Reduce _
    | StopGradient -> { plain with MayAlias = true }
    | Reshape _ -> { plain with IsView = true; MayAlias = true }
    | MatMul _
    | Dense -> { plain with Fusion = Fusion.Product }
    | Gather _
    | ScatterAdd _
    | GatherAlong _
    | ScatterAlong _ -> { plain with CanFail = true }
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
    | ArgSort _
    | Random _ -> plain

/// What is true of an operation with many inputs or results by itself, whatever graphs it holds.
[<Struct>]
type ManyOpFacts = {
    /// The evaluator may return, in any result, any operand's own memory.
    MayAlias: bool
    /// It can fail on the values it is given.
    CanFail: bool
    /// It may go on forever.
    CanHang: bool
}

/// The facts of an operation with many inputs or results.
let ofMany (op: ManyOp) : ManyOpFacts =
    let facts mayAlias canFail canHang = { MayAlias = mayAlias; CanFail = canFail; CanHang = canHang }

    match op with
    | Concat _
    | Split _ -> facts false false false
    | Linear _ -> facts false true false
    | Scan _
    | Cond _
    | Call _ -> facts true false false
    | While _ -> facts true false true
    | Custom _ -> facts true true true

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
