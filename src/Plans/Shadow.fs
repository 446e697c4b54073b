namespace Functional.Plans

// Shadow memory: who wrote each byte that a plan works in. A debug plan asks before each kernel whether what it reads is still
// what the right step wrote, and after each step of a loop whether what is carried is what the body returned. The tests run
// every plan so; otherwise there is none, and a plan asks once a run.

open System.Collections.Generic
open System.Runtime.CompilerServices
open System.Runtime.InteropServices
open Functional
open Functional.Kernels
open Microsoft.FSharp.NativeInterop

#nowarn "9" // addresses are compared, nothing is read through them

/// A value of one run of a plan; another run's is another one.
[<Sealed; AllowNullLiteral>]
type internal Written(what: string) =
    override _.ToString() = what

/// Who wrote an array: stretches from offsets on, in order; null where that is not known.
type internal Origin = (struct (int64 * Written))[]

[<Sealed; AllowNullLiteral>]
type internal Shadow() =
    // from addresses on, each to the next
    let starts = SortedList<int64, Written>()
    let room = obj ()

    let address (x: NDArray) =
        let bytes = x.Storage.Span<byte>()

        Unsafe.AsPointer(&MemoryMarshal.GetReference bytes)
        |> NativePtr.ofVoidPtr<byte>
        |> NativePtr.toNativeInt
        |> int64

    let lengthOf (x: NDArray) = int64 x.Size * int64 (x.DType.Size())
    let isThere (x: NDArray) = not (isNull x.Storage) && x.Size > 0

    /// The place of the last start that is not above an address; −1 where there is none.
    let floor (at: int64) =
        let mutable low, high = 0, starts.Count

        while low < high do
            let middle = (low + high) / 2
            if starts.Keys[middle] <= at then low <- middle + 1 else high <- middle

        low - 1

    let at address =
        match floor address with
        | -1 -> null
        | i -> starts.Values[i]

    let fill (first: int64) (stretches: Origin) (length: int64) =
        let after = at (first + length)
        let i = floor (first - 1L) + 1

        while i < starts.Count && starts.Keys[i] < first + length do
            starts.RemoveAt i

        for struct (offset, written) in stretches do
            starts[first + offset] <- written

        if not (starts.ContainsKey(first + length)) then
            starts[first + length] <- after

    /// Stretches of one writer are one.
    let read (first: int64) (length: int64) : Origin =
        let found = List<struct (int64 * Written)>()
        found.Add(struct (0L, at first))
        let mutable last = at first
        let mutable i = floor first + 1

        while i < starts.Count && starts.Keys[i] < first + length do
            if not (obj.ReferenceEquals(starts.Values[i], last)) then
                last <- starts.Values[i]
                found.Add(struct (starts.Keys[i] - first, last))

            i <- i + 1

        found.ToArray()

    /// Whether plans made from now on have a shadow.
    static member val IsOn = false with get, set
    /// For a plan that is not part of another.
    static member ForPlan() : Shadow = if Shadow.IsOn then Shadow() else null

    /// Forgets everything: at the beginning of a run of the outermost plan.
    member _.Clear() = lock room (fun () -> starts.Clear())

    member _.Write(x: NDArray, written: Written) =
        if isThere x then
            lock room (fun () -> fill (address x) [| struct (0L, written) |] (lengthOf x))

    member _.Read(x: NDArray) : Origin = if isThere x then lock room (fun () -> read (address x) (lengthOf x)) else [||]

    member _.Copied(x: NDArray, y: NDArray) =
        if isThere x && isThere y then
            lock room (fun () -> fill (address y) (read (address x) (lengthOf x)) (lengthOf y))

    /// Refuses to go on unless an array was written by whom it should have been.
    member s.Require(what: string, expected: Origin, x: NDArray) =
        let found = s.Read x

        let agrees =
            found.Length = expected.Length
            && Array.forall2
                (fun (struct (o: int64, a: Written)) (struct (p: int64, b: Written)) ->
                    o = p && obj.ReferenceEquals(a, b))
                found
                expected

        if not agrees then
            let show (origin: Origin) =
                origin
                |> Array.map (fun (struct (offset, w)) -> if isNull w then $"{offset}: ?" else $"{offset}: {w}")
                |> String.concat ", "

            invalidOp $"internal: {what} should have been written by ({show expected}), but was by ({show found})"

/// Copies with their shadow, where there is one.
[<RequireQualifiedAccess>]
module internal Shadow =

    let copy (shadow: Shadow) (x: NDArray) (y: NDArray) =
        Elementwise.Cast(x, y)

        if not (isNull shadow) then
            shadow.Copied(x, y)
