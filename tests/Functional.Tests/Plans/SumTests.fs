/// Sums that elementwise kernels make on their way: which are made so, that nobody sees it in the numbers, on any number of
/// threads, and that what they are added to is written in place.
module Functional.Tests.SumTests

open Expecto
open Functional
open Functional.Compiling
open Functional.Plans
open Functional.Rewrites
open Functional.Kernels
open Functional.Operations
open Functional.Tests.Programs

let private sum0 (x: Tensor) = sumOver [ 0 ] x
let private kernelsOf f (arguments: Tensor list) = kernels { Passes.all with Sums = false } f arguments

let private counts name f arguments expected = test name { Expect.equal (kernelsOf f arguments) expected "kernels" }

/// Every dtype, with blocks that end in the middle of rows and of pieces.
let private everywhere name f (shapes: int list list) expected =
    testList name [
        for shape in shapes do
            for dtype in [ DType.Float32; DType.Float64 ] do
                test $"{Shape.show (Array.ofList shape)} {dtype}" {
                    Expect.equal (kernelsOf f [ cast dtype (normal 60 shape) ]) expected "kernels"
                }
    ]

let private tall = [ [ 7; 3 ]; [ 128; 64 ]; [ 513; 33 ]; [ 1000; 10 ]; [ 150; 5; 7 ] ]
let private x, column, row = normal 61 [ 128; 64 ], normal 62 [ 128; 1 ], normal 63 [ 1; 64 ]

let private gradientStep (x: Tensor, y: Tensor) net =
    let value, gradient = valueAndGrad (fun n -> loss (x, y) n) net
    Tree.map2 (addScaled -0.1) net gradient, value

[<Tests>]
let tests =
    testList "sums on the way" [
        everywhere "over rows, of what is also wanted" (fun t -> (let y = tanh t[0] in [ y; sum0 y ])) tall (1, 2)
        everywhere "over everything" (fun t -> [ sum (square t[0]) ]) ([ [ 40_001 ]; [ 3 ] ] @ tall) (1, 2)
        everywhere
            "of products, as they are written"
            (fun t -> (let y = sin t[0] in [ sumProductOver [ 0 ] y t[0]; sumOver [ 0 ] (y * t[0]) ]))
            tall
            (1, 3)
        everywhere "of products, over everything" (fun t -> (let y = sin t[0] in [ inner y y ])) tall (1, 2)
        counts "of the operand" (fun t -> [ sum0 t[0]; exp t[0] ]) [ x ] (1, 2)
        counts "two sums" (fun t -> (let y = tanh t[0] in [ sum0 y; sum0 t[0] ])) [ x ] (1, 3)
        counts "added to something" (fun t -> [ addScaled -0.1 t[1] (sum0 (tanh t[0])) ]) [ x; normal 64 [ 64 ] ] (1, 3)
        counts
            "rows weighted by a column"
            (fun t -> (let y = tanh t[0] in [ transpose y *@ t[1] ]))
            [ x; column ]
            (1, 2)
        counts "or by a row" (fun t -> (let y = tanh t[0] in [ transpose t[1] *@ y ])) [ x; column ] (1, 2)
        counts
            "with an update"
            (fun t -> [ addScaled -0.1 t[2] (transpose t[1] *@ tanh t[0]) ])
            [ x; column; row ]
            (1, 2)
        counts "columns weighted by a row" (fun t -> [ tanh t[0] *@ transpose t[1] ]) [ x; row ] (1, 2)
        counts "or turned round" (fun t -> [ t[1] *@ transpose (tanh t[0]) ]) [ x; row ] (1, 2)
        counts
            "a dense layer of one unit"
            (fun t -> [ dense { Weights = t[1]; Bias = Some t[2] } (tanh t[0]) ])
            [ x; normal 65 [ 64; 1 ]; normal 66 [ 1 ] ]
            (1, 2)
        counts "not where the kernel needs the sum" (fun t -> [ t[0] - sumKeep [ 0 ] t[0] ]) [ x ] (2, 2)
        counts "nor through others" (fun t -> [ t[0] * exp (sum0 (sin t[0])) ]) [ x ] (3, 4)
        counts "not of long rows" (fun t -> [ sum0 (exp t[0]) ]) [ normal 67 [ 20; 65 ] ] (2, 2)
        counts "not along columns" (fun t -> [ sumOver [ 1 ] (exp t[0]) ]) [ x ] (2, 2)

        test "a column by a row goes through memory with what follows it" {
            let layer (t: Tensor list) = [ tanh (dense { Weights = t[1]; Bias = Some t[2] } t[0]) ]
            let arguments = [ column; row; normal 68 [ 64 ] ]
            let without = { Passes.all with Fuse = false }
            Expect.equal (kernels without layer arguments) (1, 2) "a layer of one input"
            Expect.equal (kernels without (fun t -> [ tanh (t[0] *@ t[1]) ]) [ column; row ]) (1, 2) "a product"

            let turned (t: Tensor list) = [ tanh (transpose t[0] *@ transpose t[1]) ]
            Expect.equal (kernels without turned [ transpose column; transpose row ]) (1, 2) "both transposed"
        }

        test "why a sum is apart" {
            let program = compiled (fun x -> sum0 (exp x), sum (sin x))
            program.Invoke(normal 67 [ 20; 65 ]) |> ignore
            let text = program.Explain()

            Expect.stringContains
                text
                "sum into kernel 0 (exp): its rows are too long to be summed up on the way"
                "rows"

            Expect.stringContains text "sin + sum" "over everything"
        }

        test "large ones are shared by threads, where there are several" {
            let x = normal 69 [ 5000; 40 ]
            let f (t: Tensor list) = [ sum0 (tanh t[0]) ]
            Expect.equal (Selection.withThreads 1 (fun () -> kernelsOf f [ x ])) (1, 2) "alone"
            Expect.equal (Selection.withThreads 2 (fun () -> kernelsOf f [ x ])) (2, 2) "together"

            let sums =
                [ 1; 2 ] |> List.map (fun n -> Selection.withThreads n (fun () -> compile (fun x -> f [ x ]) x))

            Expect.equal (distance sums[0] sums[1]) 0.0 "the same bits"
        }

        for examples in [ 60; 700 ] do
            test $"a step of gradient descent, {examples} examples" {
                let batch = normal 70 [ examples; 3 ], normal 71 [ examples; 2 ]

                let trained threads =
                    Selection.withThreads threads (fun () ->
                        use stepper = new Stepper<_, _, _>((fun net batch -> gradientStep batch net), net)

                        for _ in 1..3 do
                            stepper.Step batch

                        stepper.Snapshot(), stepper.Explain())

                let alone, text = trained 1
                let together, _ = trained 2
                let eager = List.fold (fun net _ -> fst (gradientStep batch net)) net [ 1..3 ]
                Expect.equal (distance alone together) 0.0 "the same bits on two threads"
                Expect.isLessThan (distance alone eager) 1e-12 "as eagerly"
                Expect.stringContains text "tanhscale + sum + addScaled" "a bias is updated where its gradient is made"
                let moved = text.Split '\n' |> Array.filter (fun line -> line.Contains "second buffer")
                Expect.isFalse (moved |> Array.exists (fun line -> line.Contains "Hidden.Bias")) text
            }
    ]
