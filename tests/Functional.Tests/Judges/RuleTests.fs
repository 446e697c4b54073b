/// Rules of the user's own and checkpoints, in random programs: each against the same program in which the rule's function
/// stands in its place, whose ordinary derivative is the rule's. Where a rule stands, its function's own derivative is
/// hidden, so that whoever differentiates the function instead of following the rule is found out.
module Functional.Tests.Judges.RuleTests

open System
open Expecto
open Functional
open Functional.Tests.Judges.Judges
open Functional.Tests.Selection

/// One piece of a program: `isRule` whether rules stand for themselves, `c` data that nobody differentiates (of whatever
/// level), `p` a parameter, `x` the argument; vectors of three.
type private Piece = bool -> Tensor -> Tensor -> Tensor -> Tensor

let private steps = Tensor.ofSeq [ 1; 2; 0 ]
let private direction = Tensor.ofSeq [ 0.7; -0.4; 0.5 ]

/// √(x² + 1) by Newton's method, which reverse mode cannot look into.
let private newton (x: Tensor) =
    let target = square x + 1.0

    whileLoop
        (fun (y: Tensor) -> greater (amax (abs (y * y - target))) (scalar 1e-12))
        (fun y -> 0.5 * (y + target / y))
        (Tensor.onesLike x)

let private product isRule : Piece =
    fun _ c _ x ->
        let f (x: Tensor) = sin x * c + x * x

        if isRule then
            customForward "product" (f >> stopGradient) (fun x _ dx -> dx * (cos x * c + 2.0 * x)) x
        else
            f x

/// Two results, an integer input, an input that is not used, and the result in the tangent.
let private several isRule : Piece =
    fun _ c p x ->
        let f (a: Tensor, k: Tensor, b: Tensor, _: Tensor) = exp (0.3 * a) * b + cast DType.Float64 k, a * b * c

        let y, z =
            if isRule then
                customForward
                    "several"
                    (fun v -> let y, z = f v in stopGradient y, stopGradient z)
                    (fun (a, k, b, _) (y, _) (da, _, db, _) ->
                        0.3 * da * (y - cast DType.Float64 k) + exp (0.3 * a) * db, c * (da * b + a * db))
                    (x, steps, p, p * 2.0)
            else
                f (x, steps, p, p)

        y + sin z

/// Cotangents by way of the result, which is a residual, and of what is computed from it.
let private backward isRule : Piece =
    fun _ c p x ->
        let f (a: Tensor, k: Tensor, b: Tensor) = exp (0.3 * a) * c, tanh (a * b) + cast DType.Float64 k

        let y, z =
            if isRule then
                customReverse
                    "backward"
                    (fun (a: Tensor, k: Tensor, b: Tensor) ->
                        let y, z = f (a, k, b)
                        let y, z = stopGradient y, stopGradient z

                        (y, z),
                        {|
                            Result = y
                            Slope = 1.0 - square (z - cast DType.Float64 k)
                            Of = (a, k, b)
                        |})
                    (fun r (dy: Tensor, dz: Tensor) ->
                        let a, k, b = r.Of
                        0.3 * dy * r.Result + dz * r.Slope * b, k, dz * r.Slope * a)
                    (x, steps, p)
            else
                f (x, steps, p)

        y * 0.5 + z

let private solver isReverse isRule : Piece =
    fun _ _ _ x ->
        if not isRule then
            sqrt (square x + 1.0)
        elif isReverse then
            customReverse "solver" (fun x -> let y = newton x in y, x / y) (fun slope ct -> slope * ct) x
        else
            customForward "solver" newton (fun x y dx -> x / y * dx) x

let rec private piece (random: Random) depth : bool -> Piece =
    if depth = 0 then
        match random.Next 6 with
        | 0 -> product
        | 1 -> several
        | 2 -> backward
        | 3 -> solver false
        | 4 -> solver true
        | _ ->
            fun isRule _ c p x ->
                let f (x: Tensor) = sin (x * p) + c * x
                if isRule then checkpoint f x else f x
    else
        let inner = piece random (depth - 1)
        let other = piece random (random.Next depth)
        let fed, last = random.Next 3, random.Next 2

        let bounded isRule c p x = tanh (0.6 * inner isRule isRule c p x) + 0.2 * x

        match random.Next 11 with
        | 0 -> fun isRule _ c p x -> tanh (0.7 * other isRule isRule c p (bounded isRule c p x)) + 0.1 * x
        // a rule whose function and whose derivative are other pieces
        | 1 ->
            fun isRule _ c p x ->
                let f (x, p) = bounded isRule c p x

                if isRule then
                    customForward "nested" (f >> stopGradient) (fun at _ along -> snd (jvp f at along)) (x, p)
                else
                    f (x, p)
        | 2 ->
            fun isRule _ c p x ->
                let f (x, p) = bounded isRule c p x

                if isRule then
                    customReverse "nested" (fun at -> stopGradient (f at), at) (fun at ct -> snd (vjp f at) ct) (x, p)
                else
                    f (x, p)
        | 3 -> fun isRule _ c p x -> if isRule then checkpoint (bounded isRule c p) x else bounded isRule c p x
        | 4 ->
            fun isRule _ c p x ->
                // data and argument differ between the examples, or only one of them does
                let xs, cs = stack 0 [ x; x * 0.5 ], stack 0 [ c; c - 0.5 ]

                match fed with
                | 0 -> sumOver [ 0 ] (vmap (fun (x, c) -> bounded isRule c p x) (xs, cs)) * 0.5
                | 1 -> sumOver [ 0 ] (vmap (fun x -> bounded isRule c p x) xs) * 0.5
                | _ -> sumOver [ 0 ] (vmap (fun c -> bounded isRule c p x) cs) * 0.5
        | 5 ->
            fun isRule _ c p x ->
                let body c s = bounded isRule c (if fed = 0 then s else p) s
                fst (scan (fun s c -> body c s, ()) x (stack 0 [ c; c * 0.5; c + 0.3 ]))
        | 6 -> fun isRule _ c p x -> snd (jvp (bounded isRule c p) x direction)
        | 7 -> fun isRule _ c p x -> grad (fun z -> sum (bounded isRule c p z * direction)) x
        | 8 ->
            fun isRule _ c p x ->
                if last = 0 then
                    compile (fun (c, p, x) -> bounded isRule c p x) (c, p, x)
                else
                    compile (bounded isRule c p) x
        | 9 ->
            fun isRule _ c p x ->
                cond (greater (sum c) (scalar 0.4)) (bounded isRule c p) (fun x -> other isRule isRule c p x * 0.3) x
        | _ ->
            fun isRule _ c p x ->
                fst (scanCheckpointed (fun s c -> bounded isRule c p s, ()) x (stack 0 [ c; c * 0.5; c + 0.3 ]))

let private data = Tensor.ofSeq [ 0.3; -0.2; 0.4 ]

let private program (seed: int) : bool -> Tensor -> Tensor =
    let random = Random seed
    let f = piece random (1 + random.Next 2)
    fun isRule v -> sum (sin (f isRule isRule data (narrow 0 3 3 v) (narrow 0 0 3 v)) * direction)

/// The derivative along v, by one of several ways.
let private along way (v: Tensor) (f: Tensor -> Tensor) : Tensor -> Tensor =
    let forward x = snd (jvp f x v)
    let reverse x = sum (grad f x * v)
    let both x = stack 0 [ x; x * 0.5 ]

    match way with
    | 0 -> forward
    | 1 -> reverse
    | 2 -> fun x -> snd (vjp f x) (scalar 1.0) * v |> sum
    | 3 -> compile forward
    | 4 -> compile reverse
    | 5 -> fun x -> index 0 0 (vmap forward (both x))
    | _ -> fun x -> index 0 0 (vmap reverse (both x))

let private ways = [| "jvp"; "grad"; "vjp"; "compiled jvp"; "compiled grad"; "vmapped jvp"; "vmapped grad" |]

let private check (seed: int) =
    let random = Random(seed + 77)
    let vectors = like (seed + 5) (Array.create 4 (Tensor.zeros [ 6 ]))
    let f = program seed
    let agreeOne what (a: Tensor) (b: Tensor) = agreeTensors 1e-8 what [| a |] [| b |]
    agreeOne "value" (f true vectors[3]) (f false vectors[3])
    differences 1e-7 (fun v -> [| f true v[0] |]) [| vectors[3] |] [| vectors[0] |]

    for order in 1..3 do
        let path = Array.init order (fun _ -> random.Next ways.Length)
        let nested f = Seq.fold (fun f k -> along path[k] vectors[k] f) f (seq { 0 .. order - 1 })
        let name = path |> Array.map (fun way -> ways[way]) |> String.concat " of "

        try
            let found = nested (f true) vectors[3]
            agreeOne $"order {order} by {name}" found (nested (f false) vectors[3])
            // all forward is another path for both
            agreeOne
                $"order {order} by {name}, against forward mode"
                found
                (Seq.fold (fun f k -> along 0 vectors[k] f) (f false) (seq { 0 .. order - 1 }) vectors[3])
        with
        | :? AssertException -> reraise ()
        | e -> failtest $"order {order} by {name}: {e.GetType().Name}: {e.Message}\n{e.StackTrace}"

[<Tests>]
let tests =
    testList "rules" [
        for first in 0..50..150 do
            testCase $"random programs of rules and checkpoints follow the rules, from {first} on"
            <| fun () ->
                for seed in first * draws 1 .. (first + 50) * draws 1 - 1 do
                    try
                        check seed
                    with :? AssertException as e ->
                        failtest $"program {seed}: {e.Message}"
            |> slow
    ]
