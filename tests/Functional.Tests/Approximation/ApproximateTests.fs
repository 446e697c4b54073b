/// Networks that are asked for: small enough, good enough, and measured honestly; what is refused; constructions that are exact.
module Functional.Tests.Approximation.ApproximateTests

open System
open Expecto
open Functional

let internal refused (words: string) (f: unit -> unit) =
    let message =
        try
            f ()
            "nothing was refused"
        with :? ArgumentException as e ->
            e.Message

    Expect.stringContains message words "the error"

let private quick = { Approximate.defaults with Seconds = 100.0 }
let private runge (x: Tensor) = 1.0 / (1.0 + 25.0 * x * x)

/// The sup error on points that the search has never seen.
let private supAt (points: float[][]) (a: Approximation) (f: Tensor -> Tensor) =
    let x = Tensor.ofRows (Seq.map Seq.ofArray points)
    Tensor.toFloat (amax (abs (a.Apply x - f x)))

let private line low high = Array.init 77_777 (fun i -> [| low + (high - low) * float i / 77_776.0 |])

let private layer (weights: float list list) (bias: float list) : Dense = {
    Weights = Tensor.ofRows weights
    Bias = Some(Tensor.ofSeq bias)
}

let private relus hidden output x = hidden |> List.fold (fun x l -> relu (dense l x)) x |> dense output

[<Tests>]
let tests =
    testList "approximate" [
        for name, low, high, f in
            [
                "sin 3x", -2.0, 2.0, (fun (x: Tensor) -> sin (3.0 * x))
                "|x|", -1.0, 1.0, abs
                "1/(1+25x²)", -1.0, 1.0, runge
                "a step", -1.0, 1.0, (fun x -> erf (x / 0.01))
            ] do
            testCase $"{name} to 1e-3, with 16 units at most, also where nobody looked"
            <| fun () ->
                let a = Approximate.find quick [ low, high ] f
                Expect.isTrue a.Reached $"{a}"
                Expect.isLessThanOrEqual a.Width 16 $"{a}"
                Expect.isLessThan (supAt (line low high) a f) 1e-3 "between the points"
                Expect.isGreaterThan (supAt (line low high) a f) (0.95 * a.Sup) "the worst was found"
            |> Functional.Tests.Selection.slow

        testCase "two variables, two outputs, two layers"
        <| fun () ->
            let f (p: Tensor) =
                let x, y = narrow 1 0 1 p, narrow 1 1 1 p
                concat 1 [ x * y; x + y ]

            let options = { quick with Epsilon = 3e-2; Depth = 2; MaxWidth = 16 }
            let a = Approximate.find options [ 0.0, 2.0; -1.0, 1.0 ] f
            Expect.isTrue a.Reached $"{a}"
            Expect.equal a.Network.Hidden.Length 2 "layers"
            let random = Random 5

            let points =
                Array.init 20_000 (fun _ -> [| 2.0 * random.NextDouble(); 2.0 * random.NextDouble() - 1.0 |])

            Expect.isLessThan (supAt points a f) 3e-2 "anywhere"

        testCase "every activation does"
        <| fun () ->
            for activation in
                [
                    HiddenActivation.Sigmoid
                    HiddenActivation.Tanh
                    HiddenActivation.Relu
                    HiddenActivation.Gaussian
                    HiddenActivation.Sin
                ] do
                let a = Approximate.find { quick with Activation = activation; Epsilon = 0.05 } [ 0.0, 3.0 ] sin
                Expect.isTrue a.Reached $"{activation}: {a}"

        testCase "the same seed finds the same network"
        <| fun () ->
            let once () = Approximate.find { quick with Epsilon = 1e-2 } [ -1.0, 1.0 ] runge
            let a, b = once (), once ()
            Expect.equal (a.Width, a.Sup, a.Steps) (b.Width, b.Sup, b.Steps) "the search"
            let numbers (a: Approximation) = a.Network |> Tree.leaves |> Array.map Tensor.toFloats
            Expect.equal (numbers a) (numbers b) "the network"

        testCase "a constant is one unit, and a table is learnt"
        <| fun () ->
            let a = Approximate.find quick [ 3.0, 4.0 ] (fun x -> 0.0 * x + 7.0)
            Expect.equal a.Width 1 "a constant"
            let x = Array.init 30 (fun i -> [| float i / 10.0 |])
            let y = x |> Array.map (fun p -> [| cos p[0] |])
            let a = Approximate.table { quick with Epsilon = 1e-3 } x y
            Expect.isTrue a.Reached $"{a}"
            Expect.equal a.Points 30 "measured on the table"

        testCase "what cannot be done is refused in words"
        <| fun () ->
            let find options box f () = Approximate.find options box f |> ignore
            refused "not finite on its box: at (0)" (find quick [ -1.0, 1.0 ] (fun x -> 1.0 / x))
            refused "not computed that precisely in Float64" (find { quick with Epsilon = 1e-17 } [ -1.0, 1.0 ] sin)
            refused "an interval from 1 to 1" (find quick [ 1.0, 1.0 ] sin)
            refused "epsilon is -1" (find { quick with Epsilon = -1.0 } [ 0.0, 1.0 ] sin)
            refused "Depth is 0" (find { quick with Depth = 0 } [ 0.0, 1.0 ] sin)
            refused "for each point" (find quick [ 0.0, 1.0 ] sum)

            refused "2 points and 1 values" (fun () ->
                Approximate.table quick [| [| 0.0 |]; [| 1.0 |] |] [| [| 1.0 |] |] |> ignore)

        testCase "a search that is stopped keeps the best it has"
        <| fun () ->
            let mutable asked = 0

            let stop () =
                asked <- asked + 1
                asked > 30

            let a = Approximate.find { quick with Epsilon = 1e-9; Stop = stop } [ -1.0, 1.0 ] runge
            Expect.isFalse a.Reached "not done"
            Expect.isLessThan a.Sup 0.6 "but something"

        testCase "baselines need what theory says"
        <| fun () ->
            let baselines = Baselines.find 1e-6 [ -1.0, 1.0 ] runge
            let named name = baselines |> List.find (fun b -> b.Name = name)
            // the error of Chebyshev interpolation of 1/(1+25x²) falls as ρ⁻ⁿ with ρ = (1 + √26)/5
            let chebyshev = named "Chebyshev interpolation"
            Expect.isTrue chebyshev.Reached "reached"
            let predicted = log 1e6 / log ((1.0 + sqrt 26.0) / 5.0)

            Expect.isTrue
                (abs (float chebyshev.Numbers - predicted) < 12.0)
                $"{chebyshev.Numbers} numbers, {predicted} predicted"

            Expect.isTrue (named "cubic spline").Reached "spline"
            Expect.isFalse (named "polynomial by least squares").Reached "a polynomial of degree 40 does not"
            let plane = Baselines.find 1e-8 [ -1.0, 1.0; 0.0, 1.0 ] (fun p -> exp (sumKeep [ 1 ] p))
            Expect.equal (plane |> List.map _.Reached) [ true ] "a rectangle"

        testCase "|x| is two relus, exactly"
        <| fun () ->
            let net = relus [ layer [ [ 1.0; -1.0 ] ] [ 0.0; 0.0 ] ] (layer [ [ 1.0 ]; [ 1.0 ] ] [ 0.0 ])
            let x = Tensor.linspace -3.0 3.0 1_001 |> expandDims -1
            Expect.equal (Tensor.toFloats (net x)) (Tensor.toFloats (abs x)) "every bit"

        testCase "Yarotsky's network of depth m is x² within 2^(−2m−2)"
        <| fun () ->
            // g(x) = 2·relu(x) − 4·relu(x − ½) + 2·relu(x − 1) is a tooth; x² ≈ x − Σ gₛ(x)/4ˢ (D. Yarotsky, 2017)
            for m in 1..8 do
                let tooth (x: Tensor) = 2.0 * relu x - 4.0 * relu (x - 0.5) + 2.0 * relu (x - 1.0)
                let x = Tensor.linspace 0.0 1.0 ((1 <<< 10) + 1)

                let square', _ =
                    ((x, x), [ 1..m ])
                    ||> List.fold (fun (total, teeth) s ->
                        (let teeth = tooth teeth in total - teeth / 4.0 ** float s, teeth))

                let sup = Tensor.toFloat (amax (abs (square' - x * x)))
                Expect.floatClose Accuracy.veryHigh sup (2.0 ** float (-2 * m - 2)) $"depth {m}"
    ]
