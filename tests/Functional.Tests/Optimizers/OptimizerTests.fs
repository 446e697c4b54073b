/// Optimisers against their formulas, written here once more for plain numbers.
module Functional.Tests.Optimizers.OptimizerTests

open System
open Expecto
open Functional
open Functional.Tests.Layers.Close

/// Twelve gradients that change sign and size.
let private gradients = [ for t in 1..12 -> sin (1.7 * float t) * (1.0 + 0.3 * float t) ]

/// A rule for one number: what it remembers, and (t, g, memory, p) to memory and step.
let private trajectory (memory: float list) (rule: int -> float -> float list -> float -> float list * float) =
    let follow (t, memory, p) g =
        let memory, p = rule t g memory p
        t + 1, memory, p

    gradients |> List.scan follow (1, memory, 0.8) |> List.tail |> List.map (fun (_, _, p) -> p)

let private followed (dtype: DType) (optimizer: Optimizer) =
    let start = Tensor.scalarOf dtype 0.8

    let follow (p, state) g = Optimizer.step optimizer (Tensor.scalarOf dtype g) state p |> fun (p, state) -> p, state

    gradients
    |> List.scan follow (start, Optimizer.init optimizer start)
    |> List.tail
    |> List.map (fst >> Tensor.toFloat)

let private rate = 0.05
let private constant = Schedule.constant rate

let private momentumRule momentum nesterov _ g (memory: float list) p =
    let v = momentum * memory[0] - rate * g
    [ v ], (if nesterov then p + momentum * v - rate * g else p + v)

let private rmspropRule rho momentum centered _ g (memory: float list) p =
    let v = rho * memory[0] + (1.0 - rho) * g * g
    let mean = rho * memory[1] + (1.0 - rho) * g
    let step = rate * g / sqrt (v - (if centered then mean * mean else 0.0) + 1e-7)
    let moment = momentum * memory[2] + step
    [ v; mean; moment ], p - moment

let private adamRule amsgrad decay t g (memory: float list) p =
    let p = p - p * rate * decay
    let m = 0.9 * memory[0] + 0.1 * g
    let v = 0.999 * memory[1] + 0.001 * g * g
    let largest = if amsgrad then max memory[2] v else v
    let alpha = rate * sqrt (1.0 - 0.999 ** float t) / (1.0 - 0.9 ** float t)
    [ m; v; largest ], p - alpha * m / (sqrt largest + 1e-7)

let private nadamRule t g (memory: float list) p =
    let u t = 0.9 * (1.0 - 0.5 * 0.96 ** float t)
    let product = memory[2] * u t
    let m = 0.9 * memory[0] + 0.1 * g
    let v = 0.999 * memory[1] + 0.001 * g * g
    let mHat = u (t + 1) * m / (1.0 - product * u (t + 1)) + (1.0 - u t) * g / (1.0 - product)
    [ m; v; product ], p - rate * mHat / (sqrt (v / (1.0 - 0.999 ** float t)) + 1e-7)

let private adadeltaRule _ g (memory: float list) p =
    let a = 0.95 * memory[0] + 0.05 * g * g
    let delta = sqrt (memory[1] + 1e-7) / sqrt (a + 1e-7) * g
    [ a; 0.95 * memory[1] + 0.05 * delta * delta ], p - rate * delta

let private lionRule _ g (memory: float list) p =
    [ 0.99 * memory[0] + 0.01 * g ], p - rate * float (sign (0.9 * memory[0] + 0.1 * g))

let private adamaxRule t g (memory: float list) p =
    let m = 0.9 * memory[0] + 0.1 * g
    let u = max (0.999 * memory[1]) (abs g)
    [ m; u ], p - rate / (1.0 - 0.9 ** float t) * m / (u + 1e-7)

let private lambRule t g (memory: float list) p =
    let m = 0.9 * memory[0] + 0.1 * g
    let v = 0.999 * memory[1] + 0.001 * g * g
    let u = m / (1.0 - 0.9 ** float t) / (sqrt (v / (1.0 - 0.999 ** float t)) + 1e-7)
    [ m; v ], p - (if p <> 0.0 && u <> 0.0 then abs p / abs u else 1.0) * rate * u

let private adafactorRule t g (memory: float list) p =
    let kept = 1.0 - float t ** -0.8
    let v = kept * memory[0] + (1.0 - kept) * (g * g + 1e-30)
    let u = g / sqrt v
    [ v ], p - max 1e-3 (abs p) * min rate (1.0 / sqrt (float t)) * u / max 1.0 (abs u)

let private ftrlRule l1 l2 shrinkage beta _ g (memory: float list) p =
    let n = memory[0] + g * g
    let z = memory[1] + (g + 2.0 * shrinkage * p) - (sqrt n - sqrt memory[0]) / rate * p
    let quadratic = sqrt n / rate + 2.0 * (l2 + beta / (2.0 * rate))
    [ n; z ], (Math.Clamp(z, -l1, l1) - z) / quadratic

let private clipRule (limit: float) _ (g: float) _ p = [], p - rate * Math.Clamp(g, -limit, limit)

let private cases = [
    "sgd", Optimizer.sgd rate, trajectory [] (fun _ g _ p -> [], p - rate * g)
    "momentum", Optimizer.momentum 0.9 rate, trajectory [ 0.0 ] (momentumRule 0.9 false)
    "Nesterov",
    Sgd.create { Rate = constant; Momentum = 0.9; Nesterov = true },
    trajectory [ 0.0 ] (momentumRule 0.9 true)
    "rmsprop", Optimizer.rmsprop rate, trajectory [ 0.0; 0.0; 0.0 ] (rmspropRule 0.9 0.0 false)
    "rmsprop, centred, with momentum",
    RmsProp.create {
        RmsProp.defaults with
            Rate = constant
            Rho = 0.8
            Momentum = 0.5
            Centered = true
    },
    trajectory [ 0.0; 0.0; 0.0 ] (rmspropRule 0.8 0.5 true)
    "adagrad",
    Optimizer.adagrad rate,
    trajectory [ 0.1 ] (fun _ g memory p -> let a = memory[0] + g * g in [ a ], p - rate * g / sqrt (a + 1e-7))
    "adadelta", Optimizer.adadelta rate, trajectory [ 0.0; 0.0 ] adadeltaRule
    "adam", Optimizer.adam rate, trajectory [ 0.0; 0.0; 0.0 ] (adamRule false 0.0)
    "amsgrad",
    Adam.create { Adam.defaults with Rate = constant; AmsGrad = true },
    trajectory [ 0.0; 0.0; 0.0 ] (adamRule true 0.0)
    "adamw", Optimizer.adamw 0.004 rate, trajectory [ 0.0; 0.0; 0.0 ] (adamRule false 0.004)
    "nadam", Optimizer.nadam rate, trajectory [ 0.0; 0.0; 1.0 ] nadamRule
    "lion", Optimizer.lion rate, trajectory [ 0.0 ] lionRule
    "adamax", Optimizer.adamax rate, trajectory [ 0.0; 0.0 ] adamaxRule
    "lamb, by the norm", Optimizer.lamb rate, trajectory [ 0.0; 0.0 ] lambRule
    "adafactor, by the norm", Optimizer.adafactor rate, trajectory [ 0.0 ] adafactorRule
    "ftrl", Optimizer.ftrl rate, trajectory [ 0.1; 0.0 ] (ftrlRule 0.0 0.0 0.0 0.0)
    "ftrl with everything",
    Ftrl.create {
        Ftrl.defaults with
            Rate = constant
            L1 = 0.3
            L2 = 0.2
            L2Shrinkage = 0.1
            Beta = 0.5
    },
    trajectory [ 0.1; 0.0 ] (ftrlRule 0.3 0.2 0.1 0.5)
    "clipped by value", Optimizer.sgd rate |> Optimizer.clipByValue 0.5, trajectory [] (clipRule 0.5)
    "clipped by norm", Optimizer.sgd rate |> Optimizer.clipByNorm 0.5, trajectory [] (clipRule 0.5)
    "clipped by global norm", Optimizer.sgd rate |> Optimizer.clipByGlobalNorm 0.5, trajectory [] (clipRule 0.5)
]

type private Net = { Body: Dense; Scale: Frozen; Count: Tensor }

let private net = {
    Body = {
        Weights = Tensor.ofRows [ [ 1.0; 2.0 ] ]
        Bias = Some(Tensor.ofSeq [ 3.0; 4.0 ])
    }
    Scale = { Value = scalar 5.0 }
    Count = Tensor.create [] [| 6 |]
}

[<Tests>]
let tests =
    testList "optimisers" [
        testCase "adafactor remembers rows and columns of a matrix, lamb steps as far as the matrix is long"
        <| fun () ->
            let rows, columns = 2, 3
            let start = Array2D.init rows columns (fun i j -> 0.5 - 0.3 * float i + 0.2 * float j)
            let gradient t = Array2D.init rows columns (fun i j -> sin (float (t + 2 * i) + 1.3 * float j))

            let all (x: float[,]) = [
                for i in 0 .. rows - 1 do
                    for j in 0 .. columns - 1 -> x[i, j]
            ]

            let rms x = all x |> List.averageBy (fun a -> a * a) |> sqrt
            let p, r, c = Array2D.copy start, Array.zeroCreate rows, Array.zeroCreate columns
            let q, m, v = Array2D.copy start, Array2D.zeroCreate rows columns, Array2D.zeroCreate rows columns

            for t in 1..4 do
                let g = gradient t
                let kept = 1.0 - float t ** -0.8

                for i in 0 .. rows - 1 do
                    r[i] <-
                        kept * r[i]
                        + (1.0 - kept) * List.average [ for j in 0 .. columns - 1 -> g[i, j] * g[i, j] + 1e-30 ]

                for j in 0 .. columns - 1 do
                    c[j] <-
                        kept * c[j]
                        + (1.0 - kept) * List.average [ for i in 0 .. rows - 1 -> g[i, j] * g[i, j] + 1e-30 ]

                let u = g |> Array2D.mapi (fun i j g -> g / sqrt (r[i] / Array.average r * c[j]))
                let size = max 1e-3 (rms p) * min rate (1.0 / sqrt (float t)) / max 1.0 (rms u)

                m |> Array2D.iteri (fun i j old -> m[i, j] <- 0.9 * old + 0.1 * g[i, j])
                v |> Array2D.iteri (fun i j old -> v[i, j] <- 0.999 * old + 0.001 * g[i, j] * g[i, j])

                let w =
                    m
                    |> Array2D.mapi (fun i j m ->
                        m / (1.0 - 0.9 ** float t) / (sqrt (v[i, j] / (1.0 - 0.999 ** float t)) + 1e-7))

                let ratio = rms q / rms w

                p |> Array2D.iteri (fun i j old -> p[i, j] <- old - size * u[i, j])
                q |> Array2D.iteri (fun i j old -> q[i, j] <- old - rate * ratio * w[i, j])

            let follow optimizer =
                let first = Tensor.ofRows [ for i in 0 .. rows - 1 -> List.ofArray start[i, *] ]

                let step (p, state) t =
                    let g = gradient t
                    Optimizer.step optimizer (Tensor.ofRows [ for i in 0 .. rows - 1 -> List.ofArray g[i, *] ]) state p

                List.fold step (first, Optimizer.init optimizer first) [ 1..4 ] |> fst

            expectClose 1e-12 (all p) (follow (Optimizer.adafactor rate)) "adafactor"
            expectClose 1e-12 (all q) (follow (Optimizer.lamb rate)) "lamb"

        for name, optimizer, expected in cases do
            testCase name
            <| fun () ->
                List.iter2
                    (fun e a -> Expect.floatClose { absolute = 1e-12; relative = 1e-12 } a e name)
                    expected
                    (followed DType.Float64 optimizer)

                List.iter2
                    (fun e a -> Expect.floatClose { absolute = 1e-5; relative = 1e-5 } a e name)
                    expected
                    (followed DType.Float32 optimizer)

            testCase $"{name}: every number of a tensor as if alone; numbers at work count as constants do"
            <| fun () ->
                // [gradients, parameters] of one tensor, and the same rate as a tensor that is being differentiated
                if not (name.Contains "norm") then
                    let scales = [ 1.0; -0.5; 2.0 ]
                    let step (p, s) g = Optimizer.step optimizer (Tensor.ofSeq [ for k in scales -> k * g ]) s p
                    let start = Tensor.ofSeq [ 0.8; 0.8; 0.8 ]
                    let p, _ = gradients |> List.fold step (start, Optimizer.init optimizer start)

                    Expect.floatClose
                        { absolute = 1e-12; relative = 1e-12 }
                        (Array.head (Tensor.toFloats p))
                        (List.last expected)
                        "first"

                    let traced p =
                        let follow (p, s) (g: float) = Optimizer.step optimizer (Tensor.scalar g) s p
                        let state = Optimizer.init optimizer p
                        gradients |> List.fold follow (p, { state with RateScale = p / 0.8 }) |> fst

                    let value, _ = valueAndGrad traced (scalar 0.8)

                    Expect.floatClose
                        { absolute = 1e-12; relative = 1e-12 }
                        (Tensor.toFloat value)
                        (List.last expected)
                        "traced"

            testCase $"{name}: compiled, and for many models at once"
            <| fun () ->
                let step (g, state, p) = Optimizer.step optimizer g state p
                let start = Tensor.ofSeq [ 0.8; -0.3; 0.1 ]
                let init = Optimizer.init optimizer start, start

                let run step =
                    gradients
                    |> List.fold
                        (fun (state, p) g ->
                            step (g * Tensor.ofSeq [ 1.0; -0.5; 2.0 ], state, p) |> fun (p, state) -> state, p)
                        init
                    |> snd

                let expected = Tensor.toFloats (run step)
                expectClose 1e-12 expected (run (compile step)) "compiled"

                // three models of one number each, trained by one batched step
                if not (name.Contains "norm") then
                    let each = vmap (Optimizer.init optimizer) start

                    let batched =
                        gradients
                        |> List.fold
                            (fun (state, p) g ->
                                vmap step (g * Tensor.ofSeq [ 1.0; -0.5; 2.0 ], state, p) |> fun (p, state) -> state, p)
                            (each, start)

                    expectClose 1e-12 expected (snd batched) "batched"

        testCase "frozen and integer leaves stay, the state counts"
        <| fun () ->
            let optimizer = Optimizer.adam 0.1
            let state = Optimizer.init optimizer net
            let gradient = Tree.map (fun t -> if t.DType = DType.Int32 then t else Tensor.onesLike t) net
            let after, state = Optimizer.step optimizer gradient state net
            Expect.equal (Tensor.toFloat after.Scale.Value, Tensor.toFloat after.Count) (5.0, 6.0) "what stays"
            expectClose 1e-6 [ 0.9; 1.9 ] after.Body.Weights "what moves"
            Expect.equal (Tensor.toFloat state.Step) 1.0 "steps"
            Expect.equal (state.Memory :?> obj[]).Length 2 "memory of trained leaves only"

        testCase "the state is a tree with paths"
        <| fun () ->
            let state = Optimizer.init (Optimizer.momentum 0.9 0.1) net

            Expect.sequenceEqual
                (Tree.paths state)
                [ "Step"; "RateScale"; "Memory[0].Velocity"; "Memory[1].Velocity" ]
                "paths"

        testCase "an optimiser from a rule"
        <| fun () ->
            let own =
                Optimizer.ofRule "own momentum" constant [ "velocity" ] (fun rate g memory p ->
                    let v = 0.9 * memory[0] - rate * g
                    p + v, [ v ])

            List.iter2
                (fun e a -> Expect.floatClose { absolute = 1e-12; relative = 1e-12 } a e "momentum")
                (trajectory [ 0.0 ] (momentumRule 0.9 false))
                (followed DType.Float64 own)

            let forgetful = Optimizer.ofRule "forgetful" constant [ "velocity" ] (fun _ _ _ p -> p, [])
            let state = Optimizer.init forgetful (scalar 1.0)

            Expect.throwsT<InvalidOperationException>
                (fun () -> Optimizer.step forgetful (scalar 1.0) state (scalar 1.0) |> ignore)
                "memory lost"

        testCase "the rate can be scaled from outside"
        <| fun () ->
            let optimizer = Optimizer.sgd 0.1
            let state = Optimizer.init optimizer (scalar 1.0) |> Optimizer.scaleRate 0.5
            Expect.equal (Optimizer.currentRate optimizer state) 0.05 "rate"
            let p, _ = Optimizer.step optimizer (scalar 1.0) state (scalar 1.0)
            expectNumber 1e-15 0.95 p "step"

        testCase "clipping trees"
        <| fun () ->
            let g = Tensor.ofSeq [ 3.0; 4.0 ], Tensor.ofSeq [ 0.0; 12.0 ]
            let both (a, b) = concat 0 [ a; b ]
            expectNumber 1e-15 13.0 (Gradient.globalNorm g) "global norm"
            expectClose 1e-15 [ 2.0; 2.0; 0.0; 2.0 ] (both (Gradient.clipByValue 2.0 g)) "by value"
            expectClose 1e-15 [ 3.0; 4.0; 0.0; 5.0 ] (both (Gradient.clipByNorm 5.0 g)) "by norm"
            expectClose 1e-15 [ 1.5; 2.0; 0.0; 6.0 ] (both (Gradient.clipByGlobalNorm 6.5 g)) "by global norm"
            expectClose 0.0 [ 3.0; 4.0; 0.0; 12.0 ] (both (Gradient.clipByGlobalNorm 20.0 g)) "within"
            expectClose 0.0 [ 0.0 ] (Gradient.clipByNorm 1.0 (Tensor.ofSeq [ 0.0 ])) "zero stays zero"
            expectRefused [ "positive" ] (fun () -> Gradient.clipByValue 0.0 g)

        testCase "what does not fit is refused with the leaf's path"
        <| fun () ->
            let optimizer = Optimizer.momentum 0.9 0.1
            let wrong = { net with Body = { net.Body with Weights = Tensor.ones [ 2; 2 ] } }
            let state = Optimizer.init optimizer net
            expectRefused [ "Body.Weights"; "2×2"; "1×2" ] (fun () -> Optimizer.step optimizer wrong state net)

            let another optimizer = Optimizer.step optimizer net (Optimizer.init (Optimizer.sgd 0.1) net) net
            expectRefused [ "sgd"; "another optimiser" ] (fun () -> another optimizer)
            expectRefused [ "adam"; "another optimiser" ] (fun () -> another (Optimizer.adam 0.1))

            expectRefused [ "velocity hat"; "another optimiser" ] (fun () ->
                let largest = Adam.create { Adam.defaults with AmsGrad = true }
                Optimizer.step largest net (Optimizer.init (Optimizer.adam 0.1) net) net)

            expectRefused [ "2 parameters"; "there are 1" ] (fun () ->
                Optimizer.step optimizer (scalar 1.0) state (scalar 1.0))

            expectRefused [ "momentum" ] (fun () -> Optimizer.momentum 1.5 0.1)

        testCase "a regression is learnt by every optimiser"
        <| fun () ->
            let x = numbers 1 [ 32; 3 ]
            let y = x *@ Tensor.ofRows [ [ 1.0 ]; [ -2.0 ]; [ 0.5 ] ] + 0.3
            let loss (p: Dense) = Loss.meanSquaredError y (dense p x)
            let start: Dense = { Weights = Tensor.zeros [ 3; 1 ]; Bias = Some(Tensor.zeros [ 1 ]) }

            for name, optimizer, _ in cases do
                let step (p, s) _ = Optimizer.step optimizer (grad loss p) s p
                let learnt, _ = List.fold step (start, Optimizer.init optimizer start) [ 1..300 ]
                // these begin with small steps, whatever the rate, or have penalties
                let isSlow = List.contains name [ "adadelta"; "adagrad"; "ftrl"; "ftrl with everything" ]
                let goal = if isSlow then 0.97 else 0.02
                Expect.isLessThan (Tensor.toFloat (loss learnt / loss start)) goal name
    ]
