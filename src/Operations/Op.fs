namespace Functional.Operations

open Functional

/// Shape and element type: all that is known of a value that is not there yet.
[<Struct>]
type Spec = { Shape: int[]; DType: DType }

/// How a window moves over an image that lies channels last, [n, space.., channels]; an entry for every axis of space.
type Window = {
    Size: int[]
    /// How far the window moves.
    Strides: int[]
    /// How far its places lie apart.
    Dilations: int[]
    /// How far the first window reaches out of the image.
    Low: int[]
    /// How far the last window may reach out of it.
    High: int[]
}

/// How a kernel [window.., channels / groups, features] moves over images [n, space.., channels]: a window without its size,
/// which is the kernel's. Features see the channels of their own group.
type Convolution = { Strides: int[]; Dilations: int[]; Low: int[]; High: int[]; Groups: int }

/// The closed vocabulary of the library: every computation is made of these primitives.
///
/// Interpreters are functions over this type, one room each: shapes, evaluation, the partial derivative and its
/// transpose, batching, lowering. None may use a wildcard over cases, so a new primitive does not compile until every
/// interpreter handles it. An `Op` has one result and at most three inputs; `ManyOp` carries those with more.
/// Axes are counted from the front here; the public functions translate negative ones.
type Op =
    /// x ↦ f(x), elementwise.
    | Unary of Unary
    /// (a, b) ↦ f(a, b), elementwise; the operands broadcast.
    | Binary of Binary
    /// (a, b) ↦ Bool, elementwise; the operands broadcast.
    | Compare of Comparison
    /// (mask, a, b) ↦ a where mask, else b; the operands broadcast.
    | Select
    /// x ↦ x as another element type; floats become integers by dropping the fraction.
    | Cast of DType
    /// x ↦ x, as a constant.
    | StopGradient
    /// (a, b) ↦ a + scale·b, of equal shapes: an optimiser's step in one pass.
    | AddScaled of scale: float
    /// (a, b) ↦ op(a)·op(b) over the last two axes; leading axes broadcast.
    | MatMul of transA: bool * transB: bool
    /// (x, w, b) ↦ x·w + b: x [.., m, k], w [k, n], b [n].
    | Dense
    /// (x, w) ↦ y: y[n, o, f] = Σ x[n, o·stride − low + k·dilation, c]·w[k, c, f] over taps k and channels c of f's group.
    | Conv of Convolution
    /// (x, w, b) ↦ the same + b: b [features].
    | ConvBias of Convolution
    /// (y, w) ↦ x of the given space: the transpose of Conv in x.
    | ConvInput of Convolution * space: int[]
    /// (x, y) ↦ w of the given window: the transpose of Conv in w.
    | ConvKernel of Convolution * window: int[]
    /// x ↦ the maximum of every window.
    | MaxPool of Window
    /// (t, x) ↦ the element of t where x has the maximum of the window, the first of equals: the derivative of MaxPool.
    | MaxPoolPick of Window
    /// (t, x) ↦ zeros of x's shape, with every element of t added where x has the maximum of its window.
    | MaxPoolPlace of Window
    /// (a, b) ↦ Σ a·b over axes, of equal shapes.
    | SumProduct of axes: int[] * keep: bool
    /// x ↦ its reduction over axes.
    | Reduce of Reduction * axes: int[] * keep: bool
    /// x ↦ the place of the extreme value along an axis, Int32; the axis is dropped.
    | ArgReduce of ArgReduction * axis: int
    /// x ↦ running sums or products along an axis, from the front or from the end.
    | Cumulate of Cumulation * axis: int * reverse: bool
    /// x ↦ exp(x)/Σ exp(x) along an axis.
    | Softmax of axis: int
    /// (t, y) ↦ y·(t − Σ t·y) along an axis: the derivative of softmax, linear in t and its own transpose.
    | SoftmaxScale of axis: int
    /// x ↦ x repeated to a shape it broadcasts to.
    | Broadcast of shape: int[]
    /// x ↦ the same elements in row-major order under another shape.
    | Reshape of shape: int[]
    /// x ↦ its axes permuted: axis i of the result is axis permutation[i] of x.
    | Transpose of permutation: int[]
    /// x ↦ every steps[i]-th of its elements from starts[i] on, lengths[i] of them.
    | Slice of starts: int[] * lengths: int[] * steps: int[]
    /// x ↦ x with zeros before, behind and between its elements.
    | Pad of low: int[] * high: int[] * interior: int[]
    /// x ↦ its elements in reverse order along axes.
    | Reverse of axes: int[]
    /// (x, index) ↦ the slices of x along an axis that the index names; the axis is replaced by the index' axes.
    | Gather of axis: int
    /// (updates, index) ↦ zeros of the given size along the axis, with the updates added where the index says.
    | ScatterAdd of axis: int * size: int
    /// (x, index) ↦ along an axis, the element that the index names at each place; index and result have one shape.
    | GatherAlong of axis: int
    /// (updates, index) ↦ zeros of the given size along the axis, with each update added where its index says.
    | ScatterAlong of axis: int * size: int
    /// x ↦ the places of its first `count` elements in sorted order along an axis, Int32; stable, NaN last.
    | ArgSort of axis: int * descending: bool * count: int
    /// key ↦ random numbers of a shape; the same key gives the same numbers.
    | Random of Distribution * shape: int[] * DType

/// Decompositions and solvers over the last two axes.
type LinearAlgebra =
    /// (A, B) ↦ X with A·X = B.
    | Solve
    /// (A, B) ↦ X with op(A)·X = B, where only A's lower or upper triangle is read.
    | TriangularSolve of lower: bool * transposed: bool
    /// A ↦ L, lower triangular, with L·Lᵀ = A.
    | Cholesky
    /// A ↦ (Q, R) with Q·R = A, Q's columns orthonormal, R upper triangular with non-negative diagonal.
    | Qr
    /// A ↦ (sign, log|det A|).
    | SignLogDeterminant
    /// A ↦ det A.
    | Determinant
    /// A ↦ its adjugate, the transposed cofactors: A·adj A = det A·I. The derivative of the determinant, also where A is
    /// singular.
    | Adjugate
    /// A symmetric ↦ (eigenvalues ascending, eigenvectors as columns).
    | SymmetricEigen
    /// A ↦ (U, singular values descending, Vᵀ), reduced.
    | Svd

/// What becomes of a matrix that an operation of linear algebra has no result for: one that is singular, or not positive
/// definite, or not symmetric, or not finite.
type OnFailure =
    /// An error, which ends the whole batch.
    | Raise
    /// NaN in every result of that matrix; the other matrices of a batch have theirs.
    | GiveNaN

/// What programs are made of a program, for the inputs that take part.
[<RequireQualifiedAccess; NoComparison>]
type internal Derived =
    /// The results and what the backward half reads.
    | Forward of active: bool[]
    /// The gradients.
    | Backward of active: bool[]
    /// The results and their tangents.
    | Tangents of active: bool[]
    /// All examples of a batch at once.
    | Batched of size: int * mapped: bool[]

/// The primitives with many inputs or many results. Those with sub-graphs refer back to `Op`, and so know no tensor.
[<CustomEquality; NoComparison>]
type ManyOp =
    /// xs ↦ [x₀ … xₙ] along an axis.
    | Concat of axis: int
    /// x ↦ its pieces along an axis.
    | Split of axis: int * sizes: int[]
    | Linear of LinearAlgebra * OnFailure
    /// constants ++ carry ++ stacked xs ↦ last carry ++ stacked ys.
    | Scan of Scan
    /// Bool :: operands ↦ the results of one of two graphs of the same signature.
    | Cond of whenTrue: Graph * whenFalse: Graph
    /// constants ++ carry ↦ the carry after the body was applied as long as the condition held.
    | While of While
    /// inputs ↦ a graph's outputs, run as its owner wants.
    | Call of Program
    /// A user's operation; its derivative, if it has one, comes with it.
    | Custom of External

    override a.Equals other =
        match other with
        | :? ManyOp as b ->
            match a, b with
            | Concat x, Concat y -> x = y
            | Split(x, sizes), Split(y, others) -> x = y && Shape.same sizes others
            | Linear(x, failure), Linear(y, other) -> x = y && failure = other
            | Scan x, Scan y -> x = y
            | Cond(x, u), Cond(y, v) -> obj.ReferenceEquals(x, y) && obj.ReferenceEquals(u, v)
            | While x, While y -> x = y
            | Call x, Call y -> obj.ReferenceEquals(x, y)
            | Custom x, Custom y -> obj.ReferenceEquals(x, y)
            | (Concat _ | Split _ | Linear _ | Scan _ | Cond _ | While _ | Call _ | Custom _), _ -> false
        | _ -> false

    override a.GetHashCode() =
        let identity (x: obj) = System.Runtime.CompilerServices.RuntimeHelpers.GetHashCode x

        match a with
        | Concat x -> 8 * x
        | Split(x, sizes) -> 1 + 8 * (x + 31 * hash sizes)
        | Linear(x, failure) -> 2 + 8 * (hash x + 31 * hash failure)
        | Scan x -> 3 + 8 * identity x.Body
        | Cond(x, _) -> 4 + 8 * identity x
        | While x -> 5 + 8 * identity x.Body
        | Call x -> 6 + 8 * identity x
        | Custom x -> 7 + 8 * identity x

/// A loop over the first axis: body: constants ++ carry ++ one place of each x ↦ carry ++ one place of each y.
and [<CustomEquality; NoComparison>] Scan = {
    Body: Graph
    Constants: int
    Carry: int
    Length: int
    /// Whether it runs from the last place to the first.
    FromEnd: bool
} with

    override a.Equals other =
        match other with
        | :? Scan as b ->
            obj.ReferenceEquals(a.Body, b.Body)
            && a.Constants = b.Constants
            && a.Carry = b.Carry
            && a.Length = b.Length
            && a.FromEnd = b.FromEnd
        | _ -> false

    override a.GetHashCode() = System.Runtime.CompilerServices.RuntimeHelpers.GetHashCode a.Body

    /// What stands beside its inputs, or the body's, by sections.
    member internal s.Inputs(items: 'T[]) : Sections<'T> = Sections.cut s.Constants s.Carry items
    /// What stands beside its results, or the body's.
    member internal s.Results(items: 'T[]) : Sections<'T> = Sections.cut 0 s.Carry items

/// condition: constants ++ carry ↦ Bool; body: constants ++ carry ↦ carry.
and [<ReferenceEquality>] While = {
    Condition: Graph
    Body: Graph
    Constants: int
} with

    /// What stands beside its inputs, by sections.
    member internal w.Inputs(items: 'T[]) : Sections<'T> = Sections.cut w.Constants (items.Length - w.Constants) items

/// One step of a graph. Its results are the next values in line.
and Instruction =
    | Constant of Functional.Kernels.NDArray
    /// An operation on values; −1 where it has no second or third input.
    | Apply of Op * a: int * b: int * c: int
    | ApplyMany of ManyOp * arguments: int[] * results: int

/// A function as data: values are numbered, first the inputs, then the results of the instructions in order.
and [<Sealed; AllowNullLiteral>] Graph(inputs: int, instructions: Instruction[], specs: Spec[], outputs: int[]) =
    /// How many of the values are inputs.
    member _.Inputs = inputs
    member _.Instructions = instructions
    /// Shape and element type of every value.
    member _.Specs = specs
    member _.Outputs = outputs
    member _.OutputSpecs = outputs |> Array.map (fun i -> specs[i])
    member _.InputSpecs = Array.sub specs 0 inputs

/// A graph with a way to run it.
and [<AbstractClass>] Program(graph: Graph) =
    // batches of ever new sizes are among them
    let derived = Recent<Derived, System.Lazy<Program>>(32)
    member _.Graph = graph

    /// A program made from this one, once.
    member internal p.Derive(what: Derived, make: unit -> Graph) : Program =
        let found =
            match derived.TryFind what with
            | ValueSome found -> found
            | ValueNone -> derived.Add(what, lazy (p.With(make ())))

        found.Value

    abstract Run: inputs: Functional.Kernels.NDArray[] -> Functional.Kernels.NDArray[]
    /// Another graph, to be run the same way: derivatives and batches of this program are made so.
    abstract With: Graph -> Program

/// The door in the vocabulary for rules of the user's own. Knows arrays; the derivative is added where tensors exist.
and [<AbstractClass>] External(name: string) =
    member _.Name = name
    /// The results' shapes and element types.
    abstract Infer: inputs: Spec[] -> Spec[]
    /// The results' values.
    abstract Evaluate: inputs: Functional.Kernels.NDArray[] -> Functional.Kernels.NDArray[]
    /// The same as a graph of ordinary operations, where there is one.
    abstract Open: inputs: Spec[] -> Graph voption
    default _.Open _ = ValueNone
    /// How many of its first inputs it hands on as they are, to be taken for something new; 0 if it is no such barrier.
    abstract HandsOn: int
    default _.HandsOn = 0
    /// The graph that it is, where it is one, so that it is known which results depend on which inputs.
    abstract Body: Graph voption
    default _.Body = ValueNone

/// The primitives without parameters, made once.
[<RequireQualifiedAccess>]
module Prim =
    let neg = Unary Unary.Neg
    let abs = Unary Unary.Abs
    let sign = Unary Unary.Sign
    let exp = Unary Unary.Exp
    let expm1 = Unary Unary.Expm1
    let log = Unary Unary.Log
    let log1p = Unary Unary.Log1p
    let sqrt = Unary Unary.Sqrt
    let rsqrt = Unary Unary.Rsqrt
    let square = Unary Unary.Square
    let reciprocal = Unary Unary.Reciprocal
    let sin = Unary Unary.Sin
    let cos = Unary Unary.Cos
    let tan = Unary Unary.Tan
    let asin = Unary Unary.Asin
    let acos = Unary Unary.Acos
    let atan = Unary Unary.Atan
    let sinh = Unary Unary.Sinh
    let cosh = Unary Unary.Cosh
    let tanh = Unary Unary.Tanh
    let asinh = Unary Unary.Asinh
    let acosh = Unary Unary.Acosh
    let atanh = Unary Unary.Atanh
    let sigmoid = Unary Unary.Sigmoid
    let softplus = Unary Unary.Softplus
    let relu = Unary Unary.Relu
    let erf = Unary Unary.Erf
    let erfc = Unary Unary.Erfc
    let floor = Unary Unary.Floor
    let ceil = Unary Unary.Ceil
    let round = Unary Unary.Round
    let logicalNot = Unary Unary.Not
    let add = Binary Binary.Add
    let sub = Binary Binary.Sub
    let mul = Binary Binary.Mul
    let div = Binary Binary.Div
    let pow = Binary Binary.Pow
    let atan2 = Binary Binary.Atan2
    let max = Binary Binary.Max
    let min = Binary Binary.Min
    let rem = Binary Binary.Rem
    let logicalAnd = Binary Binary.And
    let logicalOr = Binary Binary.Or
    let logicalXor = Binary Binary.Xor
    let tanhScale = Binary Binary.TanhScale
    let sigmoidScale = Binary Binary.SigmoidScale
    let reluScale = Binary Binary.ReluScale
    let equal = Compare Comparison.Equal
    let greater = Compare Comparison.Greater
    let private products = [| MatMul(false, false); MatMul(false, true); MatMul(true, false); MatMul(true, true) |]
    let matmul (transA: bool) (transB: bool) = products[(if transA then 2 else 0) + (if transB then 1 else 0)]
