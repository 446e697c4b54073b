/// Products that take along what is added to them: which do, that nobody sees it in the numbers, and that a state leaf is
/// still written in place.
module Functional.Tests.ProductTests

open Expecto
open Functional
open Functional.Compile
open Functional.Operations
open Functional.Tests.Programs

let private a, b = normal 40 [ 9; 5 ], normal 41 [ 5; 7 ]
let private x, row = normal 42 [ 9; 7 ], normal 43 [ 7 ]

let private arrays (tensors: Tensor[]) = tensors |> Array.map (Tensor.value "test")

/// The number of kernels with and without the pass, after comparing what both compute.
let private kernels f (arguments: Tensor list) =
    let program = compiled (fun (arguments: Tensor list) -> f arguments)
    program.Prepare arguments
    let graph, inputs = Simplify.graph program.Programs[0].Graph, arrays (Array.ofList arguments)

    let run passes =
        let runner = Runner(graph, passes)
        runner.Run inputs |> Array.map (fun y -> Concrete y :> Tensor), runner.Plan.Steps.Length

    let results, fused = run Fuse.allPasses
    let plain, apart = run { Fuse.allPasses with Products = false }
    Expect.equal (Array.map2 distance results plain) (Array.create plain.Length 0.0) "the same bits"
    fused, apart

let private counts name f arguments expected = test name { Expect.equal (kernels f arguments) expected "kernels" }

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
