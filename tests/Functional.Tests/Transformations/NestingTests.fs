/// Transformations in transformations: no perturbation is taken for another, in any mix of modes.
module Functional.Tests.Transformations.NestingTests

open System
open Expecto
open Functional
open Functional.Tests.Selection
open Functional.Tests.Transformations.Modes

let private close (tolerance: float) (what: string) (expected: float) (actual: float) =
    if not (abs (actual - expected) <= tolerance * max 1.0 (abs expected)) then
        failtest $"{what}: {actual:R}, expected {expected:R}"

let private canaries = [
    for outer, inner in pairs do
        let D, d = derivative outer, derivative inner

        testCase $"{outer} over {inner}: D(x → x·D(y → x + y) 1) 1 = 1"
        <| fun () -> close 0.0 "D" 1.0 (number (D (fun x -> x * d (fun y -> x + y) (scalar 1.0)) (scalar 1.0)))

        testCase $"{outer} over {inner}: D(x → x·D(y → x·y) 1) 4 = 8"
        <| fun () -> close 0.0 "D" 8.0 (number (D (fun x -> x * d (fun y -> x * y) (scalar 1.0)) (scalar 4.0)))

        testCase $"{outer} over {inner}: D(x → D(y → x·y²) x) 3 = 2·2·3"
        <| fun () -> close 1e-15 "D" 12.0 (number (D (fun x -> d (fun y -> x * y * y) x) (scalar 3.0)))

        testCase $"{outer} over {inner}: a function that returns a function (Manzyuk and others 2019)"
        <| fun () ->
            // s u f x = f (x + u); D(s) 0 applied twice must keep the perturbations apart: d²/du₁du₂ exp(x + u₁ + u₂)
            let shift (u: Tensor) (f: Tensor -> Tensor) (x: Tensor) = f (x + u)
            let once f x = d (fun u -> shift u f x) (scalar 0.0)
            let twice f x = D (fun u -> shift u (once f) x) (scalar 0.0)
            close 1e-15 "D" (exp 0.5) (number (twice exp (scalar 0.5)))

    for first in modes do
        for second in modes do
            for third in modes do
                testCase $"{first}, {second}, {third}: a product of three variables, one at each level"
                <| fun () ->
                    let f =
                        derivative first (fun x ->
                            x
                            * derivative
                                second
                                (fun y -> y * y * derivative third (fun z -> x * y * z * z) (x * y))
                                (x * x))
                    // z = xy: d/dz = 2x·y·z = 2x²y²; ·y² = 2x²y⁴; d/dy = 8x²y³ at y = x²; but z depends on y through its point only
                    // inner as a function of y: y²·(2·x·y·(x·y)) = 2x²y⁴ → 8x²y³ = 8x⁸; times x: 8x⁹ → 72x⁸
                    close 1e-13 "D" (72.0 * 1.1 ** 8.0) (number (f (scalar 1.1)))
]

/// f and its derivatives up to order 4 at a point.
let private derivatives: (string * (Tensor -> Tensor) * float * float list) list =
    let e, s, c = exp 0.3, sin 0.3, cos 0.3
    let t = tanh 0.3
    let u = 1.0 - t * t
    let g = 1.0 / (1.0 + exp -0.3)
    let g1 = g * (1.0 - g)

    [
        "exp", exp, 0.3, [ e; e; e; e; e ]
        "sin", sin, 0.3, [ s; c; -s; -c; s ]
        "log", log, 2.0, [ log 2.0; 0.5; -0.25; 0.25; -0.375 ]
        "1/x", reciprocal, 2.0, [ 0.5; -0.25; 0.25; -0.375; 0.75 ]
        "sqrt", sqrt, 4.0, [ 2.0; 0.25; -1.0 / 32.0; 3.0 / 256.0; -15.0 / 2048.0 ]
        "x⁴", (fun x -> x ** 4.0), 2.0, [ 16.0; 32.0; 48.0; 48.0; 24.0 ]
        "x⁴ at 0", (fun x -> x ** 4.0), 0.0, [ 0.0; 0.0; 0.0; 0.0; 24.0 ]
        "x·x·x·x", (fun x -> x * x * x * x), 2.0, [ 16.0; 32.0; 48.0; 48.0; 24.0 ]
        "tanh", tanh, 0.3, [ t; u; -2.0 * t * u; u * (6.0 * t * t - 2.0); u * (16.0 * t - 24.0 * t * t * t) ]
        "sigmoid",
        sigmoid,
        0.3,
        [
            g
            g1
            g1 * (1.0 - 2.0 * g)
            g1 * (1.0 - 6.0 * g + 6.0 * g * g)
            g1 * (1.0 - 2.0 * g) * (1.0 - 12.0 * g + 12.0 * g * g)
        ]
    ]

let private taylor = [
    for name, f, x, expected in derivatives do
        for choice in 0..15 do
            let mode k = if (choice >>> k) &&& 1 = 0 then Forward else Reverse

            testCase $"{name}, order 4, modes %A{List.init 4 mode}"
            <| fun () ->
                let all = [ 0..3 ] |> List.scan (fun f k -> derivative (mode k) f) f

                List.iter2
                    (fun (f: Tensor -> Tensor) value -> close 1e-12 name value (number (f (scalar x))))
                    all
                    expected
]

// ---- descent by gradients that are derivatives of programs (the public suite's particle and saddle)

/// Minimises g: comparisons look at values only, the rest may be differentiated.
let private descend (g: Tensor -> Tensor) (slope: Tensor -> Tensor) (start: Tensor) : Tensor =
    let size (v: Tensor) = sqrt (numbers v |> Array.sumBy (fun x -> x * x))
    let mutable eta, streak, x = 1e-5, 0, start
    let mutable value, direction = g x, slope x
    let mutable result = null

    while isNull result do
        if size direction <= 1e-5 then
            result <- x
        elif streak = 10 then
            eta <- eta * 2.0
            streak <- 0
        else
            let next = x - eta * direction

            if size (Tensor.detach next - Tensor.detach x) <= 1e-5 then
                result <- x
            else
                let there = g next

                if number there < number value then
                    x <- next
                    value <- there
                    direction <- slope x
                    streak <- streak + 1
                else
                    eta <- eta / 2.0
                    streak <- 0

    result

let private particle outer inner =
    let energy (w: Tensor) =
        let charges = [ concat 0 [ Tensor.ofSeq [ 10.0 ]; reshape [ 1 ] (10.0 - w) ]; Tensor.ofSeq [ 10.0; 0.0 ] ]

        let potential (x: Tensor) =
            charges |> List.map (fun c -> let d = x - c in 1.0 / sqrt (sum (d * d))) |> List.reduce (+)

        let mutable x, v, flying = Tensor.ofSeq [ 0.0; 8.0 ], Tensor.ofSeq [ 0.75; 0.0 ], true
        let mutable hit = null

        while flying do
            let acceleration = -(gradient inner potential x)
            x <- x + 0.1 * v

            if (numbers x)[1] <= 0.0 then
                flying <- false
                hit <- index 0 0 x - index 0 1 x * index 0 0 v / index 0 1 v
            else
                v <- v + 0.1 * acceleration

        hit * hit

    descend energy (derivative outer energy) (scalar 0.0)

let private saddle outer inner =
    let f (x: Tensor) (y: Tensor) = sum (x * x) - sum (y * y)
    let start = Tensor.ofSeq [ 1.0; 1.0 ]
    let maximum mode (x: Tensor) = descend (fun y -> -(f x y)) (gradient mode (fun y -> -(f x y))) start
    let best (x: Tensor) = f x (maximum inner x)
    let x = descend best (gradient outer best) start
    Array.append (numbers x) (numbers (maximum inner x))

[<Tests>]
let tests =
    testList "nesting" [
        testList "canaries" canaries
        testList "derivatives of order 4" taylor

        testList "particle" [
            for outer, inner in pairs ->
                testCase $"{outer} over {inner}" (fun () ->
                    close 1e-12 "w" 0.2071918746486116 (number (particle outer inner)))
                |> slow
        ]

        testList "saddle" [
            for outer, inner in pairs ->
                testCase $"{outer} over {inner}" (fun () ->
                    for v in saddle outer inner do
                        close 1e-14 "coordinate" 8.246324826140356e-06 v)
                |> slow
        ]
    ]
