/// Compiled loops: run in parts by rows on several threads, with the same bits. Columns cut from wider values, and put
/// together to them.
module Functional.Tests.LoopTests

open Expecto
open Functional
open Functional.Compiling
open Functional.Plans
open Functional.Rewrites
open Functional.Levels
open Functional.Tracing
open Functional.Operations
open Functional.Tests.Programs

/// Recurrent networks long and wide enough to be worth sharing.
let private networks: (string * (Tensor -> Tensor -> Tensor list)) list =
    let gradients (cell: Cell<'P, 'S>) options (key: Tensor) (x: Tensor) =
        let settings = { Cell.defaults with DType = x.DType }
        let p = cell.Initialize settings key x.Shape[2] 24
        let loss (p, x) = Recurrent.outputs cell (options x) p x |> square |> mean
        compile (valueAndGrad loss) (p, x) |> Tree.leaves |> List.ofArray

    let plain _ = Recurrent.defaults

    let masked (x: Tensor) = { Recurrent.defaults with Mask = Some(greater (sumOver [ 2 ] x) (scalar 0.0)) }

    let dropping (_: Tensor) = {
        Recurrent.defaults with
            Phase = Training(Key.create 5L)
            RecurrentDropout = 0.3
    }

    [
        "simple", gradients SimpleRnn.cell plain
        "lstm", gradients Lstm.cell plain
        "lstm from the end", gradients Lstm.cell (fun x -> { plain x with FromEnd = true })
        "lstm with a mask", gradients Lstm.cell masked
        "lstm with recurrent dropout", gradients Lstm.cell dropping
        "gru", gradients Gru.cell plain
        "gru, reset after", gradients (Gru.cellWith { Gru.defaults with ResetAfter = true }) plain
    ]

[<Tests>]
let threads =
    testSequenced
    <| testList "loops in parts" [
        for name, gradients in networks do
            for batch in [ 1; 7; 16; 37 ] do
                test $"{name}, batch {batch}: the same bits on 1, 2 and 3 threads" {
                    let x = normal 70 [ batch; 40; 5 ]

                    let run count =
                        Selection.withThreads count (fun () -> gradients (Key.create 2L) x |> List.map Tensor.toFloats)

                    let one = run 1
                    Expect.equal (run 2) one "two threads"
                    Expect.equal (run 3) one "three threads"
                }
    ]

/// Loops over indices: every step looks places up in a table and along rows, and adds to places, as an embedding, a sparse
/// loss and their gradients do. The places along rows are read where they lie, no operation before them.
let private lookups (table: Tensor, start: Tensor) (tokens: Tensor) =
    let step (h: Tensor) (token: Tensor) =
        let h = tanh (h + take 0 token table)
        h, Tensor.Bind(GatherAlong 1, softmax h, reshape [ -1; 1 ] token)

    let last, picked = scan step start tokens
    sum (square last) + sum (log picked)

let private unrolledLookups (table: Tensor, start: Tensor) (tokens: Tensor) =
    let mutable h, total = start, scalar 0.0

    for t in 0 .. tokens.Shape[0] - 1 do
        let token = tokens[t, *]
        h <- tanh (h + take 0 token table)
        total <- total + sum (log (gatherAlong -1 (reshape [ -1; 1 ] token) (softmax h)))

    sum (square h) + total

[<Tests>]
let indices =
    testSequenced
    <| testList "loops over indices" [
        for threads in 1..2 do
            for how, run in [ "eager", id; "compiled", compile ] do
                test $"{how}, {threads} threads: the values and gradients of the steps one by one" {
                    let p = normal 80 [ 6; 6 ], normal 81 [ 400; 6 ]
                    let tokens = reshape [ 5; 400 ] (Tensor.ofSeq [ for i in 0..1999 -> (7 * i + i / 13) % 6 ])
                    let whole f = valueAndGrad (fun p -> f p tokens) p
                    let expected, (dTable, dStart) = whole unrolledLookups

                    let found, (foundTable, foundStart) =
                        Selection.withThreads threads (fun () ->
                            run (fun tokens -> valueAndGrad (fun p -> lookups p tokens) p) tokens)

                    Expect.isLessThan (distance found expected) 1e-9 "value"
                    Expect.isLessThan (distance foundTable dTable) 1e-10 "the table's gradient"
                    Expect.isLessThan (distance foundStart dStart) 1e-12 "the start's gradient"
                }
    ]

/// A random program of columns: cut, changed, put together, multiplied.
let private columns (seed: int) (a: Tensor, b: Tensor, w: Tensor) : Tensor =
    let random = System.Random seed
    let pool = ResizeArray [ a; b; a * b ]
    let pick () = pool[random.Next pool.Count]

    for _ in 1..10 do
        let x, y = pick (), pick ()

        pool.Add(
            match random.Next 8 with
            | 0 ->
                let parts = split -1 [ 2; 1; 3 ] x
                concat -1 [ tanh parts[2]; parts[0] * 0.5; sigmoid parts[1] ]
            | 1 -> concat -1 [ x[*, 3..] * y[*, ..2]; x[*, ..2] ]
            | 2 -> concat -1 [ sin x[*, 1..2]; y[*, ..1] * y[*, 4..]; cos x[*, 4..] ]
            | 3 -> x *@ w * 0.3 + y
            | 4 -> x * y[*, ..0] + y[*, 5..5]
            | 5 -> x + y[0, *] * 0.1
            | 6 ->
                let parts = split -1 [ 3; 3 ] (x + y)
                let z = exp (-(square parts[0])) * parts[1]
                concat -1 [ z; z ]
            | _ -> x - 0.5 * tanh y
        )

    pool |> Seq.fold (fun total x -> total + mean x) (scalar 0.0)

[<Tests>]
let columnPrograms =
    testList "columns" [
        for seed in 1..60 do
            test $"program {seed}, value and gradient" {
                let input = normal (3000 + seed) [ 5; 6 ], normal (4000 + seed) [ 5; 6 ], normal (5000 + seed) [ 6; 6 ]
                let eager = valueAndGrad (columns seed) input
                Expect.isLessThanOrEqual (distance eager (compile (valueAndGrad (columns seed)) input)) 1e-13 "compiled"
            }
        test "gates cut from one product and put together are one kernel" {
            let gates (x: Tensor) =
                let parts = split -1 [ 4; 4; 4 ] (x *@ normal 80 [ 3; 12 ])
                concat -1 [ sigmoid parts[0] * tanh parts[1]; tanh parts[2]; sigmoid parts[1] ]

            let c = compiled gates
            let x = normal 81 [ 5; 3 ]
            Expect.isLessThanOrEqual (distance (gates x) (c.Invoke x)) 1e-13 "the value"

            Expect.equal
                ((Seq.head c.Programs).Runner.Plan.Steps |> Array.map _.Name)
                [| "matmul"; "sigmoid tanh mul tanh sigmoid"; "concat in place" |]
                "kernels"
        }
    ]
