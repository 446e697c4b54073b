/// Memory: what is released throws and is used again, what is exposed never is, what is unreachable comes back.
module Functional.Tests.Kernels.StorageTests

#nowarn "9" // addresses show which memory is used again

open System
open System.Runtime.CompilerServices
open System.Threading.Tasks
open FSharp.NativeInterop
open Expecto
open Functional
open Functional.Kernels

let private sizes = [ 0; 4; 1023; 1024; 5000; 65535; 65536; 777_777; 3_000_001 ]

/// A size that no other test asks for: what is found again is what was given back here.
let private rare = 9_123_456

/// Where a large storage lies; it never moves.
let private address (storage: Storage) =
    use pointer = fixed &storage.GetPinnableReference()
    NativePtr.toNativeInt pointer

[<MethodImpl(MethodImplOptions.NoInlining)>]
let private forgotten () = address (Storage.Allocate rare)

/// The first element that a span of an array shows after the array has been forgotten and others were made.
[<MethodImpl(MethodImplOptions.NoInlining)>]
let private seenThroughSpan () =
    let span =
        NDArray.Of<float>([| rare / 8 |], ReadOnlySpan(Array.replicate (rare / 8) 1.0)).AsSpan<float>()

    GC.Collect()
    GC.WaitForPendingFinalizers()

    for _ in 1..5 do
        Storage.Allocate(rare).Span<float>().Fill 2.0

    span[0] + span[span.Length - 1]

[<Tests>]
let tests =
    testSequenced
    <| testList "storage" [
        testCase "room for as many bytes as asked for"
        <| fun () ->
            for bytes in sizes do
                let storage = Storage.Allocate bytes
                Expect.equal (storage.ByteLength, storage.Span<byte>().Length) (bytes, bytes) "length"
                storage.Span<byte>().Fill 7uy

        testCase "memory on large pages is memory like any other"
        <| fun () ->
            for bytes in [ (4 <<< 20) - 1; (4 <<< 20) + 1; 9 <<< 20 ] do
                let storage = Storage.Allocate bytes
                let written = storage.Span<byte>()

                for i in 0..4095 .. bytes - 1 do
                    written[i] <- byte (i * 7)

                for i in 0..4095 .. bytes - 1 do
                    Expect.equal (storage.Span<byte>()[i]) (byte (i * 7)) $"byte {i} of {bytes}"

                storage.Release()

        testCase "large memory is aligned to cache lines"
        <| fun () ->
            for bytes in [ 65536; 777_777; 3_000_001 ] do
                Expect.equal (address (Storage.Allocate bytes) % 64n) 0n "address"

        testCase "released storage throws"
        <| fun () ->
            for bytes in sizes do
                let storage = Storage.Allocate bytes
                storage.Release()
                storage.Release()
                Expect.isTrue storage.IsReleased "IsReleased"
                Expect.throwsT<ObjectDisposedException> (fun () -> storage.Span<byte>().Clear()) "Span"
                Expect.throwsT<ObjectDisposedException> (fun () -> address storage |> ignore) "pin"

        testCase "released memory is used again"
        <| fun () ->
            let first = Storage.Allocate rare
            let place = address first
            first.Release()
            let second = Storage.Allocate rare
            Expect.equal (address second) place "address"
            second.Release()

        testCase "forgotten memory is used again"
        <| fun () ->
            // as long as the pool has room: garbage of earlier tests must not take it
            let budget = Storage.Budget
            Storage.Budget <- 1L <<< 30

            try
                GC.Collect()
                GC.WaitForPendingFinalizers()
                let place = forgotten ()
                GC.Collect()
                GC.WaitForPendingFinalizers()
                let again = Storage.Allocate rare
                Expect.equal (address again) place "address"
                again.Release()
            finally
                Storage.Budget <- budget

        testCase "exposed storage cannot be released"
        <| fun () ->
            for bytes in sizes do
                let storage = Storage.Allocate bytes
                storage.Expose()
                storage.Release()
                Expect.isTrue (storage.IsExposed && not storage.IsReleased) "still there"
                storage.Span<byte>().Clear()

        testCase "a span outlives its array"
        <| fun () -> Expect.equal (seenThroughSpan ()) 2.0 "first + last"

        testCase "much that is alive does not collect again and again"
        <| fun () ->
            let before = Storage.Budget
            Storage.Budget <- 1L <<< 20

            try
                let collections = GC.CollectionCount 1
                let alive = Array.init 400 (fun _ -> Storage.Allocate 100_000)
                // a full collection is one of generation 1 too: at a steady distance there would be 80
                Expect.isLessThan (GC.CollectionCount 1 - collections) 60 "collections for 40 MB under a budget of 1 MB"

                for storage in alive do
                    storage.Release()
            finally
                Storage.Budget <- before

        testCase "released from several threads at once, once"
        <| fun () ->
            for _ in 1..200 do
                let storage = Storage.Allocate rare
                Parallel.For(0, 4, (fun _ -> storage.Release())) |> ignore
                let one, other = Storage.Allocate rare, Storage.Allocate rare
                Expect.notEqual (address one) (address other) "two arrays in one place"
                one.Release()
                other.Release()

        testCase "trimming lets go of working memory"
        <| fun () ->
            let held () =
                GC.Collect()
                GC.WaitForPendingFinalizers()
                Storage.Trim()
                GC.GetTotalMemory true

            let add (count: int) =
                // sums of 32 bits are kept as 64 on the way
                Functional.Tests.Selection.withThreads 1 (fun () ->
                    scatterAdd 0 count (Tensor.ofSeq [ 1; 1 ]) (Tensor.full DType.Float32 [ 2 ] 1.0)
                    |> sum
                    |> Tensor.toFloat)

            Expect.equal (add 10) 2.0 "a small one"
            let before = held ()
            Expect.equal (add 4_000_000) 2.0 "a large one"
            Expect.isLessThan (held () - before) 8_000_000L "growth in bytes"
            Expect.equal (add 4_000_000) 2.0 "again"

        testCase "thousands of eager training steps leave nothing behind"
        <| fun () ->
            let x = Tensor.full DType.Float32 [ 32; 256 ] 0.5
            let loss w = mean (square (tanh (matmul w x)))
            let mutable w = Tensor.full DType.Float32 [ 256; 256 ] 0.01

            let train steps =
                for _ in 1..steps do
                    w <- addScaled -0.1 w (grad loss w)

                GC.GetTotalMemory true

            let before = train 300
            // kept, the parameters alone would be 500 MB
            Expect.isLessThan (train 2000 - before) 16_000_000L "growth in bytes"

        testCase "a thousand eager steps of an LSTM leave nothing behind"
        <| fun () ->
            let x = Random.uniform DType.Float32 [ 16; 30; 8 ] (Key.create 1L)
            let loss p = x |> lstm Recurrent.defaults p |> square |> mean
            let optimizer = Optimizer.adam 1e-3
            let mutable p = Lstm.init (Key.create 2L) 8 64
            let mutable state = Optimizer.init optimizer p

            let train steps =
                for _ in 1..steps do
                    let next, after = Optimizer.step optimizer (grad loss p) state p
                    p <- next
                    state <- after

                GC.GetTotalMemory true

            let before = train 100
            // kept, what one step stacks would be 800 MB
            Expect.isLessThan (train 1000 - before) 8_000_000L "growth in bytes"
    ]
