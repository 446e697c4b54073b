/// The pool of threads: every chunk once, exceptions to the caller, calls from inside and from several threads.
module Functional.Tests.Kernels.WorkersTests

open System
open System.Threading
open System.Threading.Tasks
open Expecto
open Functional.Kernels
open Functional.Tests.Selection

/// Counts how often each chunk ran, after doing something in it.
[<Struct>]
type private Counting(counts: int[], inside: Action<int>) =
    interface IChunks with
        member _.Run chunk =
            inside.Invoke chunk
            Interlocked.Increment &counts[chunk] |> ignore

let private run chunks (inside: int -> unit) =
    let counts = Array.zeroCreate chunks
    let mutable body = Counting(counts, inside)
    Workers.Run(chunks, &body)
    counts

let private allOnce counts = Expect.all counts ((=) 1) "every chunk ran once"

let private on threads f () = withThreads threads f

let private wait (_: int) = Thread.SpinWait 200

[<Tests>]
let tests =
    testSequenced
    <| testList "workers" [
        for threads in [ 1; 2; 3; 5 ] do
            testCase $"every chunk once, on {threads} threads"
            <| on threads (fun () ->
                for chunks in [ 0; 1; 2; 3; 7; 100 ] do
                    for _ in 1..20 do
                        allOnce (run chunks wait))

        testCase "after a pause, when the helpers sleep"
        <| on 3 (fun () ->
            for _ in 1..20 do
                Thread.Sleep 2
                allOnce (run 10 wait))

        testCase "an exception reaches the caller, and the pool works on"
        <| on 3 (fun () ->
            for _ in 1..50 do
                let fail chunk =
                    if chunk = 5 then
                        invalidOp "chunk 5"

                Expect.throwsT<InvalidOperationException> (fun () -> run 10 fail |> ignore) "thrown in a chunk"
                allOnce (run 10 wait))

        testCase "from inside a chunk"
        <| on 3 (fun () -> allOnce (run 10 (fun _ -> allOnce (run 10 (fun _ -> allOnce (run 3 wait))))))

        testCase "from several threads at once"
        <| on 3 (fun () ->
            let once () =
                for _ in 1..100 do
                    allOnce (run 8 wait)

            Task.WaitAll [| for _ in 1..4 -> Task.Run once |])

        testCase "the number of threads changes while they work"
        <| on 2 (fun () ->
            for i in 1..100 do
                allOnce (
                    run 8 (fun chunk ->
                        if chunk = 0 then
                            Workers.Count <- 1 + i % 4)
                ))

        testCase "nothing is allocated"
        <| on 2 (fun () ->
            let mutable body = Counting(Array.zeroCreate 8, wait)
            Workers.Run(8, &body)
            let before = GC.GetAllocatedBytesForCurrentThread()

            for _ in 1..1000 do
                Workers.Run(8, &body)

            Expect.equal (GC.GetAllocatedBytesForCurrentThread() - before) 0L "bytes")

        testCase "at least one thread"
        <| fun () -> Expect.throwsT<ArgumentOutOfRangeException> (fun () -> Workers.Count <- 0) "0 threads"
    ]
