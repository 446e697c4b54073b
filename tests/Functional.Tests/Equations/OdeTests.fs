/// Solutions of differential equations against known ones, and their derivatives against each other, against differences
/// and against the equations of the derivatives themselves.
module Functional.Tests.Equations.OdeTests

open System
open Expecto
open Functional

let private settings tolerance = {
    OdeSettings.Default with
        RelativeTolerance = tolerance
        AbsoluteTolerance = tolerance
}

let private through steps tolerance = {
    settings tolerance with
        Gradient = OdeGradient.ThroughSteps
        MaxSteps = steps
}

let private forward tolerance = { settings tolerance with Gradient = OdeGradient.Forward }

let private farthest (a: Tensor) (b: Tensor) = Tensor.toFloat (amax (abs (a - b)))
let private isNear what tolerance wanted found = Expect.isLessThan (farthest wanted found) tolerance what

/// y' = −k y, y' = y cos t, and a turning pair: each with its solution.
let private known: (string * (Tensor -> Tensor -> Tensor -> Tensor) * Tensor * (Tensor -> Tensor)) list = [
    "decay", (fun k _ y -> -k * y), Tensor.ofSeq [ 1.0; -2.0 ], (fun t -> exp (-2.0 * t) * Tensor.ofSeq [ 1.0; -2.0 ])
    "driven", (fun _ t y -> y * cos t), Tensor.ofSeq [ 0.5 ], (fun t -> 0.5 * exp (sin t))
    "turning",
    (fun k _ y -> stack 0 [ k * index 0 1 y; -k * index 0 0 y ]),
    Tensor.ofSeq [ 0.0; 1.0 ],
    (fun t -> concat 1 [ sin (2.0 * t); cos (2.0 * t) ])
]

let private two = scalar 2.0

/// The prey and predators of Lotka and Volterra.
let private lotka (p: Tensor) (_: Tensor) (prey: Tensor, predators: Tensor) =
    let p i = index 0 i p
    p 0 * prey - p 1 * prey * predators, p 2 * prey * predators - p 3 * predators

let private pendulum (p: Tensor) (t: Tensor) (angle: Tensor, speed: Tensor) =
    let p i = index 0 i p
    speed, -(p 0) * sin angle - p 1 * speed + 0.1 * cos (p 2 * t)

let private lotkaAt =
    Tensor.ofSeq [ 1.1; 0.4; 0.1; 0.4 ], Tensor.linspace 0.0 8.0 9, (scalar 10.0, scalar 5.0)

let private pendulumAt =
    Tensor.ofSeq [ 2.0; 0.3; 1.5 ], Tensor.linspace 1.0 5.0 6, (scalar 1.2, scalar -0.3)

let private loss settings f (p, times, y0) =
    let a, b = (Ode.solveWith settings f p times y0).States
    mean (square a) + 0.5 * mean (a * b)

let private numbers tree = Tree.leaves tree |> Array.collect Tensor.toFloats

let private close what tolerance (a: float[]) (b: float[]) =
    Array.iter2
        (fun x y -> Expect.isLessThanOrEqual (abs (x - y)) (tolerance * (1.0 + abs x)) $"{what}: {x} and {y}")
        a
        b

let private systems = [ "prey and predators", lotka, lotkaAt; "a driven pendulum", pendulum, pendulumAt ]

let private solutions =
    testList "solutions" [
        for name, f, y0, solution in known do
            testCase $"{name}: within the tolerance, forwards and backwards, as compiled"
            <| fun () ->
                for times in [ Tensor.linspace 0.0 3.0 13; Tensor.linspace 0.0 -1.5 7; Tensor.ofSeq [ 0.0; 0.0; 2.0 ] ] do
                    let wanted = solution (expandDims 1 times)

                    for tolerance in [ 1e-4; 1e-7; 1e-10 ] do
                        let solve times = (Ode.solveWith (settings tolerance) f two times y0).States
                        isNear $"{name}, {tolerance}" (2000.0 * tolerance) wanted (solve times)
                        isNear $"{name}, compiled" 1e-13 (solve times) (compile solve times)
                        let steps = (Ode.solveWith (through 400 tolerance) f two times y0).States
                        isNear $"{name}, kept steps" 1e-12 (solve times) steps

        testCase "half the error costs an eighth more steps: the order is five"
        <| fun () ->
            let steps tolerance =
                let s =
                    Ode.solveWith
                        (settings tolerance)
                        lotka
                        (Tensor.ofSeq [ 1.1; 0.4; 0.1; 0.4 ])
                        (Tensor.ofSeq [ 0.0; 20.0 ])
                        (scalar 10.0, scalar 5.0)

                Expect.isTrue (Tensor.toBool s.Reached) "reached"
                Tensor.toFloat s.Accepted

            let ratio = steps 1e-11 / steps 1e-6
            Expect.isTrue (ratio > 7.0 && ratio < 13.0) $"a hundred thousand times as exact: {ratio} times the steps"

        testCase "examples take steps of their own, in either float type"
        <| fun () ->
            let rates = Tensor.ofSeq [ 0.1; 3.0; 40.0 ]
            let times = Tensor.linspace 0.0 1.0 4
            let solve (rate: Tensor) = Ode.solve (fun k _ y -> -k * y) rate times (scalar 1.0)
            let wanted = exp (-(expandDims 1 rates * expandDims 0 times))
            isNear "batched" 1e-6 wanted (vmap solve rates)
            isNear "batched, compiled" 1e-6 wanted (compile (vmap solve) rates)

            let single =
                Ode.solve (fun (k: Tensor) _ y -> -k * y) (Tensor.ofSeq [ 3.0f ] |> sum) times (Tensor.ofSeq [ 1.0f ])

            Expect.equal single.DType DType.Float32 "type"
            isNear "single" 1e-5 (cast DType.Float32 (exp (-3.0 * expandDims 1 times))) single

        testCase "where it cannot go on, the states are not numbers and it says so"
        <| fun () ->
            let blows =
                Ode.solveWith OdeSettings.Default (fun () _ y -> y * y) () (Tensor.ofSeq [ 0.0; 0.5; 2.0 ]) (scalar 1.0)

            Expect.isFalse (Tensor.toBool blows.Reached) "past its pole"
            let states = Tensor.toFloats blows.States
            Expect.isTrue (abs (states[1] - 2.0) < 1e-6 && Double.IsNaN states[2]) $"%A{states}"

            let ends =
                Ode.solveWith OdeSettings.Default (fun () _ y -> sqrt y) () (Tensor.ofSeq [ 0.0; 1.0 ]) (scalar -1.0)

            Expect.isFalse (Tensor.toBool ends.Reached) "no slope"

            let few =
                Ode.solveWith
                    { OdeSettings.Default with MaxSteps = 3 }
                    lotka
                    (let p, _, _ = lotkaAt in p)
                    (Tensor.ofSeq [ 0.0; 9.0 ])
                    (scalar 10.0, scalar 5.0)

            Expect.equal (Tensor.toFloat few.Accepted + Tensor.toFloat few.Rejected) 3.0 "used up"

        testCase "settings and shapes that cannot be are refused in words"
        <| fun () ->
            let refused part work =
                Expect.throwsC (fun () -> work () |> ignore) (fun e ->
                    Expect.isTrue (e :? ArgumentException) $"{e}"
                    Expect.stringContains e.Message part part)

            let solve settings times y = Ode.solveWith settings (fun () _ y -> -y) () times y
            let times = Tensor.ofSeq [ 0.0; 1.0 ]
            refused "RelativeTolerance is 0" (fun () -> solve (settings 0.0) times (scalar 1.0))

            refused "FirstStep is -1" (fun () ->
                solve { OdeSettings.Default with FirstStep = Some -1.0 } times (scalar 1.0))

            refused "MaxSteps is 0" (fun () -> solve { OdeSettings.Default with MaxSteps = 0 } times (scalar 1.0))
            refused "times is a vector" (fun () -> solve OdeSettings.Default (scalar 1.0) (scalar 1.0))
            refused "the state is Int32" (fun () -> solve OdeSettings.Default times (Tensor.ofSeq [ 1 ]))

            refused "the slope" (fun () ->
                Ode.solve (fun () _ (_: Tensor) -> Tensor.ones [ 3 ]) () times (Tensor.ones [ 2 ]))
    ]

let private derivatives =
    testList "derivatives" [
        for name, f, at in systems do
            testCase $"{name}: the adjoint, the steps, forward mode and differences agree"
            <| fun () ->
                let adjoint = grad (loss (settings 1e-12) f) at
                let steps = grad (loss (through 600 1e-12) f) at
                close $"{name}: adjoint and steps" 1e-8 (numbers adjoint) (numbers steps)

                close
                    $"{name}: compiled"
                    1e-10
                    (numbers adjoint)
                    (numbers (compile (grad (loss (settings 1e-12) f)) at))

                close
                    $"{name}: steps, compiled"
                    1e-10
                    (numbers steps)
                    (numbers (compile (grad (loss (through 600 1e-12) f)) at))

                let xs = numbers at
                let random = Random 3
                let direction = xs |> Array.map (fun _ -> random.NextDouble() - 0.5)
                let along (k: float[]) = Array.map2 (*) k direction |> Array.sum
                let tangent = Tree.unravel at (Tensor.ofSeq direction)
                let _, slope = jvp (loss (forward 1e-12) f) at tangent
                close $"{name}: forward mode" 1e-8 [| along (numbers adjoint) |] (Tensor.toFloats slope)

                let moved (h: float) =
                    let shifted = Tensor.ofSeq (Array.map2 (fun x d -> x + h * d) xs direction)
                    Tensor.toFloat (loss (settings 1e-13) f (Tree.unravel at shifted))

                // two steps, extrapolated
                let difference h = (moved h - moved -h) / (2.0 * h)
                let extrapolated = (4.0 * difference 1e-3 - difference 2e-3) / 3.0
                close $"{name}: differences" 1e-7 [| along (numbers adjoint) |] [| extrapolated |]

        testCase "second derivatives through the steps, and forward"
        <| fun () ->
            let times = Tensor.ofSeq [ 0.0; 0.5; 1.0 ]
            let sumOf settings k = sum (Ode.solveWith settings (fun k _ y -> -k * y) k times (scalar 1.0)).States
            let wanted = 0.25 * exp -1.0 + exp -2.0

            let near name found =
                Expect.floatClose { absolute = 1e-7; relative = 1e-7 } (Tensor.toFloat found) wanted name

            near "steps" (hessian (sumOf (through 300 1e-11)) two |> sum)
            near "forward twice" (let d f k = snd (jvp f k (scalar 1.0)) in d (d (sumOf (forward 1e-11))) two)

        testCase "parameters of integers and none, frozen steps, and examples side by side"
        <| fun () ->
            let times = Tensor.linspace 0.0 1.0 3
            let f (k: Tensor, power: Tensor) _ (y: Tensor) = -k * y * cast DType.Float64 power
            let of' k = sum (Ode.solve f (k, Tensor.ofSeq [ 2 ] |> sum) times (scalar 1.0))
            let wanted k = -(exp -k + 2.0 * exp (-2.0 * k))
            let ks = Tensor.ofSeq [ 0.5; 1.0; 4.0 ]

            for grads in [ vmap (grad of') ks; compile (vmap (grad of')) ks ] do
                close "batched" 1e-6 (Array.map wanted [| 0.5; 1.0; 4.0 |]) (Tensor.toFloats grads)

            let initial = grad (fun y -> sum (Ode.solve (fun () _ y -> -y) () times y)) (Tensor.ones [ 2 ])
            close "initial" 1e-6 (Array.replicate 2 (1.0 + exp -0.5 + exp -1.0)) (Tensor.toFloats initial)
    ]

[<Tests>]
let tests = testList "equations.ode" [ solutions; derivatives ]
