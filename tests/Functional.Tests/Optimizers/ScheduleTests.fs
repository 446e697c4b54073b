/// Learning-rate schedules against their formulas at chosen steps.
module Functional.Tests.Optimizers.ScheduleTests

open System
open Expecto
open Functional
open Functional.Tests.Layers.Close

let private at (schedule: Schedule) (step: int) = Tensor.toFloat (schedule (Tensor.create [] [| int64 step |]))

let private expectRates schedule (rates: (int * float) list) =
    for step, expected in rates do
        Expect.floatClose { absolute = 1e-15; relative = 1e-12 } (at schedule step) expected $"step {step}"

[<Tests>]
let tests =
    testList "schedules" [
        testCase "constant" <| fun () -> expectRates (Schedule.constant 0.1) [ 0, 0.1; 1000, 0.1 ]

        testCase "step"
        <| fun () -> expectRates (Schedule.step 0.1 10 0.5) [ 0, 0.1; 9, 0.1; 10, 0.05; 25, 0.025 ]

        testCase "exponential"
        <| fun () -> expectRates (Schedule.exponential 0.1 10 0.5) [ 0, 0.1; 5, 0.1 * sqrt 0.5; 10, 0.05; 20, 0.025 ]

        testCase "cosine"
        <| fun () ->
            expectRates (Schedule.cosine 0.1 100 0.0) [ 0, 0.1; 50, 0.05; 100, 0.0; 200, 0.0 ]

            expectRates (Schedule.cosine 0.1 100 0.1) [
                50, 0.055
                100, 0.01
                25, 0.1 * (0.9 * 0.5 * (1.0 + cos (Math.PI / 4.0)) + 0.1)
            ]

        testCase "warm-up, then the schedule from its beginning"
        <| fun () ->
            let schedule = Schedule.cosine 0.1 100 0.0 |> Schedule.warmUp 4
            expectRates schedule [ 0, 0.025; 1, 0.05; 3, 0.1; 4, 0.1; 54, 0.05; 104, 0.0 ]

        testCase "one cycle"
        <| fun () ->
            // PyTorch's OneCycleLR(max_lr=1, total_steps=101): the top at 0.3·101 − 1 = 29.3, the end at 100
            let half a b x = b + (a - b) / 2.0 * (1.0 + cos (Math.PI * x))

            expectRates (Schedule.oneCycle 1.0 101) [
                0, 0.04
                10, half 0.04 1.0 (10.0 / 29.3)
                29, half 0.04 1.0 (29.0 / 29.3)
                30, half 1.0 4e-6 (0.7 / 70.7)
                60, half 1.0 4e-6 (30.7 / 70.7)
                100, 4e-6
                150, 4e-6
            ]

        testCase "an optimiser follows its schedule"
        <| fun () ->
            let optimizer = Sgd.create { Sgd.defaults with Rate = Schedule.step 0.1 1 0.5 }
            let step (p, state) _ = Optimizer.step optimizer (scalar 1.0) state p
            let p, state = List.fold step (scalar 1.0, Optimizer.init optimizer (scalar 1.0)) [ 1..3 ]
            expectNumber 1e-15 (1.0 - 0.1 - 0.05 - 0.025) p "after three steps"

            Expect.floatClose
                { absolute = 1e-15; relative = 0.0 }
                (Optimizer.currentRate optimizer state)
                0.0125
                "the next rate"

        testCase "inverse time, in a line and in stairs"
        <| fun () ->
            expectRates (Schedule.inverseTime 0.1 10 0.5 false) [ 0, 0.1; 5, 0.1 / 1.25; 20, 0.05 ]
            expectRates (Schedule.inverseTime 0.1 10 0.5 true) [ 9, 0.1; 10, 0.1 / 1.5; 29, 0.05 ]

        testCase "polynomial, once and again and again"
        <| fun () ->
            expectRates (Schedule.polynomial 0.1 10 0.02 2.0 false) [
                0, 0.1
                5, 0.08 * 0.25 + 0.02
                10, 0.02
                30, 0.02
            ]

            expectRates (Schedule.polynomial 0.1 10 0.02 1.0 true) [
                0, 0.1
                10, 0.02
                15, 0.08 * 0.25 + 0.02
                20, 0.02
            ]

        testCase "cosines that restart"
        <| fun () ->
            let half x = 0.5 * (1.0 + cos (Math.PI * x))

            let rates = [
                0, 0.1
                5, 0.1 * half 0.5
                15, 0.1 * 0.8 * half 0.25
                30, 0.1 * 0.64
                40, 0.1 * 0.64 * half 0.25
            ]

            expectRates (Schedule.cosineRestarts 0.1 10 2.0 0.8 0.0) rates
            expectRates (Schedule.cosineRestarts 0.1 10 1.0 1.0 0.1) [ 0, 0.1; 15, 0.1 * (0.9 * 0.5 + 0.1); 20, 0.1 ]

        testCase "piecewise: a boundary belongs to what is before it"
        <| fun () ->
            let schedule = Schedule.piecewise [ 10; 20 ] [ 0.1; 0.05; 0.01 ]
            expectRates schedule [ 0, 0.1; 10, 0.1; 11, 0.05; 20, 0.05; 21, 0.01; 500, 0.01 ]

            expectRefused [ "2 boundaries"; "3 rates"; "2 were given" ] (fun () ->
                Schedule.piecewise [ 1; 2 ] [ 0.1; 0.2 ])

            expectRefused [ "rise" ] (fun () -> Schedule.piecewise [ 2; 2 ] [ 0.1; 0.2; 0.3 ])

        testCase "no steps"
        <| fun () ->
            expectRefused [ "Schedule.cosine"; "0 steps" ] (fun () -> Schedule.cosine 0.1 0 0.0)
            expectRefused [ "Schedule.oneCycle" ] (fun () -> Schedule.oneCycle 0.1 1)
    ]
