/// grad gives its buffers back when it returns: never one that somebody can still see. All arrays here are large enough
/// to come from the pool, and a released one throws when it is read.
module Functional.Tests.Transformations.ReleaseTests

open System
open Expecto
open Functional
open Functional.Tests.Selection
open Functional.Tests.Transformations.Modes

let private n = 12
let private size = n * n

let private tensor (seed: int) =
    let random = Random seed
    Tensor.create [ size ] (Array.init size (fun _ -> random.NextDouble() - 0.5))

/// The numbers of a tensor like it: reading a tensor's own would take its buffer out of the game.
let private numbersOf seed = Tensor.toFloats (tensor seed)

/// Takes what the pool has, so that a buffer given back too early does not keep its numbers.
let private trample () =
    for _ in 1..20 do
        tensor 999 * 3.0 |> ignore

/// A tensor that is still there, with the numbers that it had.
let private unharmed (what: string) (expected: float[]) (t: Tensor) =
    trample ()
    let worst = Array.fold2 (fun m a b -> max m (abs (a - b))) 0.0 (Tensor.toFloats t) expected
    Expect.isLessThan worst 1e-14 what

let private kept = [
    testCase "a captured constant that a custom rule returns"
    <| fun () ->
        let table = tensor 1
        let rule = customReverse "table" (fun x -> (x, table), x) (fun x (ct, _) -> ct * x)

        let f x =
            let y, t = rule x
            sum (sin (reshape [ n; n ] t)) + sum y

        grad f (tensor 2) |> ignore
        unharmed "table" (numbersOf 1) table

    testCase "a captured constant that a custom rule returns as a gradient"
    <| fun () ->
        let table = tensor 1
        let rule = customReverse "constant gradient" (fun x -> sin x, ()) (fun () _ -> table)
        grad (fun x -> sum (rule (reshape [ size ] (reshape [ n; n ] (x * 2.0))))) (tensor 2) |> ignore
        unharmed "table" (numbersOf 1) table

    testCase "the cotangent a custom rule was given"
    <| fun () ->
        let mutable seen = null

        let rule =
            customReverse "spy" (fun x -> sin x, x) (fun x ct ->
                seen <- ct
                ct * cos x)

        grad (fun x -> sum (tanh (rule x) * 3.0)) (tensor 2) |> ignore
        let x = tensor 2
        unharmed "cotangent" (Tensor.toFloats (3.0 * (1.0 - square (tanh (sin x))))) seen

    testCase "the arguments and results of a custom rule"
    <| fun () ->
        let mutable seen = []

        let rule =
            customReverse
                "spy"
                (fun x ->
                    let y = sin x
                    seen <- [ x; y ]
                    y, x)
                (fun x ct -> ct * cos x)

        grad (fun x -> sum (square (reshape [ n; n ] (rule (x * 2.0))))) (tensor 2) |> ignore
        let x = tensor 2 * 2.0
        unharmed "argument" (Tensor.toFloats x) seen[0]
        unharmed "result" (Tensor.toFloats (sin x)) seen[1]

    testCase "what checkpoint passes through"
    <| fun () ->
        let table = tensor 1
        let f = checkpoint (fun (x: Tensor) -> x, table)
        let total x = let y, t = f x in sum (y * y) + sum (exp (reshape [ n; n ] t))
        grad total (tensor 2) |> ignore
        unharmed "table" (numbersOf 1) table

    testCase "data that is only reshaped, cast, or cut off"
    <| fun () ->
        let data = tensor 1

        let f (w: Tensor) =
            let rows = reshape [ n; n ] data

            sum (w * flatten (cast DType.Float64 rows))
            + sum (stopGradient data * w)
            + sum (broadcastTo [ size ] data * w)

        grad f (tensor 2) |> ignore
        unharmed "data" (numbersOf 1) data

    testCase "cotangents of pieces that a loop's body makes: constants, which become operands of the loop"
    <| fun () ->
        // the second piece's cotangent is a constant alone, the first one's is added to others
        let f (v: Tensor) =
            let pieces = split 0 [ size; size ] v
            sum (exp pieces[0]) - sum pieces[0] - 2.0 * sum pieces[1]

        let start = concat 0 [ tensor 1; tensor 2 ]
        let gradient = numbersOf 1 |> Array.map (fun x -> exp x - 1.0)
        let expected = Array.append gradient (Array.create size -2.0)

        let loop v =
            let _, _, gradient =
                whileLoop
                    (fun (i: Tensor, _, _) -> less i (scalar 1.0))
                    (fun (i, v, _) -> i + 1.0, v, snd (valueAndGrad f v))
                    (scalar 0.0, v, Tensor.zerosLike v)

            gradient

        unharmed "eager" expected (loop start)
        unharmed "compiled" expected (compile loop start)

    testCase "the parameters, also under another shape"
    <| fun () ->
        let p = tensor 2

        let _, aux, gradient =
            valueAndGradAux (fun x -> sum (square (reshape [ n; n ] x)), reshape [ n; n ] x) p

        unharmed "parameters" (numbersOf 2) p
        unharmed "parameters under another shape" (numbersOf 2) (flatten aux)
        unharmed "gradient" (Tensor.toFloats (p * 2.0)) gradient

    testCase "auxiliary results, in whatever they are packed"
    <| fun () ->
        let p = tensor 2

        let f (x: Tensor) =
            let y = sin x

            sum (y * y),
            {|
                Y = y
                Rows = Some(reshape [ n; n ] y)
                List = [ y * 2.0; x ]
                Plain = Tensor.detach (cos x)
                Number = 3
            |}

        let _, aux, _ = valueAndGradAux f p
        unharmed "y" (Tensor.toFloats (sin p)) aux.Y
        unharmed "rows" (Tensor.toFloats (sin p)) (flatten aux.Rows.Value)
        unharmed "list" (Tensor.toFloats (sin p * 2.0)) aux.List[0]
        unharmed "list" (Tensor.toFloats p) aux.List[1]
        unharmed "detached" (Tensor.toFloats (cos p)) aux.Plain

    testCase "detached values, kept anywhere"
    <| fun () ->
        let p = tensor 2
        let mutable seen, reader = null, (fun () -> [||])

        let f (x: Tensor) =
            let y = exp (sin x)
            let d = Tensor.detach y
            seen <- d
            reader <- fun () -> Tensor.toFloats (reshape [ n; n ] d)
            sum (y * y)

        grad f p |> ignore
        unharmed "detached" (Tensor.toFloats (exp (sin p))) seen
        Expect.equal (reader ()) (Tensor.toFloats (exp (sin p))) "in a closure"

    testCase "what other transformations hold of an inner gradient's values"
    <| fun () ->
        // the inner level makes concrete values from its own parameter; the outer ones need them for their derivatives
        let w, x = tensor 3, tensor 4

        for transform in [ (fun f -> grad f x); (fun f -> snd (vjp f x) (scalar 1.0)); (fun f -> jacobianForward f x) ] do
            let f (x: Tensor) : Tensor =
                let inner: Tensor =
                    grad
                        (fun w ->
                            let h = sin w * 2.0 // concrete, made by the inner level
                            sum (h * x * x) + sum (exp h * x))
                        w

                sum (inner * inner * x)

            // d/dw = 2cos(w)(x² + exp(h)·x)
            let h = sin w * 2.0
            let c = 2.0 * cos w
            let g: Tensor = c * (square x + exp h * x)
            let expected: Tensor = 2.0 * g * c * (2.0 * x + exp h) * x + g * g
            trample ()
            let found: Tensor = transform f
            Expect.isLessThan (Tensor.toFloat (amax (abs (found - expected)))) 1e-12 "derivative of the outer"

    testCase "the results of a pullback that outlives the gradient it was called in"
    <| fun () ->
        let p = tensor 2
        let mutable late = id<Tensor>

        let f (x: Tensor) =
            let y, pullback = vjp (fun z -> sin z * 2.0) (Tensor.detach x * 3.0)
            late <- pullback
            sum (y * x)

        grad f p |> ignore
        trample ()
        let ct = tensor 5
        unharmed "pullback" (Tensor.toFloats (2.0 * cos (p * 3.0) * ct)) (late ct)
]

let private released = [
    testCase "a tensor of the tape throws when its gradient has returned"
    <| fun () ->
        let mutable escaped = null

        let f (x: Tensor) =
            let y = sin x
            escaped <- y
            sum (y * y)

        grad f (tensor 2) |> ignore
        let isRefused (e: exn) = e :? InvalidOperationException
        Expect.throwsC (fun () -> escaped + 1.0 |> ignore) (fun e -> Expect.isTrue (isRefused e) "used")
        Expect.throwsC (fun () -> Tensor.toFloats escaped |> ignore) (fun e -> Expect.isTrue (isRefused e) "read")

    testCase "the buffers behind it were given back: its value is refused, too"
    <| fun () ->
        let mutable escaped = null

        let f (x: Tensor) =
            let y = sin x
            escaped <- y
            sum (y * y)

        grad f (tensor 2) |> ignore

        Expect.throwsC (fun () -> Tensor.detach escaped |> ignore) (fun e ->
            Expect.isTrue (e :? InvalidOperationException) "taken"
            Expect.stringContains e.Message "Tensor.detach inside that function" "the advice")
]

// ---- random programs, with buffers given back and without

/// The gradient without giving anything back.
let private keeping (f: Tensor -> Tensor) (x: Tensor) =
    let y, pullback = vjp f x
    pullback (Tensor.onesLike y)

/// A random program on vectors: a number from a vector, through everything that may alias, capture or keep.
let rec private program
    (gradient: (Tensor -> Tensor) -> Tensor -> Tensor)
    (stash: Tensor -> unit)
    (seed: int)
    depth
    (outer: Tensor list)
    (x: Tensor)
    =
    let random = Random seed
    let mutable known = x :: outer
    let pick () = List.item (random.Next known.Length) known
    let constant = tensor (random.Next 100)
    let tame (t: Tensor) = tanh (t * 0.7)

    for _ in 1..6 do
        let a, b, k = pick (), pick (), random.Next 1000

        let made: Tensor =
            match random.Next 20 with
            | 0 -> sin a
            | 1 -> a * b
            | 2 -> a + b * 0.5
            | 3 -> reshape [ size ] (Functional.Functions.transpose (reshape [ n; n ] a))
            | 4 -> flatten (reshape [ n; n ] a *@ reshape [ n; n ] b * 0.1)
            | 5 -> concat 0 [ narrow 0 0 40 a; narrow 0 40 (size - 40) b ]
            | 6 -> let parts = split 0 [ 50; size - 50 ] a in concat 0 [ parts[1]; sin parts[0] ]
            | 7 -> softmaxOver 0 a * 10.0
            | 8 -> broadcastTo [ size ] (sum (a * b) * 0.01)
            | 9 ->
                let d = Tensor.detach a
                stash d
                d * b
            | 10 -> where (greater a b) a (b * 0.3)
            | 11 when depth > 0 -> gradient (program gradient stash k (depth - 1) known) a
            | 12 when depth > 0 -> gradient (fun z -> program gradient stash k (depth - 1) (z :: known) (z * a)) b
            | 13 when depth > 0 -> gradient (program gradient stash k (depth - 1) known) (Tensor.detach a * 0.5) * b
            | 14 when depth > 0 ->
                snd (jvp (fun z -> z * gradient (program gradient stash k (depth - 1) known) z) a constant)
            | 15 -> flatten (vmap (fun row -> tanh row * sum row) (reshape [ n; n ] a))
            | 16 ->
                // what a rule may not close over it is given
                checkpoint (fun (u: Tensor, v: Tensor) -> flatten (sin (reshape [ n; n ] u)) * v) (a, b)
            | 17 ->
                customReverse
                    "rule"
                    (fun (u: Tensor) -> flatten (reshape [ n; n ] u) * constant, constant)
                    (fun c ct -> c * ct)
                    a
            | 18 ->
                fst (scan (fun s r -> s * 0.5 + r, sum r) (tanh (narrow 0 0 n b)) (reshape [ n; n ] a))
                |> fun v -> tile [ n ] v
            | 19 -> take 0 (Tensor.create [ size ] (Array.init size (fun i -> (i * 7) % size))) a
            | _ -> stopGradient a + constant

        known <- tame made :: known

    sum (List.item 0 known * List.item 1 known) + sum (square known.Head)

let private stress first last =
    for seed in first..last do
        try
            let run gradient =
                let seen = ResizeArray<Tensor>()

                let stash (t: Tensor) =
                    if isNull t.Level then
                        seen.Add t

                let g = gradient (program gradient stash seed 2 [ tensor 7 ]) (tensor seed)
                trample ()
                Tensor.toFloats g, seen.ToArray() |> Array.map Tensor.toFloats

            let (expected, expectedSeen), (found, foundSeen) = run keeping, run grad
            Expect.equal found expected "gradient"
            Expect.equal foundSeen expectedSeen "detached values"
        with e ->
            failtest $"random program {seed}: {e}"

[<Tests>]
let tests =
    testList "release" [
        testList "kept" kept
        testList "released" released
        testCase "random programs, few" <| fun () -> stress 0 30
        testCase "random programs, many" (fun () -> stress 31 400) |> slow
    ]
