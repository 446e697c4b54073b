namespace Functional

// The core: a tensor is a value at a level, and `Bind` hands an operation to the innermost level among its inputs.
//
// A level is one running transformation: a gradient being recorded, a tangent being carried forward, a batch, a trace.
// It sees an operation, does its own work, and expresses that work as operations on the tensors one level further out;
// at the bottom there are only concrete tensors, and the kernels. So transformations nest in any order and to any
// depth, nothing is ambient, and the dispatch is on the data alone: what a thread does depends on its arguments.
//
// Nothing here knows a rule of calculus. Every transformation is a room of its own further down the compile order.

open System
open System.Runtime.CompilerServices
open System.Threading
open Functional.Kernels
open Functional.Operations

module internal Tags =
    let mutable private last = 0L
    let next () = Interlocked.Increment &last

/// A tensor was used after its transformation had returned.
[<Sealed>]
type internal EscapedException(level: obj, message: string) =
    inherit InvalidOperationException(message)
    member _.Level = level

/// One running transformation. Its tag tells it from every other, also from other runs of the same kind; an inner
/// transformation starts later, so its tag is larger.
[<AbstractClass; AllowNullLiteral>]
type Level =
    val Tag: int64
    /// The transformation as the user knows it: grad, jvp, vmap, compile.
    val Name: string

    [<DefaultValue>]
    val mutable private closed: bool

    new(name) = { Tag = Tags.next (); Name = name }

    /// Ends the level: its tag dies when its transformation returns.
    member l.Close() = l.closed <- true

    /// Refuses to work for a tensor that outlived its transformation.
    member l.Check() =
        if l.closed then
            raise (
                EscapedException(
                    l,
                    $"a tensor escaped from the {l.Name} that made it: its derivative is gone; return it from the function that is transformed (valueAndGradAux hands on what else a function returns), or take its value with Tensor.detach inside that function, before it returns"
                )
            )

    /// What the operation means at this level; at least one input lives here, and none further in.
    abstract Process1: op: Op * a: Tensor -> Tensor
    abstract Process2: op: Op * a: Tensor * b: Tensor -> Tensor
    abstract Process3: op: Op * a: Tensor * b: Tensor * c: Tensor -> Tensor
    abstract ProcessMany: op: ManyOp * inputs: Tensor[] -> Tensor[]
    /// This level's tensor as the level outside sees it, without its derivative; an error where there is no one value
    /// (vmap) or none yet (compile).
    abstract Detach: operation: string * a: Tensor -> Tensor

/// An immutable n-dimensional array of numbers, or a stand-in for one inside a transformation. Shape and element type
/// are known at every level.
/// Tensors are not compared by F#'s `=`: two of the same numbers would not be equal, being two objects. `equal` compares
/// elementwise, `obj.ReferenceEquals` objects.
and [<AbstractClass; AllowNullLiteral; NoEquality; NoComparison; StructuredFormatDisplay("{Display}")>] Tensor =
    /// The innermost transformation this tensor takes part in; null for a concrete one.
    val Level: Level
    /// The sizes of the axes; empty for a single number. Not to be written to.
    val Shape: int[]
    val DType: DType

    new(level, shape, dtype) = { Level = level; Shape = shape; DType = dtype }

    /// The number of axes.
    member t.Rank = t.Shape.Length
    /// The number of elements.
    member t.Size = Shape.size t.Shape
    member t.Display = t.ToString()

    static member inline private Inner(a: Level, b: Level) : Level =
        if isNull a then b
        elif isNull b || a.Tag >= b.Tag then a
        else b

    /// Performs an operation of one input at the innermost level present.
    static member Bind(op: Op, a: Tensor) : Tensor =
        if isNull a.Level then
            let x = Unsafe.As<Concrete> a

            match op with
            | Unary u when isNull x.Storage -> Concrete(Scalars.Unary(u, x.DType, x.Bits), x.DType)
            | _ -> Concrete(Evaluate.evaluate op x.Value Unchecked.defaultof<_> Unchecked.defaultof<_>)
        else
            a.Level.Process1(op, a)

    /// Performs an operation of two inputs at the innermost level present.
    static member Bind(op: Op, a: Tensor, b: Tensor) : Tensor =
        let level = Tensor.Inner(a.Level, b.Level)

        if isNull level then
            let x, y = Unsafe.As<Concrete> a, Unsafe.As<Concrete> b

            match op with
            | Binary o when isNull x.Storage && isNull y.Storage && x.DType = y.DType ->
                Concrete(Scalars.Binary(o, x.DType, x.Bits, y.Bits), x.DType)
            | _ -> Concrete(Evaluate.evaluate op x.Value y.Value Unchecked.defaultof<_>)
        else
            level.Process2(op, a, b)

    /// Performs an operation of three inputs at the innermost level present.
    static member Bind(op: Op, a: Tensor, b: Tensor, c: Tensor) : Tensor =
        let level = Tensor.Inner(Tensor.Inner(a.Level, b.Level), c.Level)

        if isNull level then
            Concrete(
                Evaluate.evaluate
                    op
                    (Unsafe.As<Concrete> a).Value
                    (Unsafe.As<Concrete> b).Value
                    (Unsafe.As<Concrete> c).Value
            )
        else
            level.Process3(op, a, b, c)

    /// Performs an operation of many inputs or results at the innermost level present.
    static member Bind(op: ManyOp, inputs: Tensor[]) : Tensor[] =
        let mutable level: Level = null

        for x in inputs do
            level <- Tensor.Inner(level, x.Level)

        if isNull level then
            Interpret.many op (inputs |> Array.map (fun x -> Unsafe.As<Concrete>(x).Value))
            |> Array.map (fun v -> Concrete v :> Tensor)
        else
            level.ProcessMany(op, inputs)

    override t.ToString() =
        match t with
        | :? Concrete as c -> Printing.Print c.Value
        | _ -> $"<{t.Level.Name}: {t.DType} {Shape.show t.Shape}>"

    /// The elements as text with so many decimals, so wide, and so much left out as the options say.
    /// Example: `printfn "%s" ((Tensor.ofSeq [ 1.0 / 3.0 ]).ToString(PrintOptions(Precision = 8)))`
    member t.ToString(options: PrintOptions) =
        match t with
        | :? Concrete as c -> Printing.Print(c.Value, options)
        | _ -> t.ToString()

    static member (+)(a: Tensor, b: Tensor) = Tensor.Bind(Prim.add, a, b)
    static member (-)(a: Tensor, b: Tensor) = Tensor.Bind(Prim.sub, a, b)
    static member (*)(a: Tensor, b: Tensor) = Tensor.Bind(Prim.mul, a, b)
    /// a/b; of integers the quotient without its fraction, as in .NET: −7/2 is −3, and by 0 it is 0, since
    /// `where` and branches of examples compute what nobody looks at.
    static member (/)(a: Tensor, b: Tensor) = Tensor.Bind(Prim.div, a, b)
    /// The remainder of a/b, with the sign of a, as in .NET: −7 % 2 is −1. Of integers by 0 it is a itself, of floats NaN.
    static member (%)(a: Tensor, b: Tensor) = Tensor.Bind(Prim.rem, a, b)
    /// a ** b; of integers it wraps around, and a negative exponent gives 1/aⁿ without its fraction, where 1/0 is 0: 2 ** −1
    /// is 0, (−1) ** −3 is −1.
    static member Pow(a: Tensor, b: Tensor) = Tensor.Bind(Prim.pow, a, b)
    static member (~-)(a: Tensor) = Tensor.Bind(Prim.neg, a)

    // A host number takes the element type of the tensor it meets.
    static member (+)(a: Tensor, b: float) = Tensor.Bind(Prim.add, a, Concrete.Host(b, a.DType))
    static member (+)(a: float, b: Tensor) = Tensor.Bind(Prim.add, Concrete.Host(a, b.DType), b)
    static member (-)(a: Tensor, b: float) = Tensor.Bind(Prim.sub, a, Concrete.Host(b, a.DType))
    static member (-)(a: float, b: Tensor) = Tensor.Bind(Prim.sub, Concrete.Host(a, b.DType), b)
    static member (*)(a: Tensor, b: float) = Tensor.Bind(Prim.mul, a, Concrete.Host(b, a.DType))
    static member (*)(a: float, b: Tensor) = Tensor.Bind(Prim.mul, Concrete.Host(a, b.DType), b)
    static member (/)(a: Tensor, b: float) = Tensor.Bind(Prim.div, a, Concrete.Host(b, a.DType))
    static member (/)(a: float, b: Tensor) = Tensor.Bind(Prim.div, Concrete.Host(a, b.DType), b)
    static member (%)(a: Tensor, b: float) = Tensor.Bind(Prim.rem, a, Concrete.Host(b, a.DType))
    static member Pow(a: Tensor, b: float) = Tensor.Bind(Prim.pow, a, Concrete.Host(b, a.DType))
    static member Pow(a: float, b: Tensor) = Tensor.Bind(Prim.pow, Concrete.Host(a, b.DType), b)

    // F#'s own functions (exp, sqrt, abs …) look for these.
    static member Abs(a: Tensor) = Tensor.Bind(Prim.abs, a)
    static member Exp(a: Tensor) = Tensor.Bind(Prim.exp, a)
    static member Log(a: Tensor) = Tensor.Bind(Prim.log, a)

    /// The decimal logarithm, exact of the powers of ten.
    static member Log10(a: Tensor) =
        let y = Tensor.Bind(Prim.log, a) * (1.0 / Math.Log 10.0)
        let whole = Tensor.Bind(Prim.round, y)
        let size = Tensor.Pow(10.0, Tensor.Bind(Prim.abs, whole))
        let small = Tensor.Bind(Compare Comparison.Less, whole, Concrete.Host(0.0, a.DType))
        let power = Tensor.Bind(Select, small, 1.0 / size, size)

        let finite =
            Tensor.Bind(Compare Comparison.Less, Tensor.Bind(Prim.abs, y), Concrete.Host(infinity, a.DType))

        let exact = Tensor.Bind(Prim.logicalAnd, finite, Tensor.Bind(Prim.equal, power, a))
        // as a constant, so that the derivative is the logarithm's
        let missing = Tensor.Bind(Select, exact, whole - y, Concrete.Host(0.0, a.DType))
        y + Tensor.Bind(StopGradient, missing)

    static member Sqrt(a: Tensor) = Tensor.Bind(Prim.sqrt, a)
    static member Sin(a: Tensor) = Tensor.Bind(Prim.sin, a)
    static member Cos(a: Tensor) = Tensor.Bind(Prim.cos, a)
    static member Tan(a: Tensor) = Tensor.Bind(Prim.tan, a)
    static member Asin(a: Tensor) = Tensor.Bind(Prim.asin, a)
    static member Acos(a: Tensor) = Tensor.Bind(Prim.acos, a)
    static member Atan(a: Tensor) = Tensor.Bind(Prim.atan, a)
    static member Atan2(a: Tensor, b: Tensor) = Tensor.Bind(Prim.atan2, a, b)
    static member Sinh(a: Tensor) = Tensor.Bind(Prim.sinh, a)
    static member Cosh(a: Tensor) = Tensor.Bind(Prim.cosh, a)
    static member Tanh(a: Tensor) = Tensor.Bind(Prim.tanh, a)
    static member Floor(a: Tensor) = Tensor.Bind(Prim.floor, a)
    static member Ceiling(a: Tensor) = Tensor.Bind(Prim.ceil, a)
    static member Round(a: Tensor) = Tensor.Bind(Prim.round, a)

/// A tensor whose numbers are there: an array held inline.
and [<Sealed; AllowNullLiteral>] Concrete =
    inherit Tensor
    val Storage: Storage
    val Bits: int64

    new(v: NDArray) = { inherit Tensor(null, v.Shape, v.DType); Storage = v.Storage; Bits = v.Bits }

    /// A single number by its bits, as `NDArray.Bits` holds them.
    new(bits: int64, dtype: DType) = { inherit Tensor(null, Shape.scalar, dtype); Storage = null; Bits = bits }

    member x.Value = NDArray.OfParts(x.Shape, x.Storage, x.Bits, x.DType)

    /// A host number as a 0-d tensor of an element type.
    static member Host(value: float, dtype: DType) : Tensor =
        if dtype.IsFloat() then
            Concrete(
                BitConverter.DoubleToInt64Bits(if dtype = DType.Float32 then float (float32 value) else value),
                dtype
            )
        else
            let n = int64 value

            if float n <> value then
                invalidArg
                    "value"
                    $"{value} is not a whole number and would not survive as {dtype}; cast the tensor to a float type first"

            Concrete(NDArray.OfInteger(n, dtype))
