/// Products that take along what is added to them: which do, that nobody sees it in the numbers, and that a state leaf is
/// still written in place. And weights that a loop's steps share: which are copied for them, and the same of the numbers.
module Functional.Tests.ProductTests

open Expecto
open Functional
open Functional.Compiling
open Functional.Plans
open Functional.Rewrites
open Functional.Operations
open Functional.Tests.Programs

let private a, b = normal 40 [ 9; 5 ], normal 41 [ 5; 7 ]
let private x, row = normal 42 [ 9; 7 ], normal 43 [ 7 ]

let private arrays (tensors: Tensor[]) = tensors |> Array.map (Tensor.value "test")

let private counts name f arguments expected =
    test name {
        Expect.equal (kernels { Passes.all with Products = false } (f >> List.singleton) arguments) expected "kernels"
    }

/// How many weights a program copies for the steps of its loops, after comparing what it computes with and without.
let private copies (steps: int) (batch: int) body =
    let xs, w = normal 51 [ steps; batch; 6 ], normal 52 [ 6; 6 ]
    let f (xs, w: Tensor) = scan (body w) (Tensor.zeros [ batch; 6 ]) xs |> fst |> sum
    let program = compiled (valueAndGrad f)
    program.Prepare((xs, w))
    let graph, inputs = Simplify.graph program.Programs[0].Graph, arrays [| xs; w |]

    let run passes =
        let runner = Runner(graph, passes)
        runner.Run inputs |> Array.map (fun y -> Concrete y :> Tensor), runner.Plan

    let results, plan = run Passes.all
    let plain, apart = run { Passes.all with Pack = false }
    Expect.equal (Array.map2 distance results plain) (Array.create plain.Length 0.0) "the same bits"
    // 6 rows of 6 columns, filled up to the widest panel
    let loops =
        plan.Steps
        |> Seq.sumBy (fun step ->
            (match step with
             | :? Loop as l -> l.Parts.Length
             | _ -> 0))

    let parts = loops / 2
    int (plan.Bytes - apart.Bytes) / (6 * 32 * 8 * parts)

let private shares name steps batch body expected =
    test name { Expect.equal (copies steps batch body) expected "weights copied in the loop and the one backwards" }

[<Tests>]
let weights =
    testList "weights of loops" [
        shares "are copied once for all steps" 9 3 (fun w h x -> (let y = tanh (h *@ w + x) in y, y)) 2
        shares "not for a few steps" 4 3 (fun w h x -> (let y = tanh (h *@ w + x) in y, y)) 0
        shares "not for a single row" 9 1 (fun w h x -> (let y = tanh (h *@ w + x) in y, y)) 0
        shares "not what the loop makes" 9 3 (fun w h x -> (let y = tanh (h *@ (w + sum h) + x) in y, y)) 0
    ]

[<Tests>]
let tests =
    testList "sums in products" [
        counts "x + a·b" (fun t -> t[2] + t[0] *@ t[1]) [ a; b; x ] (1, 2)
        counts "a·b + row" (fun t -> t[0] *@ t[1] + t[2]) [ a; b; row ] (1, 2)
        counts "x − a·b" (fun t -> t[2] - t[0] *@ t[1]) [ a; b; x ] (1, 2)
        counts "x + s·(aᵀ·x)" (fun t -> addScaled -0.3 t[1] (transpose t[0] *@ t[2])) [ a; b; x ] (1, 2)
        counts "the sum of two products" (fun t -> t[0] *@ t[1] + t[0] *@ t[2]) [ a; b; b + 1.0 ] (2, 3)
        counts
            "a product that is read twice stays"
            (fun t -> (let p = t[0] *@ t[1] in sin p + (t[2] + p)))
            [ a; b; x ]
            (2, 2)
        counts "an elementwise kernel adds it itself" (fun t -> sin t[2] + t[0] *@ t[1]) [ a; b; x ] (2, 2)
        counts
            "but not where the product waits for it"
            (fun t -> (let h = sin t[0] in h + h *@ t[1]))
            [ x; normal 50 [ 7; 7 ] ]
            (2, 3)
        counts "a column is not added on the way" (fun t -> t[0] *@ t[1] + t[2]) [ a; b; normal 44 [ 9; 1 ] ] (2, 2)
        counts "one matrix for several" (fun t -> t[2] + t[0] *@ t[1]) [ normal 45 [ 3; 9; 5 ]; b; x ] (2, 2)
        counts
            "several matrices"
            (fun t -> t[2] + t[0] *@ t[1])
            [ normal 45 [ 3; 9; 5 ]; normal 46 [ 3; 5; 7 ]; normal 47 [ 3; 9; 7 ] ]
            (1, 2)

        for terms in [ 40; 900 ] do
            test $"a step of gradient descent, {terms} examples" {
                let x, y = normal 48 [ terms; 5 ], normal 49 [ terms; 7 ]
                let loss (x, y) w = sum (square (x *@ w - y))

                let step w batch =
                    let value, gradient = valueAndGrad (loss batch) w
                    addScaled -0.001 w gradient, value

                use stepper = new Stepper<_, _, _>(step, b)
                let mutable w = b

                for _ in 1..3 do
                    stepper.Step((x, y))
                    w <- fst (step w (x, y))

                Expect.equal (distance w (stepper.Snapshot())) 0.0 "the same bits as eagerly"
                let text = stepper.Explain()
                // unfinished sums of many terms must not lie where the old weights are
                Expect.equal (text.Contains "written in place") (terms = 40) text
            }
    ]
