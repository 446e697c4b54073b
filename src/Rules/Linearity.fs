/// Which primitives are linear in which of their inputs: what a tangent map may be made of. JAX refuses others at the
/// same place, where the map is transposed.
[<RequireQualifiedAccess>]
module internal Functional.Rules.Linearity

open Functional
open Functional.Operations

/// Whether the result is linear in the inputs that vary, the others being constant. A constant summand does not count: it
/// may well be zero.
let isLinear (op: Op) (a: bool) (b: bool) (c: bool) : bool =
    match op with
    // constants, as JAX' stop_gradient makes them
    | StopGradient
    | Unary Unary.Neg
    | Binary(Binary.Add | Binary.Sub)
    | Select
    | AddScaled _
    | Reduce(Reduction.Sum, _, _)
    | Cumulate(Cumulation.Sum, _, _)
    | Broadcast _
    | Reshape _
    | Transpose _
    | Slice _
    | Pad _
    | Reverse _ -> true
    | Cast dtype -> dtype.IsFloat()
    | Binary Binary.Mul
    | MatMul _
    | SumProduct _
    | Dense
    | Conv _
    | ConvBias _
    | ConvInput _
    | ConvKernel _ -> not (a && b)
    | Binary(Binary.Div | Binary.TanhScale | Binary.SigmoidScale | Binary.ReluScale)
    | MaxPoolPick _
    | MaxPoolPlace _
    | SoftmaxScale _
    | Gather _
    | ScatterAdd _
    | GatherAlong _
    | ScatterAlong _ -> not b
    | Unary _
    | Binary _
    | Compare _
    | MaxPool _
    | Reduce _
    | ArgReduce _
    | Cumulate _
    | Softmax _
    | ArgSort _
    | Random _ -> false

/// The same of an operation with many inputs. Control flow and other rules are taken at their word.
let isLinearMany (op: ManyOp) (varied: bool[]) : bool =
    match op with
    | Linear((Solve | TriangularSolve _), _) -> not varied[0]
    | Linear _ -> false
    | Concat _
    | Split _
    | Scan _
    | Cond _
    | While _
    | Call _
    | Custom _ -> true
