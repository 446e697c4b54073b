/// Simplification: which rules leave nothing to do or less, what is folded and what is not, and that the numbers stay what
/// they were.
module Functional.Tests.SimplifyTests

open Expecto
open Functional
open Functional.Compiling
open Functional.Rewrites
open Functional.Kernels
open Functional.Operations
open Functional.Tests.Programs
open Functional.Tests.Traced

let private simplified f = operations (Simplify.graph (one f))

let private overlapping = { Pool.window [ 3 ] with Strides = [ 1 ]; Padding = Padding.Same }

/// Some of these windows lie around the image, and see nothing of it.
let private aroundTheImage = {
    Pool.window [ 2 ] with
        Dilations = [ 6 ]
        Strides = [ 1 ]
        Padding = Padding.Same
}

[<Tests>]
let simplify =
    testList "simplify" [
        testCase "rules that leave nothing to do"
        <| fun () ->
            let nothing: (string * (Tensor -> Tensor)) list = [
                "x + 0", (fun x -> x + 0.0)
                "0 + x", (fun x -> 0.0 + x)
                "x - 0", (fun x -> x - 0.0)
                "x * 1", (fun x -> x * 1.0)
                "1 * x", (fun x -> 1.0 * x)
                "x / 1", (fun x -> x / 1.0)
                "-(-x)", (fun x -> -(-x))
                "a transpose there and back", (fun x -> transpose (transpose x))
                "a reshape there and back", (fun x -> reshape [ 3; 4 ] (reshape [ 12 ] x))
                "a cast to the same type", cast DType.Float64
                "a whole slice", narrow 0 0 3
                "a permutation that permutes nothing", permute [ 0; 1 ]
                "stopGradient", stopGradient
            ]

            for name, f in nothing do
                Expect.isEmpty (simplified f) name

        testCase "rules that leave less to do"
        <| fun () ->
            Expect.equal (simplified (fun x -> x + -(exp x))) [ "exp"; "sub" ] "a + (-b)"
            Expect.equal (simplified (fun x -> transpose x *@ x)) [ "matmul" ] "a transposed operand"

            Expect.equal
                (simplified (fun x -> x + broadcastTo [| 3; 4 |] (sumKeep [ 0 ] x)))
                [ "sum"; "add" ]
                "a spread operand"

        testCase "relu and max-pooling: the one with fewer elements last, in the gradient first"
        <| fun () ->
            let gradient window =
                traced [ [ 2; 6; 5; 3 ]; [ 2; 6; 5; 3 ] ] (fun v ->
                    let pooled x = maxPool window (relu x)
                    let y, pullback = vjp pooled v[0]
                    [ y; pullback (y * y) ])

            for window, commutes in [ Pool.window [ 2 ], true; overlapping, true; aroundTheImage, false ] do
                let before = gradient window
                let after = Simplify.graph before

                if commutes then
                    Expect.equal
                        (operations after)
                        [ "maxPool"; "relu"; "mul"; "reluscale"; "maxPoolPlace" ]
                        $"%A{window}"

                let image = arrays before

                Expect.equal
                    (numbers (Interpret.graph after image))
                    (numbers (Interpret.graph before image))
                    $"%A{window}"

        testCase "the sum of a gradient that came through max-pooling is that of what went into it"
        <| fun () ->
            let gradients axes window =
                traced [ [ 2; 6; 5; 3 ] ] (fun v ->
                    let y, pullback = vjp (maxPool window) v[0]
                    [ sumOver axes (pullback (y * y)) ])

            for axes, window, skips in
                [
                    [ 0; 1; 2 ], Pool.window [ 2 ], true
                    [ 1; 2; 3 ], overlapping, true
                    [ 0; 1 ], Pool.window [ 2 ], false
                    [ 0; 1; 2 ], aroundTheImage, false
                ] do
                let before = gradients axes window
                let after = Simplify.graph before
                Expect.equal (List.contains "maxPoolPlace" (operations after)) (not skips) $"{axes} %A{window}"
                let image = arrays before

                let sums g = Array.concat (numbers (Interpret.graph g image))

                for x, y in Seq.zip (sums after) (sums before) do
                    Expect.floatClose Accuracy.high x y $"{axes} %A{window}"

        testCase "constants are folded, large ones are not"
        <| fun () ->
            let small = Tensor.ofSeq [ 1.0; 2.0; 3.0; 4.0 ]
            Expect.equal (simplified (fun x -> x * exp (square small + 1.0))) [ "mul" ] "small"

            let large = normal 70 [ 100; 100 ]
            let g = traced [ [] ] (fun v -> [ v[0] * exp large ])
            Expect.equal (operations (Simplify.graph g) |> List.length) (operations g).Length "large"

        testCase "what can fail is not folded: the run may never come to it"
        <| fun () ->
            let table, wrong = Tensor.ofSeq [ 1.0; 2.0 ], Tensor.ofSeq [ 7 ]

            for name, op, operand in
                [
                    "take", Gather 0, table
                    "scatterAdd", ScatterAdd(0, 2), Tensor.ofSeq [ 1.0 ]
                    "gatherAlong", GatherAlong 0, table
                    "scatterAlong", ScatterAlong(0, 2), Tensor.ofSeq [ 1.0 ]
                ] do
                let constant (t: Tensor) = Constant(Tensor.value "test" t), Tensor.specOf t
                let a, b = constant operand, constant wrong
                let result = Shapes.infer op (snd a) (snd b) Unchecked.defaultof<_>
                let instructions = [| fst a; fst b; Apply(op, 0, 1, -1) |]
                let g = Graph(0, instructions, [| snd a; snd b; result |], [| 2 |])
                Expect.contains (operations (Simplify.graph g)) name "left to the run"

        testCase "equal work is done once, what nobody reads not at all"
        <| fun () ->
            Expect.equal (simplified (fun x -> exp (x * x) + exp (x * x))) [ "mul"; "exp"; "add" ] "common"

            let dead =
                one (fun x ->
                    sin x |> ignore
                    let a, _ = exp x, cos x
                    a)

            Expect.equal (operations dead) [ "exp" ] "the trace drops what is dead"
            // what a rule makes superfluous is dropped, too
            Expect.equal
                (simplified (fun x -> transpose (exp (transpose x) |> transpose |> transpose)))
                [ "transpose"; "exp"; "transpose" ]
                "dead"

        testCase "programs inside are opened up"
        <| fun () ->
            let inner = compile (fun (x: Tensor) -> exp x * 2.0)
            Expect.equal (simplified (fun x -> inner x + inner x)) [ "exp"; "mul"; "add" ] "one graph"

        testCase "a barrier keeps equal work apart"
        <| fun () ->
            let tied (x: Tensor) = Tensor.Bind(Custom(Rules.Barrier 1), [| x; x |])[0]
            Expect.equal (simplified (fun x -> exp x + exp (tied x))) [ "exp"; "reshape"; "exp"; "add" ] "twice"

        testCase "numbers stay, to the last bit"
        <| fun () ->
            for seed in seeds do
                let g = random seed
                let s = Simplify.graph g
                Expect.isLessThanOrEqual s.Instructions.Length g.Instructions.Length "no more operations"

                Expect.equal
                    (numbers (Interpret.graph s (arrays g)))
                    (numbers (Interpret.graph g (arrays g)))
                    $"program {seed}"
    ]
