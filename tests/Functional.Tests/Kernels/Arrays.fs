/// Arrays for the kernels' tests: made from numbers of any type, read back as float or int64, broadcast by definition.
module Functional.Tests.Kernels.Arrays

open System
open Functional
open Functional.Kernels

let floats = [ DType.Float32; DType.Float64 ]
let integers = [ DType.Int32; DType.Int64 ]
let everyType = floats @ integers @ [ DType.Bool ]

let sizeOf (shape: int[]) = Array.fold (*) 1 shape

/// An array in storage, from floats (rounded or truncated to the type; Bool: whether not 0).
let make (dtype: DType) (shape: int[]) (values: float[]) =
    let array = NDArray.Allocate(shape, dtype)

    for i in 0 .. values.Length - 1 do
        match dtype with
        | DType.Float32 -> array.Storage.Span<float32>()[i] <- float32 values[i]
        | DType.Float64 -> array.Storage.Span<float>()[i] <- values[i]
        | DType.Int32 -> array.Storage.Span<int>()[i] <- int values[i]
        | DType.Int64 -> array.Storage.Span<int64>()[i] <- int64 values[i]
        | DType.Bool -> array.Storage.Span<byte>()[i] <- if values[i] <> 0.0 then 1uy else 0uy

    array

/// One element as an inline 0-d array.
let element (array: NDArray) i =
    let x = array.InStorage()

    match x.DType with
    | DType.Float32 -> NDArray.OfFloat(float (x.Storage.Span<float32>()[i]), x.DType)
    | DType.Float64 -> NDArray.OfFloat(x.Storage.Span<float>()[i], x.DType)
    | DType.Int32 -> NDArray.OfInteger(int64 (x.Storage.Span<int>()[i]), x.DType)
    | DType.Int64 -> NDArray.OfInteger(x.Storage.Span<int64>()[i], x.DType)
    | DType.Bool -> NDArray.OfInteger(int64 (x.Storage.Span<byte>()[i]), x.DType)

let elements (array: NDArray) = Array.init array.Size (element array)

/// An element as a float (integers: rounded to one).
let number (x: NDArray) = if x.DType.IsFloat() then x.Float else float x.Bits

let numbers array = elements array |> Array.map number

/// The bits of every element; all NaN are one.
let bits array =
    elements array
    |> Array.map (fun x ->
        if x.DType.IsFloat() && Double.IsNaN x.Float then
            0x7FF8000000000000L
        else
            x.Bits)

/// The place in x, of a shape that broadcasts to `shape`, of the element that place i of the result sees.
let place (shape: int[]) (x: int[]) i =
    let mutable rest = i
    let mutable stride = 1
    let mutable place = 0

    for back in 1 .. shape.Length do
        let index = rest % shape[shape.Length - back]
        rest <- rest / shape[shape.Length - back]

        if back <= x.Length && x[x.Length - back] > 1 then
            place <- place + index * stride
            stride <- stride * x[x.Length - back]

    place

/// Whether two numbers agree to a relative tolerance; NaN and infinities agree with themselves.
let agree tolerance (expected: float) (actual: float) =
    expected = actual
    || (Double.IsNaN expected && Double.IsNaN actual)
    || abs (expected - actual) <= tolerance * abs expected

let tolerance dtype = if dtype = DType.Float32 then 6e-7 else 2e-15

let random seed count low high =
    let random = Random(seed: int)
    Array.init count (fun _ -> low + (high - low) * random.NextDouble())

let allocate (dtype: DType) (shape: int[]) = NDArray.Allocate(shape, dtype)
