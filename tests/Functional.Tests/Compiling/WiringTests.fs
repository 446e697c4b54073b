/// Loops, branches and steppers of any wiring, in every way the library runs them, against dual numbers in the host's loops:
/// results are a parallel assignment. `FUNCTIONAL_DRAWS` says how many times the usual number of programs are drawn.
module Functional.Tests.WiringTests

open System
open Expecto
open Functional
open Functional.Compiling
open Functional.Plans
open Functional.Rewrites
open Functional.Tests.Wiring

let private close = Programs.closeTo 1e-9

/// A case: sizes, inputs, a program.
type private Case = {
    Rows: int
    Columns: int
    Inputs: float[][]
    Directions: float[][]
    Program: Block
}

let private matrix (case: Case) (numbers: float[]) = Tensor.ofSeq numbers |> reshape [ case.Rows; case.Columns ]

let private case (whiles: bool) (results: int -> int) (seed: int) : Case =
    let random = Random seed

    let rows, columns, longest =
        match random.Next 12 with
        | 0 -> 1, 1, 4
        | 1 -> 16, 24, 20
        | 2 -> 5, 1, 4
        | 3 -> 1, 4, 4
        | _ -> 2, 3, 4

    let inputs = random.Next(1, 5)
    let numbers () = Array.init (rows * columns) (fun _ -> random.NextDouble() * 2.0 - 1.0)

    {
        Rows = rows
        Columns = columns
        Inputs = Array.init inputs (fun _ -> numbers ())
        Directions = Array.init inputs (fun _ -> numbers ())
        Program = program { Whiles = whiles; Columns = columns; Longest = longest } inputs (results inputs) random
    }

let private judged (case: Case) (inputs: float[][]) (directions: float[][]) =
    run
        (duals case.Rows case.Columns)
        (Array.map2 (fun v s -> { Values = v; Slopes = s }) inputs directions)
        case.Program

let private inputs (case: Case) = Array.map (matrix case) case.Inputs

/// The results, and a number made of them in which each has another weight.
let private library (case: Case) (xs: Tensor[]) = run (tensors case.Rows case.Columns) xs case.Program

let private weighted (ys: Tensor[]) = ys |> Array.mapi (fun i y -> float (i + 1) * sum y) |> Array.fold (+) (scalar 0.0)

let private values case =
    let expected = judged case case.Inputs case.Directions
    let check what = Array.iter2 (fun (x: Dual) y -> close what x.Values y) expected
    check "eager" (library case (inputs case))
    let program = compiled (library case)
    check "compiled" (program.Invoke(inputs case))
    check "compiled, again" (program.Invoke(inputs case))
    let arrays = inputs case |> Array.map (Tensor.value "test")

    check
        "graph by graph"
        (PlainGraphs.run program.Programs[0].Graph arrays |> Array.map (fun y -> Concrete y :> Tensor))

    let check what (ys: Tensor[], slopes: Tensor[]) =
        check $"{what}, value" ys
        Array.iter2 (fun (x: Dual) y -> close $"{what}, tangent" x.Slopes y) expected slopes

    let directions = Array.map (matrix case) case.Directions
    check "jvp" (jvp (library case) (inputs case) directions)
    check "compiled jvp" (compile (fun (x, v) -> jvp (library case) x v) (inputs case, directions))

/// Some inputs have a place for each of three examples, the others are shared.
let private batched case =
    let random = Random(int (1e6 * case.Inputs[0][0]))
    let isBatched = case.Inputs |> Array.map (fun _ -> random.Next 3 > 0)
    isBatched[0] <- true

    let examples = [|
        case.Inputs
        case.Directions
        Array.map2 (Array.map2 (fun p q -> 0.3 * p - 0.6 * q)) case.Inputs case.Directions
    |]

    let example k = Array.mapi (fun i each -> if each then examples[k][i] else case.Inputs[i]) isBatched

    let expected = Array.init 3 (fun k -> judged case (example k) case.Directions)
    let stacked i = stack 0 (List.init 3 (fun k -> matrix case (Array.item i (example k))))
    let some flag = [| 0 .. isBatched.Length - 1 |] |> Array.filter (fun i -> isBatched[i] = flag)
    let own = some true |> Array.map stacked
    let shared = some false |> Array.map (fun i -> matrix case case.Inputs[i])

    let over (own: Tensor[], shared: Tensor[]) =
        vmap
            (fun (own: Tensor[]) ->
                let xs = Array.zeroCreate isBatched.Length
                some true |> Array.iteri (fun k i -> xs[i] <- own[k])
                some false |> Array.iteri (fun k i -> xs[i] <- shared[k])
                library case xs |> Array.map (fun y -> y + 0.0 * xs[Array.IndexOf(isBatched, true)]))
            own

    let check what (ys: Tensor[]) =
        for k in 0..2 do
            Array.iter2 (fun (x: Dual) y -> close $"{what}, example {k}" x.Values (index 0 k y)) expected[k] ys

    check "vmap" (over (own, shared))
    check "compiled vmap" (compile over (own, shared))

let private gradients case =
    let expected = judged case case.Inputs case.Directions
    let value = expected |> Array.mapi (fun i y -> float (i + 1) * Array.sum y.Values) |> Array.sum
    let slope = expected |> Array.mapi (fun i y -> float (i + 1) * Array.sum y.Slopes) |> Array.sum
    let directions = Array.map (matrix case) case.Directions
    let along (g: Tensor[]) = Array.map2 (fun a b -> sum (a * b)) g directions |> Array.reduce (+)
    let loss = library case >> weighted

    let check what (v, g: Tensor[]) =
        close (what + ", value") [| value |] v
        close (what + ", gradient") [| slope |] (along g)

    check "gradient" (valueAndGrad loss (inputs case))
    check "compiled gradient" (compile (valueAndGrad loss) (inputs case))

/// Second derivatives, against the program without loops.
let private curvature case =
    let directions = Array.map (matrix case) case.Directions

    let twice algebra x =
        hvp (fun x -> run algebra x case.Program |> Array.map (fun y -> sum (y * y)) |> Array.reduce (+)) x directions

    let expected = twice (unrolled case.Rows case.Columns) (inputs case)
    let check what = Array.iter2 (fun (x: Tensor) y -> close what (Tensor.toFloats x) y) expected
    check "hvp" (twice (tensors case.Rows case.Columns) (inputs case))
    check "compiled hvp" (compile (twice (tensors case.Rows case.Columns)) (inputs case))

/// The inputs are a state, the first results the next one.
let private steps (keepsPrevious: bool) case =
    let count = case.Inputs.Length

    let step (state: Tensor[]) (scale: Tensor) =
        let ys = library case (state |> Array.map (fun x -> x * scale))
        Array.take count ys, Array.skip count ys

    use stepper =
        new Stepper<_, _, _>(step, inputs case, keepsPrevious, Array.map (fun _ -> false) (inputs case))

    let mutable state = case.Inputs

    for k in 1..4 do
        let scale = 1.0 - 0.1 * float k
        let before = state
        let ys = judged case (state |> Array.map (Array.map (fun x -> x * scale))) case.Directions
        state <- Array.take count ys |> Array.map _.Values
        stepper.Step(scalar scale)
        Array.iter2 (close $"state {k}") state (stepper.Snapshot())
        Array.iter2 (fun (y: Dual) -> close $"result {k}" y.Values) (Array.skip count ys) stepper.Result

        if keepsPrevious then
            Array.iter2 (close $"state before {k}") before (stepper.Previous())

let private drawn name count whiles results (check: Case -> unit) =
    testCase name (fun () ->
        for seed in 1 .. Selection.draws count do
            let one = case whiles results seed

            try
                Selection.withThreads (1 + seed % 2) (fun () -> check one)
            with e ->
                failtest $"seed {seed}: {e.Message}\n%A{one}")
    |> Selection.slow

[<Tests>]
let tests =
    testSequenced
    <| testList "wiring" [
        drawn "values and tangents" 100 true (fun _ -> 3) values
        drawn "batches" 100 true (fun _ -> 2) batched
        drawn "gradients" 100 false (fun _ -> 3) gradients
        drawn "second derivatives" 40 false (fun _ -> 2) curvature
        drawn "steppers" 100 true (fun inputs -> inputs + 2) (steps false)
        drawn "steppers that keep the state before" 40 true (fun inputs -> inputs + 1) (steps true)
    ]
