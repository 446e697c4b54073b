/// Finding the one bad number in much data, at the speed of memory.
module internal Functional.Finite

open System
open System.Numerics
open System.Runtime.InteropServices
open Functional.Kernels
open Functional.Operations

/// Vectors looked at before their sum is.
[<Literal>]
let private Block = 64

/// The place of the first NaN or infinity; −1 where there is none.
let private firstOf<'T
    when 'T: unmanaged and 'T: (new: unit -> 'T) and 'T: struct and 'T :> ValueType and 'T :> INumberBase<'T>>
    (xs: ReadOnlySpan<'T>)
    : int =
    let vectors = MemoryMarshal.Cast<'T, Vector<'T>> xs
    let mutable block = 0
    let mutable clean = true

    while clean && block < vectors.Length do
        // x − x is 0 for every finite x and NaN for the others
        let mutable sum = Vector<'T>.Zero
        let stop = min vectors.Length (block + Block)

        for i in block .. stop - 1 do
            sum <- sum + (vectors[i] - vectors[i])

        clean <- Vector.EqualsAll(sum, Vector<'T>.Zero)

        if clean then
            block <- stop

    let mutable i = block * Vector<'T>.Count

    while i < xs.Length && 'T.IsFinite xs[i] do
        i <- i + 1

    if i < xs.Length then i else -1

/// The place of a flat index in a shape: `[3, 17]`.
let place (shape: int[]) (flat: int) : string = "[" + Shape.list (Shape.place shape flat) + "]"

/// An error that says where, if a concrete tensor of floats holds a NaN or an infinity.
let require (operation: string) (what: string) (t: Tensor) : unit =
    if t.DType.IsFloat() then
        let array = (Tensor.value operation t).InStorage()

        let first =
            match t.DType with
            | DType.Float32 -> firstOf<float32>(Span.op_Implicit (array.Storage.Span<float32>()))
            | _ -> firstOf<float>(Span.op_Implicit (array.Storage.Span<float>()))

        Storage.KeepAlive array.Storage

        if first >= 0 then
            let value = t |> reshape [| t.Size |] |> index 0 first |> Tensor.toFloat

            invalidArg
                what
                $"{operation}: the {what} hold {value} at {place t.Shape first} (their shape is {Shape.show t.Shape}); every number must be finite: remove the example or fill the gap before training"
