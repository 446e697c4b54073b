/// What levels promise besides derivatives: host control flow, threads, tensors that escape, closures, long tapes.
module Functional.Tests.Transformations.LevelTests

open System
open System.Threading
open Expecto
open Functional
open Functional.Tests.Selection
open Functional.Tests.Transformations.Modes

let private close (tolerance: float) (what: string) (expected: float) (actual: float) =
    if not (abs (actual - expected) <= tolerance * max 1.0 (abs expected)) then
        failtest $"{what}: {actual:R}, expected {expected:R}"

let private fails (kind: Type) (words: string list) (action: unit -> 'T) =
    match
        (try
            Choice1Of2(action ())
         with e ->
             Choice2Of2 e)
    with
    | Choice1Of2 value -> failtest $"no error, but {value}"
    | Choice2Of2 e ->
        Expect.isTrue (kind.IsInstanceOfType e) $"{e.GetType().Name}: {e.Message}"

        for word in words do
            Expect.stringContains e.Message word "the error"

let private refused words action = fails typeof<InvalidOperationException> words action

// ---- host control flow

/// xⁿ by squaring: recursion on a host number, branches on a tensor's value.
let rec private power (x: Tensor) n =
    if n = 0 then Tensor.onesLike x
    elif n % 2 = 1 then x * power x (n - 1)
    else power (x * x) (n / 2)

/// The root by Newton's method, until it has settled.
let private root (a: Tensor) =
    let mutable x, going = a, true

    while going do
        let next = (x + a / x) * 0.5
        going <- abs (number next - number x) > 1e-14
        x <- next

    x

let private controlFlow = [
    for mode in modes do
        testCase $"recursion, {mode}"
        <| fun () -> close 1e-14 "7x⁶" (7.0 * 1.3 ** 6.0) (number (derivative mode (fun x -> power x 7) (scalar 1.3)))

        testCase $"a loop until it has settled, {mode}"
        <| fun () ->
            close 1e-12 "1/(2√a)" (0.5 / sqrt 2.0) (number (derivative mode root (scalar 2.0)))
            close 1e-12 "order 2" (-0.25 / 2.0 ** 1.5) (number (derivative mode (derivative mode root) (scalar 2.0)))

        testCase $"branches on values, {mode}"
        <| fun () ->
            let f (x: Tensor) = if number x > 1.0 then x * x else sin x
            close 1e-15 "above" 4.0 (number (derivative mode f (scalar 2.0)))
            close 1e-15 "below" (cos 0.5) (number (derivative mode f (scalar 0.5)))

    testCase "vmap has no one value to branch on"
    <| fun () ->
        refused [ "vmap"; "where"; "cond"; "whileLoop"; "scan" ] (fun () ->
            vmap (fun x -> if number x > 0.0 then x else -x) (Tensor.ofSeq [ 1.0; -1.0 ]))

    testCase "a number is not read from a differentiated tensor in silence"
    <| fun () -> refused [ "detach" ] (fun () -> grad (fun x -> x * Tensor.toFloat x) (scalar 2.0))
]

// ---- threads

let private inParallel (count: int) (action: int -> unit) =
    let errors = System.Collections.Concurrent.ConcurrentQueue<exn>()

    let threads =
        Array.init count (fun i ->
            Thread(
                (fun () ->
                    try
                        action i
                    with e ->
                        errors.Enqueue e),
                16 <<< 20
            ))

    threads |> Array.iter (fun t -> t.Start())
    threads |> Array.iter (fun t -> t.Join())

    match errors.TryDequeue() with
    | true, e -> raise (AggregateException e)
    | _ -> ()

let private wave (x: Tensor) = sum (sin (x * 3.0) * exp (x * 0.5)) + sum (grad (fun y -> sum (y * y * x)) x)

let private threads = [
    testCase "many threads computing nested gradients"
    <| fun () ->
        let x i = Tensor.linspace (0.1 * float i) 2.0 300
        let expected = Array.init 8 (fun i -> Tensor.toFloats (hvp wave (x i) (x 3)))

        inParallel 8 (fun i ->
            for _ in 1..30 do
                Expect.equal (Tensor.toFloats (hvp wave (x i) (x 3))) expected[i] "the same as alone")

    testCase "a pullback called twice, and from many threads"
    <| fun () ->
        let _, pullback =
            vjp
                (fun (x: Tensor, w: Tensor) -> tanh (x *@ w))
                (Tensor.linspace -1.0 1.0 40 |> reshape [ 8; 5 ], Tensor.linspace 0.0 1.0 20 |> reshape [ 5; 4 ])

        let ct = Tensor.linspace 0.5 1.5 32 |> reshape [ 8; 4 ]
        let numbers () = let a, b = pullback ct in Tensor.toFloats a, Tensor.toFloats b
        let first = numbers ()
        Expect.equal (numbers ()) first "called twice"

        inParallel 6 (fun _ ->
            for _ in 1..50 do
                Expect.equal (numbers ()) first "from a thread")

    testCase "one function body on several threads at once"
    <| fun () ->
        let f (x: Tensor) =
            let parts = Array.zeroCreate<Tensor> 4
            inParallel 4 (fun i -> parts[i] <- sum (sin (x * float (i + 1))))
            parts |> Array.reduce (+)

        let x = Tensor.linspace 0.0 1.0 500
        let expected = Tensor.toFloats (List.reduce (+) [ for i in 1..4 -> float i * cos (x * float i) ])
        let found = Tensor.toFloats (grad f x)
        Array.iter2 (close 1e-14 "gradient") expected found
]

// ---- tensors where they do not belong

let private strays = [
    for name, transform in
        [
            "grad", (fun (f: Tensor -> Tensor) -> grad f (scalar 2.0) |> ignore)
            "jvp", (fun f -> jvp f (scalar 2.0) (scalar 1.0) |> ignore)
            "vjp", (fun f -> vjp f (scalar 2.0) |> ignore)
            "vmap", (fun f -> vmap f (Tensor.ofSeq [ 2.0; 3.0 ]) |> ignore)
        ] do
        testCase $"a tensor that escaped from {name} is refused"
        <| fun () ->
            let mutable escaped: Tensor = null

            transform (fun x ->
                escaped <- sin x
                x * x)

            refused [ name ] (fun () -> escaped + 1.0)
            refused [ name ] (fun () -> 1.0 * escaped)
            refused [ name ] (fun () -> grad (fun y -> y * escaped) (scalar 1.0))
            refused [] (fun () -> Tensor.toFloat escaped)

            // the advice holds
            let mutable kept: Tensor = null

            if name <> "vmap" then
                transform (fun x ->
                    kept <- Tensor.detach (sum (sin (Tensor.zeros [ 20000 ] + x)))
                    x * x)

                close 1e-12 "taken inside" (20000.0 * sin 2.0) (number kept)

        testCase $"a level ends although the function fails in {name}"
        <| fun () ->
            let mutable escaped: Tensor = null

            fails typeof<DivideByZeroException> [] (fun () ->
                transform (fun x ->
                    escaped <- sin x
                    raise (DivideByZeroException())))

            refused [ name ] (fun () -> escaped + 1.0)

    testCase "a custom rule over a tensor of the same level is refused"
    <| fun () ->
        let reverse (w: Tensor) = customReverse "scale" (fun (x: Tensor) -> x * w, ()) (fun () ct -> ct * w)
        let forward (w: Tensor) = customForward "scale" (fun (x: Tensor) -> x * w) (fun _ _ t -> t * w)

        // in the tangent or the backward pass only
        let backward (w: Tensor) = customReverse "scale" (fun (x: Tensor) -> x * 3.0, ()) (fun () ct -> ct * w)
        let tangent (w: Tensor) = customForward "scale" (fun (x: Tensor) -> x * 3.0) (fun _ _ t -> t * w)

        for rule in [ reverse; forward; backward; tangent ] do
            refused [ "closes over"; "grad"; "argument" ] (fun () -> grad (fun w -> rule w (w * 2.0)) (scalar 3.0))
            refused [ "closes over"; "jvp" ] (fun () -> jvp (fun w -> rule w (w * 2.0)) (scalar 3.0) (scalar 1.0))
            refused [ "closes over" ] (fun () -> grad (fun w -> compile (rule w) (w * 2.0)) (scalar 3.0))

            // and under an outer transformation of the argument's own
            refused [ "closes over" ] (fun () ->
                grad (fun (x: Tensor) -> snd (jvp (fun w -> rule w (x * w)) (scalar 3.0) (scalar 1.0))) (scalar 2.0))

        for rule in [ reverse; forward ] do
            refused [ "closes over" ] (fun () -> grad (fun w -> rule w (scalar 2.0)) (scalar 3.0))

    testCase "what a custom rule closes over goes along in a batch, a trace and a loop"
    <| fun () ->
        let reverse (w: Tensor) = customReverse "scale" (fun (x: Tensor) -> x * x * w, x) (fun x ct -> 2.0 * x * ct * w)

        let forward (w: Tensor) = customForward "scale" (fun (x: Tensor) -> x * x * w) (fun x _ t -> 2.0 * x * t * w)
        let ws = Tensor.ofSeq [ 1.0; 2.0; 3.0 ]
        let numbers what expected (found: Tensor) = Array.iter2 (close 1e-14 what) expected (Tensor.toFloats found)

        for rule in [ reverse; forward; (fun w -> checkpoint (fun (x: Tensor) -> x * x * w)) ] do
            numbers "vmap" [| 4.0; 32.0; 108.0 |] (vmap (fun w -> rule w (w * 2.0)) ws)
            numbers "vmap, a constant argument" [| 4.0; 8.0; 12.0 |] (vmap (fun w -> rule w (scalar 2.0)) ws)
            numbers "gradient in vmap" [| 4.0; 16.0; 36.0 |] (vmap (fun w -> grad (rule w) (w * 2.0)) ws)
            numbers "Hessian in vmap" [| 2.0; 4.0; 6.0 |] (vmap (fun w -> grad (grad (rule w)) (w * 2.0)) ws)

            let ofBatch x = sum (vmap (fun w -> rule w x) ws)
            close 1e-14 "gradient of vmap" 24.0 (number (grad ofBatch (scalar 2.0)))
            close 1e-14 "second derivative of vmap" 12.0 (number (grad (grad ofBatch) (scalar 2.0)))

            let inTrace (w: Tensor, x: Tensor) = grad (grad (fun x -> rule (exp w) (sin x))) x
            let expected = exp 0.3 * 2.0 * cos 1.4
            close 1e-14 "compiled" expected (number (compile inTrace (scalar 0.3, scalar 0.7)))

            let ofTrace x = compile (fun (w: Tensor, x: Tensor) -> rule (exp w) (sin x)) (scalar 0.3, x)
            close 1e-14 "of a compiled function" expected (number (grad (grad ofTrace) (scalar 0.7)))

            // in a loop's body, the rule closes over what the loop hands out
            let ofLoop (x: Tensor) = fst (scan (fun s w -> s + rule w x, ()) (scalar 0.0) ws)
            close 1e-14 "loop" 24.0 (number (ofLoop (scalar 2.0)))
            close 1e-14 "gradient of a loop" 24.0 (number (grad ofLoop (scalar 2.0)))
            close 1e-14 "second derivative of a loop" 12.0 (number (grad (grad ofLoop) (scalar 2.0)))
            close 1e-14 "compiled gradient of a loop" 24.0 (number (compile (grad ofLoop) (scalar 2.0)))

    testCase "a custom rule over a tensor of an outer level has its derivative"
    <| fun () ->
        for outer in modes do
            let reverse (w: Tensor) =
                customReverse "scale" (fun (x: Tensor) -> x * x * w, x) (fun x ct -> ct * x * w * 2.0)

            let forward (w: Tensor) =
                customForward "scale" (fun (x: Tensor) -> x * x * w) (fun x _ t -> t * x * w * 2.0)

            for rule in [ reverse; forward; (fun (w: Tensor) -> checkpoint (fun (x: Tensor) -> x * x * w)) ] do
                // d/dw (d/dx x²w at 5) = 10
                close
                    1e-15
                    "grad inside"
                    10.0
                    (number (derivative outer (fun w -> grad (rule w) (scalar 5.0)) (scalar 3.0)))

                close
                    1e-15
                    "vmap inside"
                    13.0
                    (number (derivative outer (fun w -> sum (vmap (rule w) (Tensor.ofSeq [ 2.0; 3.0 ]))) (scalar 3.0)))

                close
                    1e-15
                    "jvp inside"
                    10.0
                    (number (derivative outer (fun w -> derivative Forward (rule w) (scalar 5.0)) (scalar 3.0)))

    testCase "a loop's body may compute with what it closes over"
    <| fun () ->
        let xs = Tensor.ofSeq [ 1.0; 2.0; 3.0 ]

        for mode in modes do
            // w·w is made by the outer level, at every trace anew
            let f (w: Tensor) = fst (scan (fun (s: Tensor) x -> s * 0.5 + sin (w * w) * x, ()) (w * 2.0) xs)
            let expected = 0.25 + (1.0 / 4.0 + 2.0 / 2.0 + 3.0) * cos 0.49 * 1.4
            close 1e-14 "scan" expected (number (derivative mode f (scalar 0.7)))

            let g (w: Tensor) =
                sum (vmap (fun x -> cond (greater x (scalar 1.5)) (fun y -> y * exp w) (fun y -> y * (w * w)) x) xs)

            close 1e-14 "cond" (5.0 * exp 0.7 + 1.4) (number (derivative mode g (scalar 0.7)))

    testCase "an ordinary function may close over anything"
    <| fun () ->
        let f (w: Tensor) = sum (vmap (fun x -> x * w * grad (fun y -> y * y * w * x) w) (Tensor.ofSeq [ 1.0; 2.0 ]))
        // x·w·(2w·w·x) summed over x = 1, 2: 10w³ → 30w²
        for mode in modes do
            close 1e-14 "derivative" 120.0 (number (derivative mode f (scalar 2.0)))
]

// ---- length

let private long = [
    testCase "a tape of a million nodes"
    <| fun () ->
        let f (x: Tensor) =
            let mutable y = x

            for _ in 1..1_000_000 do
                y <- y * 0.999999 + 1e-7

            y

        close 1e-9 "0.999999^1000000" (0.999999 ** 1e6) (number (grad f (scalar 1.0)))

    testCase "a hundred thousand nodes at two levels"
    <| fun () ->
        let f (x: Tensor) =
            let mutable y = x

            for _ in 1..50_000 do
                y <- y + y * y * 1e-6

            y

        let first, second = number (derivative Forward f (scalar 1.0)), number (grad (grad f) (scalar 1.0))
        close 1e-9 "modes agree" (number (derivative Forward (derivative Forward f) (scalar 1.0))) second
        close 1e-9 "modes agree" (number (grad f (scalar 1.0))) first

    testCase "ten thousand steps need no more memory than one thousand"
    <| fun () ->
        let x, target =
            Tensor.linspace -1.0 1.0 640 |> reshape [ 20; 32 ], Tensor.linspace 0.0 1.0 200 |> reshape [ 20; 10 ]

        let start = Tensor.linspace -0.1 0.1 320 |> reshape [ 32; 10 ], Tensor.zeros [ 10 ]
        let loss (w, b) = mean (square (sigmoid (affine w b x) - target))

        let step p =
            let _, g = valueAndGrad loss p
            Tree.map2 (fun p g -> p - 0.1 * g) p g

        let run count p = Seq.fold (fun p _ -> step p) p (seq { 1..count })

        let managed () =
            GC.Collect()
            GC.WaitForPendingFinalizers()
            GC.Collect()
            GC.GetTotalMemory true, Environment.WorkingSet

        let p = run 1000 start
        let before, residentBefore = managed ()
        let p = run 10_000 p
        let after, residentAfter = managed ()
        Expect.isLessThan (Tensor.toFloat (loss p)) 0.1 "learns"
        Expect.isLessThan (after - before) (2L <<< 20) "managed memory"
        Expect.isLessThan (residentAfter - residentBefore) (48L <<< 20) "resident memory"
]

// ---- closures

/// Tensors are told apart as objects: so many of them that hash codes of objects meet.
let private crowds = [
    testCase "branches close over more tensors than hash codes can tell apart"
    <| fun () ->
        let many = Array.init 30_000 (fun i -> Tensor.ofSeq [ float i ])
        let total (x: Tensor) = many |> Array.fold (+) x
        let f = compile (fun (c: Tensor, x: Tensor) -> cond c total (fun x -> -(total x)) x)
        let sum = 1.0 + Array.sum [| 0.0 .. 29_999.0 |]

        for left, expected in [ 1.0, sum; -1.0, -sum ] do
            let y = f (greater (scalar left) (scalar 0.0), Tensor.ones [ 1 ])
            close 1e-12 "a branch" expected (Tensor.toFloat (reshape [] y))
]

// ---- words

/// Each error names what was called, and what was given to it.
let private words =
    let refuses name words (action: unit -> 'T) =
        testCase name (fun () -> fails typeof<ArgumentException> words (action >> ignore))

    let curried (x: Tensor) = fun (y: Tensor) -> x * y
    let v = Tensor.ofSeq [ 1.0; 2.0 ]

    [
        refuses "vmap of a curried function" [ "vmap"; "another function"; "fun (x, y) ->" ] (fun () -> vmap curried v)
        refuses "compile of a curried function" [ "compile"; "another function" ] (fun () -> compile curried v)
        refuses "a step that returns a function" [ "Stepper"; "another function" ] (fun () ->
            new Stepper<_, _, _>((fun (w: Tensor) () -> w, curried w), v))
        refuses "jvp of a curried function" [ "jvp"; "another function" ] (fun () -> fst (jvp curried v v))
        refuses "affine" [ "affine: input has 2 features, the weights expect 3" ] (fun () ->
            affine (Tensor.ones [ 3; 4 ]) (Tensor.ones [ 4 ]) (reshape [ 1; 2 ] v))
        refuses "take" [ "take: index 7" ] (fun () -> take 0 (Tensor.ofSeq [ 7 ]) v)
        refuses "gatherAlong" [ "gatherAlong: index 7" ] (fun () -> gatherAlong 0 (Tensor.ofSeq [ 7 ]) v)
        refuses "topK" [ "topK: the 9 largest" ] (fun () -> fst (topK 0 9 v))
        refuses "a dictionary" [ "cannot hold a Dictionary<string, Tensor>:" ] (fun () ->
            grad
                (fun (d: Collections.Generic.Dictionary<string, Tensor>) -> d["a"])
                (dict [ "a", v ] |> Collections.Generic.Dictionary))
        refuses "a number without tensors" [ "grad: the argument, float,"; "scalar 3.0" ] (fun () ->
            grad (fun (x: float) -> scalar (x * x)) 3.0)
        refuses "integers" [ "grad"; "Int32"; "cast them" ] (fun () ->
            grad (fun (x: Tensor) -> sum (cast DType.Float64 x)) (Tensor.ofSeq [ 1; 2 ]))
    ]

[<Tests>]
let tests =
    testList "levels" [
        testList "words" words
        testList "closures" crowds |> slow
        testList "host control flow" controlFlow
        testList "threads" threads
        testList "strays" strays
        testSequenced (testList "length" long) |> slow
    ]
