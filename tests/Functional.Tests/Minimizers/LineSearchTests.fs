/// Line searches: what they promise holds where they stop.
module Functional.Tests.Minimizers.LineSearchTests

open System
open Expecto
open Functional

/// Functions of a step that fall at 0: J. J. Moré and D. J. Thuente, "Line search algorithms with guaranteed sufficient
/// decrease" (1994), a wave, and one that is not defined everywhere.
let private functions = [
    "Moré and Thuente 1", (fun (a: Tensor) -> -a / (a * a + 2.0))
    "Moré and Thuente 2", (fun a -> (a + 0.004) ** 5.0 - 2.0 * (a + 0.004) ** 4.0)
    "a wave", (fun a -> cos (3.0 * a + 0.3) + 0.05 * a)
    "a logarithm", (fun a -> 0.3 * a - log (0.2 - 0.2 * (a - 1.0)) - 2.0 * a)
    "a parabola", (fun a -> square (a - 1e-3))
    "far away", (fun a -> square (a * 1e-3 - 1.0))
]

let private at f (a: float) = valueAndGrad f (scalar a) |> fun (v, s) -> Tensor.toFloat v, Tensor.toFloat s

[<Tests>]
let tests =
    testList "line searches" [
        testCase "strong Wolfe conditions hold where it stops, eager and compiled"
        <| fun () ->
            for name, f in functions do
                for c2 in [ 0.1; 0.9 ] do
                    for first in [ 1e-3; 1.0; 1e3 ] do
                        let along a = (let value, slope = valueAndGrad f a in value, slope, a)
                        let value, slope = valueAndGrad f (scalar 0.0)

                        let search first = LineSearch.strongWolfe 1e-4 c2 along (value, slope, scalar 0.0) first

                        for way, result in [ "eager", search (scalar first); "compiled", compile search (scalar first) ] do
                            let a = Tensor.toFloat result.Step
                            let height, found = at f a
                            let start, down = at f 0.0
                            let what = $"{name} from {first} with {c2}, {way}: stopped at {a}"
                            Expect.isTrue (Tensor.toBool result.Found) what
                            Expect.isLessThanOrEqual height (start + 1e-4 * a * down) $"{what}: low enough"
                            Expect.isLessThanOrEqual (abs found) (c2 * abs down) $"{what}: flat enough"
                            Expect.equal (Tensor.toFloat result.Kept) a what
                            Expect.isLessThanOrEqual (Tensor.toFloat result.Evaluations) 25.0 what

        testCase "Armijo's step is the first of the halves that is low enough"
        <| fun () ->
            for name, f in functions do
                let value, slope = valueAndGrad f (scalar 0.0)
                let result = LineSearch.armijo 1e-4 (fun a -> f a, a) (value, slope, scalar 0.0) (scalar 64.0)
                let isLow a = Tensor.toFloat (f (scalar a)) <= Tensor.toFloat value + 1e-4 * a * Tensor.toFloat slope
                let expected = Seq.init 40 (fun k -> 64.0 * 0.5 ** float k) |> Seq.find isLow
                Expect.equal (Tensor.toFloat result.Step) expected name

        testCase "halving stops at the first of the halves that the next is no better than"
        <| fun () ->
            let f (a: Tensor) = square (a - 1.1)
            let result = LineSearch.halving (fun a -> f a, ()) (f (scalar 0.0), ()) (scalar 64.0)
            Expect.equal (Tensor.toFloat result.Step) 1.0 "1 of 64, 32, 16 … 2, 1, 1/2"
            Expect.equal (Tensor.toFloat result.Evaluations) 8.0 "how often it called"
            let up = LineSearch.halving (fun a -> a, ()) (scalar 0.0, ()) (scalar 1.0)
            Expect.isFalse (Tensor.toBool up.Found) "none where the function rises"
            Expect.equal (Tensor.toFloat up.Step) 0.0 "no step"

        testCase "conditions that cannot be are refused"
        <| fun () ->
            Expect.throwsT<ArgumentException>
                (fun () ->
                    LineSearch.strongWolfe
                        0.9
                        0.1
                        (fun a -> a, a, a)
                        (scalar 0.0, scalar -1.0, scalar 0.0)
                        (scalar 1.0)
                    |> ignore)
                "c1 above c2"
    ]
