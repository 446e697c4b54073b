/// Arrays for the kernels' tests: drawn at random, read as floats, and addressed one element at a time, so that every
/// kernel can be held against a definition too plain to be wrong.
module Functional.Tests.Kernels.NaiveArrays

open System
open Expecto
open Functional
open Functional.Kernels

let dtypes = [| DType.Float32; DType.Float64; DType.Int32; DType.Int64; DType.Bool |]

let size (shape: int[]) = Array.fold (*) 1 shape

/// The coordinates of the i-th element in row-major order.
let place (shape: int[]) i =
    let coordinates = Array.zeroCreate shape.Length
    let mutable rest = i

    for axis in shape.Length - 1 .. -1 .. 0 do
        coordinates[axis] <- rest % shape[axis]
        rest <- rest / shape[axis]

    coordinates

/// The row-major number of an element.
let number (shape: int[]) (coordinates: int[]) =
    Array.fold2 (fun sum size coordinate -> sum * size + coordinate) 0 shape coordinates

/// Every element of a shape from its coordinates.
let tabulate (shape: int[]) (f: int[] -> float) = Array.init (size shape) (place shape >> f)

let ofFloats (dtype: DType) (shape: int[]) (values: float[]) =
    match dtype with
    | DType.Float32 -> NDArray.Of<float32>(shape, ReadOnlySpan(Array.map float32 values))
    | DType.Float64 -> NDArray.Of<float>(shape, ReadOnlySpan values)
    | DType.Int32 -> NDArray.Of<int>(shape, ReadOnlySpan(Array.map int values))
    | DType.Int64 -> NDArray.Of<int64>(shape, ReadOnlySpan(Array.map int64 values))
    | DType.Bool -> NDArray.Of<bool>(shape, ReadOnlySpan(Array.map ((<>) 0.0) values))

let toFloats (x: NDArray) =
    match x.DType with
    | DType.Float32 -> Array.map float (x.AsSpan<float32>().ToArray())
    | DType.Float64 -> x.AsSpan<float>().ToArray()
    | DType.Int32 -> Array.map float (x.AsSpan<int>().ToArray())
    | DType.Int64 -> Array.map float (x.AsSpan<int64>().ToArray())
    | DType.Bool -> Array.map (fun value -> if value then 1.0 else 0.0) (x.AsSpan<bool>().ToArray())

/// Room for a result, full of rubbish, so that an element nobody writes is seen.
let room (dtype: DType) (shape: int[]) =
    let y = NDArray.Allocate(shape, dtype)
    y.Storage.Span<byte>().Fill(if dtype = DType.Bool then 1uy else 0xCDuy)
    y

/// Integers from −50 to 49, or truth values; 0-d arrays come inline.
let draw (random: Random) (dtype: DType) (shape: int[]) =
    let value () =
        if dtype = DType.Bool then
            float (random.Next 2)
        else
            float (random.Next(-50, 50))

    ofFloats dtype shape (Array.init (size shape) (fun _ -> value ()))

/// Ranks 0 to 5; mostly small sizes, with axes of size 1 and 0 among them, and now and then one larger than any block.
let drawShape (random: Random) =
    let rank = random.Next 6

    let large =
        if random.Next 8 > 0 then 5
        elif rank <= 2 then 90
        else 12

    Array.init rank (fun _ -> if random.Next 25 = 0 then 0 else random.Next(1, large + 1))

/// Runs a check on so many random arrays of every type.
let onArrays seed cases (check: Random -> NDArray -> unit) =
    for dtype in dtypes do
        let random = Random(seed + int dtype)

        for _ in 1..cases do
            check random (draw random dtype (drawShape random))

/// Equal elements; the first that differs is named, and what is said is only put together then.
let expectSame (actual: float[]) (expected: float[]) (name: unit -> string) =
    if actual.Length <> expected.Length then
        failtest $"{name ()}: {actual.Length} elements, expected {expected.Length}"

    // By their bits: NaN is NaN here.
    match Array.tryFindIndex id (Array.map2 (fun (a: float) b -> not (a.Equals b)) actual expected) with
    | Some i -> failtest $"{name ()}: element {i} is {actual[i]}, expected {expected[i]}"
    | None -> ()

/// A shape in an error message.
let show (numbers: int[]) = "[" + String.Join(", ", numbers) + "]"
