/// Programs, not only primitives: random compositions before the judges, and the laws that hold of any function.
module Functional.Tests.Judges.ProgramTests

open System
open Expecto
open Functional
open Functional.Tests.Judges.Judges
open Functional.Tests.Selection

let private rows, columns = 3, 4

/// A random composition of smooth functions: from matrices of one shape, by values kept within bounds, to a matrix and a
/// number.
let private program (seed: int) (xs: Tensor[]) : Tensor[] =
    let random = Random seed
    let mutable known = List.ofArray xs
    let pick () = List.item (random.Next known.Length) known

    let constant () =
        Tensor.create [ rows; columns ] (Array.init (rows * columns) (fun _ -> 2.0 * random.NextDouble() - 1.0))

    let turn (x: Tensor) = transpose x
    let positive (x: Tensor) = 0.5 + square x

    for _ in 1..8 do
        let a, b, c = pick (), pick (), constant ()

        let made: Tensor =
            match random.Next 24 with
            | 0 -> sin a * cos b
            | 1 -> a * b + c
            | 2 -> a / positive b
            | 3 -> exp (tanh a) - b
            | 4 -> log (positive a)
            | 5 -> positive a ** sigmoid b
            | 6 -> a *@ turn b *@ c
            | 7 -> softmaxOver 1 a * b
            | 8 -> a - logsumexpKeep [ 0 ] b
            | 9 -> sqrt (positive a) + rsqrt (positive b)
            | 10 -> cumsum 1 a * 0.5
            | 11 -> cumprod 0 (tanh a)
            | 12 -> concat 0 [ narrow 0 1 2 a; narrow 0 0 1 b ]
            | 13 -> reshape [ rows; columns ] (turn a)
            | 14 -> take 0 (Tensor.ofSeq [ 2; 0; 2 ]) a
            | 15 -> a + prodKeep [ 1 ] (tanh b)
            | 16 -> meanKeep [ 1 ] a * b
            | 17 -> einsum "ij,kj,kl->il" [ a; b; c ]
            | 18 -> affine (turn c *@ c) (index 0 0 b) a
            | 19 -> let s, _ = scan (fun s r -> (s + r) * 0.5, sum r) (index 0 0 b) a in a + s
            | 20 -> where (greater c (scalar 0.0)) (sin a) b
            | 21 -> vmap (fun r -> r * sum (r * r)) a
            | 22 -> a * grad (fun z -> sum (sin (z * a))) b
            | _ -> reverse [ 1 ] (erf a) + pad [ 1, 0; 0, 0 ] (narrow 0 0 2 b)

        known <- tanh (made * 0.6) + 0.1 * a :: known

    [| known.Head; sum (known.Head * List.item 1 known) |]

let private inputs (seed: int) = like (seed + 1000) (Array.create 2 (Tensor.zeros [ rows; columns ]))

let private onPrograms first last (check: (Tensor[] -> Tensor[]) -> Tensor[] -> unit) () =
    for seed in first..last do
        try
            check (program seed) (inputs seed)
        with e ->
            failtest $"program {seed}: {e.Message}\n{e.StackTrace}"

/// A program as a function to one number, of a vector.
let private ofVector (f: Tensor[] -> Tensor[]) (v: Tensor) : Tensor =
    let xs = split 0 [ rows * columns; rows * columns ] v |> Array.map (reshape [ rows; columns ])
    f xs |> Array.fold (fun s y -> s + sum (sin y)) (scalar 0.0)

let private vector (xs: Tensor[]) = xs |> Array.map flatten |> concat 0
let private agreeOne tolerance what (a: Tensor) (b: Tensor) = agreeTensors tolerance what [| a |] [| b |]

[<Tests>]
let tests =
    testList "programs" [
        testList "random compositions" [
            testCase "complex step" <| onPrograms 0 60 (fun f xs -> complexStep 1e-11 f xs (like 1 xs))
            testCase "adjoint identity" <| onPrograms 0 120 (fun f xs -> adjoint 1e-11 f xs (like 1 xs))
            testCase "differences" <| onPrograms 0 60 (fun f xs -> differences 1e-8 f xs (like 1 xs))

            testCase "order 2"
            <| onPrograms 0 25 (fun f xs ->
                secondOrder (Samples.sample "program" f (FsCheck.FSharp.Gen.constant xs)) 1e-10 f xs (like 1 xs))

            testCase "vmap is the loop"
            <| onPrograms 0 60 (fun f xs ->
                let examples = Array.init 3 (fun k -> like (50 + k) xs)
                let stacked = Array.init xs.Length (fun i -> examples |> Array.map (Array.item i) |> stack 0)
                let results = examples |> Array.map f
                let expected = Array.init results[0].Length (fun i -> results |> Array.map (Array.item i) |> stack 0)
                agreeTensors 1e-12 "value" (vmap f stacked) expected
                let gradient xs = grad (curved f) xs
                let results = examples |> Array.map gradient
                let expected = Array.init results[0].Length (fun i -> results |> Array.map (Array.item i) |> stack 0)
                agreeTensors 1e-11 "gradient" (vmap gradient stacked) expected)

            testCase "compiled is eager"
            <| onPrograms 0 60 (fun f xs ->
                agreeTensors 1e-12 "value" (compile f xs) (f xs)
                agreeTensors 1e-11 "compiled gradient" (compile (grad (curved f)) xs) (grad (curved f) xs)
                agreeTensors 1e-11 "gradient of the compiled" (grad (curved (compile f)) xs) (grad (curved f) xs)
                let vs = like 1 xs

                agreeTensors
                    1e-11
                    "compiled Hessian times v"
                    (compile (fun xs -> hvp (curved f) xs vs) xs)
                    (hvp (curved f) xs vs))
            |> slow

            testCase "compiled and batched, either way round"
            <| onPrograms 0 20 (fun f xs ->
                let stacked = xs |> Array.map (fun x -> stack 0 [ x; x * 0.5 ])
                let expected = vmap f stacked
                agreeTensors 1e-12 "vmap of the compiled" (vmap (compile f) stacked) expected
                agreeTensors 1e-12 "compiled vmap" (compile (vmap f) stacked) expected)
            |> slow

            testCase "checkpoint changes nothing"
            <| onPrograms 0 40 (fun f xs ->
                let f (a: Tensor, b: Tensor) = let ys = f [| a; b |] in ys[0], ys[1]
                let total g p = let y, s = g p in sum (y * y) + s
                let a, b = grad (total f) (xs[0], xs[1])
                let c, d = grad (total (checkpoint f)) (xs[0], xs[1])
                agreeTensors 1e-13 "gradient" [| c; d |] [| a; b |])

            testCase "checkpoint changes nothing of second derivatives of batches"
            <| fun () ->
                let f (x: Tensor) = sin (x * x)
                let x, v = Tensor.ofSeq [ 0.3; -1.2; 0.8 ], Tensor.ofSeq [ 1.0; 0.5; -2.0 ]

                for name, transformed in
                    [
                        "hessian", hessian
                        "hvp", (fun g x -> hvp g x v)
                        "grad of grad", (fun g x -> grad (fun x -> sum (grad g x * v)) x)
                        "compiled", (fun g x -> compile (hessian g) x)
                    ] do
                    let plain = transformed (fun x -> sum (vmap f x)) x
                    agreeTensors 1e-13 name [| transformed (fun x -> sum (vmap (checkpoint f) x)) x |] [| plain |]
                    let within = transformed (fun x -> sum (checkpoint (vmap f) x)) x
                    agreeTensors 1e-13 (name + ", the other way round") [| within |] [| plain |]
        ]

        testCase "numbers of the host are refused, not handed back as their own gradient"
        <| fun () ->
            let refused f =
                let message = Expect.throwsC f (fun e -> e.Message)
                Expect.stringContains message "nothing to differentiate by" "in words"

            refused (fun () -> grad (fun (x: float) -> scalar (x * x)) 3.0 |> ignore)
            refused (fun () -> grad (fun (x: float list) -> scalar (List.sum x)) [ 3.0; 4.0 ] |> ignore)
            refused (fun () -> jacobian (fun (x: float) -> scalar x) 3.0 |> ignore)
            refused (fun () -> jvp (fun (x: float) -> scalar x) 3.0 1.0 |> ignore)
            refused (fun () -> vjp (fun (x: float) -> scalar x) 3.0 |> ignore)
            refused (fun () -> Check.gradient (fun (x: float) -> scalar x) 3.0 |> ignore)

        testList "laws" [
            testCase "Jacobians by both modes agree"
            <| onPrograms 0 30 (fun f xs ->
                let g v =
                    flatten (
                        Array.head (
                            f (split 0 [ rows * columns; rows * columns ] v |> Array.map (reshape [ rows; columns ]))
                        )
                    )

                let v = vector xs
                let forward = jacobianForward g v
                agreeOne 1e-12 "forward and reverse" forward (jacobianReverse g v)
                let direction = (like 3 [| v |])[0]

                agreeOne
                    1e-12
                    "Jacobian times v"
                    (flatten (forward *@ reshape [ -1; 1 ] direction))
                    (snd (jvp g v direction)))

            testCase "the Hessian is symmetric, and hvp is its product"
            <| onPrograms 0 20 (fun f xs ->
                let v = vector xs
                let h = hessian (ofVector f) v
                agreeOne 1e-11 "symmetric" h (transpose h)
                let direction = (like 3 [| v |])[0]
                agreeOne 1e-11 "hvp" (flatten (h *@ reshape [ -1; 1 ] direction)) (hvp (ofVector f) v direction))

            testCase "the gradient is linear"
            <| onPrograms 0 40 (fun f xs ->
                let g, h = ofVector f, ofVector (program 7)
                let v = vector xs
                agreeOne 1e-12 "sum" (grad (fun v -> 2.0 * g v - 3.0 * h v) v) (2.0 * grad g v - 3.0 * grad h v))

            testCase "the chain rule, and the product rule"
            <| onPrograms 0 40 (fun f xs ->
                let g, h = ofVector f, ofVector (program 7)
                let v = vector xs
                let inner (v: Tensor) : Tensor = sin v * 0.8
                let outside = grad g (inner v)
                agreeOne 1e-12 "chain" (grad (inner >> g) v) (0.8 * cos v * outside)
                agreeOne 1e-12 "product" (grad (fun v -> g v * h v) v) (g v * grad h v + h v * grad g v))

            testCase "jvp of several results is the jvp of each"
            <| onPrograms 0 30 (fun f xs ->
                let vs = like 1 xs
                let ts = snd (jvp f xs vs)
                let each = Array.init ts.Length (fun i -> snd (jvp (fun xs -> (f xs)[i]) xs vs))
                agreeTensors 0.0 "tangents" ts each)
        ]
    ]
