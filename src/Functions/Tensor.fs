/// Making tensors, looking at them, and getting their numbers out. Their mathematics is in `Functions`.
[<CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module Functional.Tensor

open System
open Functional.Kernels
open Functional.Operations
open MathNet.Numerics.LinearAlgebra

let internal ofArrayValue (v: NDArray) : Tensor = Concrete v

/// The array behind a concrete tensor; inside a transformation an error that names what would do.
let internal value (operation: string) (t: Tensor) : NDArray =
    match t with
    | :? Concrete as c -> c.Value
    | _ ->
        // where there is no value to read, a level on the way out says so
        let mutable outer = t

        while not (isNull outer.Level) do
            outer <- outer.Level.Detach(operation, outer)

        invalidOp
            $"{operation}: this tensor takes part in {t.Level.Name}, and reading its numbers would cut the derivative in silence; take Tensor.detach of it first if that is meant{UserCode.place ()}"

/// Shape and element type, all that a trace knows of a tensor.
let internal specOf (t: Tensor) : Spec = { Shape = t.Shape; DType = t.DType }

/// The storage of a concrete tensor; null for others, and for a single number.
let internal storage (t: Tensor) : Storage =
    match t with
    | :? Concrete as c -> c.Storage
    | _ -> null

// ---- making

/// A single number, Float64. Example: `scalar 2.0 * x`.
let scalar (value: float) : Tensor = Concrete(NDArray.OfFloat(value, DType.Float64))

/// A single number of an element type.
let scalarOf (dtype: DType) (value: float) : Tensor = Concrete.Host(value, dtype)

/// Elements under a shape, in row-major order; the element type is that of the numbers (float32, float, int, int64, bool).
/// Example: `Tensor.create [2; 3] [| 1.0 .. 6.0 |]`.
let create (shape: int seq) (elements: 'T[]) : Tensor =
    let shape = Array.ofSeq shape |> Shape.possible "Tensor.create"

    if Shape.size shape <> elements.Length then
        invalidShape
            "Tensor.create"
            $"the shape {shape} has {Shape.size shape} places, {elements.Length} elements were given"

    Concrete(NDArray.Of<'T>(shape, ReadOnlySpan elements))

/// A vector of numbers. Example: `Tensor.ofSeq [1.0; 2.0; 3.0]`.
let ofSeq (elements: 'T seq) : Tensor =
    let xs = Array.ofSeq elements
    create [ xs.Length ] xs

/// A matrix from a two-dimensional array.
let ofArray2D (elements: 'T[,]) : Tensor =
    create [ Array2D.length1 elements; Array2D.length2 elements ] (elements |> Seq.cast<'T> |> Array.ofSeq)

/// A matrix from rows of equal length.
let ofRows (rows: #('T seq) seq) : Tensor =
    let rows = rows |> Seq.map Array.ofSeq |> Array.ofSeq
    let width = if rows.Length = 0 then 0 else rows[0].Length

    match rows |> Array.tryFindIndex (fun r -> r.Length <> width) with
    | Some i ->
        invalidArg
            "rows"
            $"Tensor.ofRows: row {i} has {rows[i].Length} numbers, row 0 has {width}; all rows must be equally long"
    | None -> create [ rows.Length; width ] (Array.concat rows)

/// A vector of MathNet's.
let ofVector (v: Vector<float>) : Tensor = create [ v.Count ] (v.ToArray())

/// A matrix of MathNet's.
let ofMatrix (m: Matrix<float>) : Tensor = create [ m.RowCount; m.ColumnCount ] (m.ToRowMajorArray())

let private filled operation dtype (shape: int seq) value : Tensor =
    Concrete(Evaluate.full operation (Array.ofSeq shape) (Concrete.Host(value, dtype) :?> Concrete).Value)

/// Equal elements of an element type. Example: `Tensor.full DType.Float32 [2; 3] 0.5`.
let full (dtype: DType) (shape: int seq) (value: float) : Tensor = filled "Tensor.full" dtype shape value

/// Float64 zeros.
let zeros (shape: int seq) = filled "Tensor.zeros" DType.Float64 shape 0.0
/// Float64 ones.
let ones (shape: int seq) = filled "Tensor.ones" DType.Float64 shape 1.0
/// Zeros of another tensor's shape and element type.
let zerosLike (t: Tensor) = full t.DType t.Shape 0.0
/// Ones of another tensor's shape and element type.
let onesLike (t: Tensor) = full t.DType t.Shape 1.0

/// 0, 1 … count − 1 as Int32.
let iota (count: int) : Tensor =
    let shape = Evaluate.stored "Tensor.iota" [| count |] DType.Int32
    create shape (Array.init count id)

/// From start in steps, up to and without stop. Example: `Tensor.arange 0.0 1.0 0.25` is 0, 0.25, 0.5, 0.75.
let arange (start: float) (stop: float) (step: float) : Tensor =
    let count = ceil ((stop - start) / step)

    if step = 0.0 || Double.IsNaN count || count > float ArraySize.Limit then
        invalidArg
            "step"
            $"Tensor.arange: from {start} to {stop} in steps of {step} are no number of elements that an array holds"

    let count = max 0.0 count |> int
    let shape = Evaluate.stored "Tensor.arange" [| count |] DType.Float64
    create shape (Array.init count (fun i -> start + float i * step))

/// Evenly spaced numbers, both ends included; a single one is the start.
let linspace (start: float) (stop: float) (count: int) : Tensor =
    let shape = Evaluate.stored "Tensor.linspace" [| count |] DType.Float64
    let last = count - 1

    create
        shape
        (Array.init count (fun i ->
            if i > 0 && i = last then
                stop
            else
                start + (stop - start) * float i / float (max 1 last)))

/// The identity matrix of an element type.
let eye (dtype: DType) (n: int) : Tensor =
    let shape = Evaluate.stored "Tensor.eye" [| n; n |] dtype

    let identity one =
        let elements = Array.zeroCreate (Shape.size shape)

        for i in 0 .. n - 1 do
            elements[i * n + i] <- one

        create shape elements

    match dtype with
    | DType.Float32 -> identity 1.0f
    | DType.Float64 -> identity 1.0
    | DType.Int32 -> identity 1
    | DType.Int64 -> identity 1L
    | DType.Bool -> identity true
    | _ -> invalidArg "dtype" $"Tensor.eye: {dtype} is no element type"

// ---- looking

/// The sizes of the axes.
let shape (t: Tensor) = t.Shape
/// The number of axes.
let rank (t: Tensor) = t.Shape.Length
/// The number of elements.
let size (t: Tensor) = Shape.size t.Shape
/// The element type.
let dtype (t: Tensor) = t.DType

/// The tensor's value outside every transformation it takes part in: no derivative flows through the result.
/// Under grad and jvp this is how host control flow looks at numbers; under vmap and compile there is no one value yet,
/// and it is an error.
let rec detach (t: Tensor) : Tensor = if isNull t.Level then t else detach (t.Level.Detach("Tensor.detach", t))

// ---- getting numbers out

/// The elements, without a copy, in row-major order. The span stays valid as long as it is held.
let span<'T when 'T: unmanaged and 'T: (new: unit -> 'T) and 'T: struct and 'T :> ValueType>
    (t: Tensor)
    : ReadOnlySpan<'T> =
    (value "Tensor.span" t).AsSpan<'T>()

/// A copy of the elements, in row-major order; 'T must be the .NET type of the elements.
let toArray<'T when 'T: unmanaged and 'T: (new: unit -> 'T) and 'T: struct and 'T :> ValueType> (t: Tensor) : 'T[] =
    (value "Tensor.toArray" t).ToArray<'T>()

/// A copy of the elements as floats, whatever their type.
let toFloats (t: Tensor) : float[] =
    let v = value "Tensor.toFloats" t

    match v.DType with
    | DType.Float64 -> v.ToArray<float>()
    | DType.Float32 -> Array.map float (v.ToArray<float32>())
    | DType.Int32 -> Array.map float (v.ToArray<int>())
    | DType.Int64 -> Array.map float (v.ToArray<int64>())
    | DType.Bool -> Array.map float (v.ToArray<byte>())

/// The one number of a tensor of size 1.
let toFloat (t: Tensor) : float =
    if Shape.size t.Shape <> 1 then
        invalidShape
            "Tensor.toFloat"
            $"a tensor of shape {t.Shape} is not one number; index it, reduce it or use Tensor.toFloats"

    (toFloats t)[0]

/// The one truth value of a tensor of size 1; a number is true when it is not 0.
let toBool (t: Tensor) : bool = toFloat t <> 0.0

/// A copy as a two-dimensional array of floats.
let toArray2D (t: Tensor) : float[,] =
    if t.Shape.Length <> 2 then
        invalidShape "Tensor.toArray2D" $"needs two axes, got {t.Shape}"

    let xs = toFloats t
    Array2D.init t.Shape[0] t.Shape[1] (fun i j -> xs[i * t.Shape[1] + j])

/// A copy as a vector of MathNet's.
let toVector (t: Tensor) : Vector<float> =
    if t.Shape.Length <> 1 then
        invalidShape "Tensor.toVector" $"needs one axis, got {t.Shape}"

    Vector<float>.Build.Dense(toFloats t)

/// A copy as a matrix of MathNet's.
let toMatrix (t: Tensor) : Matrix<float> = Matrix<float>.Build.DenseOfArray(toArray2D t)
