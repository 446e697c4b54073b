/// What is kept of programs (graphs, plans, traces) and let go again never changes a number: programs are made, run with
/// changing sizes, dropped and made again in a random order, more of them than the caches keep, each beside plain numbers.
module Functional.Tests.CacheTests

open System
open Expecto
open Functional

/// A program, made with numbers of its own; each run draws sizes and data, and compares.
type private Kept = { Run: Random -> unit }

let private close = Programs.closeTo 1e-11

let private numbers (random: Random) n = Array.init n (fun _ -> random.NextDouble() - 0.5)

/// A few sizes, so that some come again.
let private size (random: Random) = 1 + random.Next 7

/// c ← c·a + x, where a is a number of the host, a closed-over number or a closed-over vector.
let private loop (random: Random) : Kept =
    let a, kind = random.NextDouble(), random.Next 3
    let count = size random

    let factor =
        match kind with
        | 0 -> fun (c: Tensor) -> c * a
        | 1 ->
            let t = scalar a
            fun c -> c * t
        | _ ->
            let t = Tensor.full DType.Float64 [ count ] a
            fun c -> c * t

    let run (start, xs: Tensor) = scan (fun c x -> let c = factor c + x in c, c) start xs
    let compiled = compile run

    {
        Run =
            fun random ->
                let length = random.Next 5
                let start, data = numbers random count, numbers random (length * count)
                let mutable c = start

                let all = [|
                    for t in 0 .. length - 1 do
                        c <- Array.mapi (fun j v -> v * a + data[t * count + j]) c
                        yield! c
                |]

                let given = Tensor.ofSeq start, Tensor.ofSeq data |> reshape [ length; count ]
                let last, stacked = (if random.Next 2 = 0 then run else compiled) given
                close "a loop's last" c last
                close "a loop's steps" all stacked
                // Σ last is linear in the start: its gradient is aᵗ
                let slope = grad (fun s -> sum (fst (run (s, snd given)))) (fst given)
                close "a loop's gradient" (Array.create count (a ** float length)) slope
    }

/// A function of a tensor of any size and of settings.
let private settings (random: Random) : Kept =
    let a = random.NextDouble()

    let f =
        compile (fun (x: Tensor, k: int, name: string) ->
            if name = "sum" then sum (x * a) + float k else x * a - float k)

    {
        Run =
            fun random ->
                let rows, columns, k = size random, size random, random.Next 3
                let x = numbers random (rows * columns)
                let t = Tensor.ofSeq x |> reshape [ rows; columns ]

                if random.Next 2 = 0 then
                    close "a number" [| a * Array.sum x + float k |] (f (t, k, "sum"))
                else
                    close "an array" (x |> Array.map (fun v -> v * a - float k)) (f (t, k, "each"))
    }

/// w ← w·a + mean x, with the sum of the new w as its result.
let private stepper (random: Random) : Kept =
    let a = random.NextDouble()
    let mutable w = numbers random (size random)

    let kept =
        new Stepper<_, _, _>((fun (w: Tensor) (x: Tensor) -> let w = w * a + mean x in w, sum w), Tensor.ofSeq w)

    {
        Run =
            fun random ->
                let x = numbers random (size random)
                kept.Step(Tensor.ofSeq x)
                w <- w |> Array.map (fun v -> v * a + Array.average x)
                close "a stepper's state" w (kept.Snapshot())
                close "a stepper's result" [| Array.sum w |] kept.Result
    }

/// Branches in a loop in a batch.
let private batch (random: Random) : Kept =
    let a, bound = random.NextDouble(), random.NextDouble() - 0.5

    let each (x: Tensor) =
        let step c = cond (less (mean c) (scalar bound)) (fun c -> c + a) (fun c -> c * 0.5) c

        fst (scan (fun c (_: Tensor) -> step c, ()) x (Tensor.zeros [ 3 ]))

    let compiled = compile (vmap each)

    {
        Run =
            fun random ->
                let examples = size random
                let x = numbers random examples

                let host v = Seq.fold (fun c _ -> if c < bound then c + a else c * 0.5) v [ 1..3 ]

                let t = Tensor.ofSeq x |> reshape [ examples; 1 ]
                let y = if random.Next 2 = 0 then vmap each t else compiled t
                close "a batch" (Array.map host x) y
    }

let private kinds = [| loop; settings; stepper; batch |]

[<Tests>]
let tests =
    testList "caches" [
        for seed in 1..4 do
            testCase $"made, run, dropped and made again in any order, {seed}"
            <| fun () ->
                let random = Random seed
                let kept = ResizeArray<Kept>()

                for i in 1 .. Selection.draws 600 do
                    try
                        match random.Next 8 with
                        | 0
                        | 1 -> kept.Add(kinds[random.Next kinds.Length] random)
                        | 2 when kept.Count > 100 -> kept.RemoveRange(random.Next 50, 50)
                        | 3 when random.Next 20 = 0 ->
                            GC.Collect()
                            GC.WaitForPendingFinalizers()
                        | _ when kept.Count > 0 -> kept[random.Next kept.Count].Run random
                        | _ -> ()
                    with :? AssertException as e ->
                        failtest $"draw {i}: {e.Message}"
            |> Selection.slow
    ]
