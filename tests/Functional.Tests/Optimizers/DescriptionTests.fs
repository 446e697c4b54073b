/// Optimisers and schedules written down and made again make the same steps; settings that cannot be are refused.
module Functional.Tests.Optimizers.DescriptionTests

open System
open System.IO
open Expecto
open FsCheck
open FsCheck.FSharp
open Functional
open Functional.Tests.Folders
open Functional.Tests.Toys

let private between low high = Gen.choose (0, 1000) |> Gen.map (fun n -> low + (high - low) * float n / 1001.0)

let rec private schedule depth : Gen<Schedule> =
    let rate, steps = between 0.0 0.2, Gen.choose (2, 9)

    Gen.oneof [
        Gen.map Schedule.constant rate
        Gen.map3 Schedule.step rate steps (between 0.1 2.0)
        Gen.map3 Schedule.exponential rate steps (between 0.1 2.0)
        Gen.map3 Schedule.cosine rate steps (between 0.0 1.0)
        Gen.map2 Schedule.oneCycle rate steps
        Gen.map3
            (fun rate steps decay -> Schedule.inverseTime rate steps decay (decay > 1.0))
            rate
            steps
            (between 0.1 2.0)
        Gen.map3
            (fun rate steps power -> Schedule.polynomial rate steps (rate / 3.0) power (power > 1.0))
            rate
            steps
            (between 0.1 2.0)
        Gen.map3
            (fun rate steps longer -> Schedule.cosineRestarts rate steps (1.0 + longer) 0.9 0.1)
            rate
            steps
            (between 0.0 1.0)
        Gen.map2 (fun rate steps -> Schedule.piecewise [ steps; 2 * steps ] [ rate; rate / 2.0; 0.0 ]) rate steps
        if depth > 0 then
            Gen.map2 Schedule.warmUp steps (schedule (depth - 1))
    ]

let private flag = Gen.elements [ true; false ]
let private kept = between 0.0 1.0
let private epsilon = Gen.elements [ 1e-8; 1e-7; 1e-3; 0.1 ]

let private plain: Gen<Optimizer> =
    gen {
        let! rate = schedule 2
        let! a = kept
        let! b = kept
        let! e = epsilon
        let! yes = flag

        return!
            Gen.elements [
                Sgd.create { Rate = rate; Momentum = (if yes then a else 0.0); Nesterov = b > 0.5 }
                RmsProp.create {
                    Rate = rate
                    Rho = a
                    Momentum = (if yes then b else 0.0)
                    Epsilon = e
                    Centered = not yes
                }
                Adagrad.create { Rate = rate; InitialAccumulator = a; Epsilon = e }
                Adadelta.create { Rate = rate; Rho = a; Epsilon = e }
                Adam.create { Rate = rate; Beta1 = a; Beta2 = b; Epsilon = e; AmsGrad = yes }
                Nadam.create { Rate = rate; Beta1 = a; Beta2 = b; Epsilon = e }
                Lion.create { Rate = rate; Beta1 = a; Beta2 = b }
                Adamax.create { Rate = rate; Beta1 = a; Beta2 = b; Epsilon = e }
                Lamb.create { Rate = rate; Beta1 = a; Beta2 = b; Epsilon = e }
                Adafactor.create {
                    Rate = rate
                    Beta2Decay = -a
                    Epsilon1 = e
                    Epsilon2 = e
                    ClipThreshold = 1.0 + b
                }
                Ftrl.create {
                    Ftrl.defaults with
                        Rate = Schedule.constant (0.01 + a)
                        InitialAccumulator = 0.1 + b
                        L1 = e
                        Beta = a
                }
            ]
    }

let rec private optimizer depth : Gen<Optimizer> =
    if depth = 0 then
        plain
    else
        Gen.oneof [
            plain
            Gen.map2 Optimizer.weightDecay kept (optimizer (depth - 1))
            Gen.map2 Optimizer.clipByValue (between 0.01 1.0) (optimizer (depth - 1))
            Gen.map2 Optimizer.clipByNorm (between 0.01 1.0) (optimizer (depth - 1))
            Gen.map2 Optimizer.clipByGlobalNorm (between 0.01 1.0) (optimizer (depth - 1))
        ]

/// Every bit of parameters and state, step by step.
let private steps (optimizer: Optimizer) =
    let start = [ Tensor.create [ 3 ] [| 0.5f; -1.0f; 2.0f |]; Tensor.create [ 1 ] [| 0.1f |] ]

    [ 1..6 ]
    |> List.scan
        (fun (p, state) t ->
            let gradient = start |> List.map (fun x -> x * sin (1.3 * float t))
            Optimizer.step optimizer gradient state p)
        (start, Optimizer.init optimizer start)
    |> List.map bits

let private again (optimizer: Optimizer) =
    Optimizer.describe optimizer
    |> Option.get
    |> Description.toJson
    |> Description.ofJson
    |> Optimizer.ofDescription

let private refused (name: string) (pieces: string list) (make: unit -> obj) =
    testCase name (fun () -> messageOf<ArgumentException>(fun () -> make () |> ignore) |> mentions pieces)

let private unreadable (name: string) (text: string) (pieces: string list) =
    testCase name (fun () ->
        messageOf<InvalidDataException>(fun () -> Description.ofJson text |> Optimizer.ofDescription |> ignore)
        |> mentions pieces)

/// What no setting that lies in an interval can be.
let private odd = [ nan; infinity; -infinity; -0.1 ]

[<Tests>]
let tests =
    testList "descriptions of optimisers" [
        testPropertyWithConfig
            {
                FsCheckConfig.defaultConfig with
                    maxTest = Functional.Tests.Selection.draws 200
            }
            "made again, any optimiser makes the same steps, bit for bit"
            (Prop.forAll (Arb.fromGen (optimizer 3)) (fun optimizer -> steps (again optimizer) = steps optimizer))

        testCase "functions of one's own are not described, wherever they are"
        <| fun () ->
            let own: Schedule = fun step -> cast DType.Float64 step * 0.1

            let rule =
                Optimizer.ofRule "sign" (Schedule.constant 0.1) [] (fun rate g memory p -> p - rate * signum g, memory)

            let adam = Optimizer.adam 0.1

            for optimizer in
                [
                    Adam.create { Adam.defaults with Rate = own }
                    Adam.create { Adam.defaults with Rate = Schedule.warmUp 3 own }
                    rule
                    Optimizer.clipByNorm 1.0 (Optimizer.weightDecay 0.1 rule)
                    {
                        adam with
                            Update = fun gradients state parameters -> adam.Update gradients state parameters
                    }
                ] do
                Expect.isNone (Optimizer.describe optimizer) optimizer.Name

            messageOf<ArgumentException>(fun () -> ModelFile.withOptimizer rule Map.empty |> ignore)
            |> mentions [ "sign"; "function of one's own" ]

        testCase "a training in a file brings its optimiser along"
        <| inFolder (fun folder ->
            let path = Path.Combine(folder, "run.safetensors")
            let optimizer = Optimizer.momentum 0.9 0.05 |> Optimizer.clipByGlobalNorm 0.3
            let trainer, data, net = trainerWith optimizer, points 40, init 1L 2 4 2
            let whole = Training.fit (quiet 4) trainer net data
            let saved = Callbacks.checkpoint path 1 (ModelFile.withOptimizer optimizer Map.empty)
            Training.fit { quiet 2 with Callbacks = [ saved ] } trainer net data |> ignore

            // nothing but the network is made again by hand
            let trainer = trainerWith (ModelFile.optimizer path)
            let fitted = Training.resume (quiet 4) trainer (TrainingState.load path trainer (init 5L 2 4 2)) data
            Expect.equal (bits fitted.Parameters) (bits whole.Parameters) "parameters"
            Expect.equal (bits fitted.State.Optimizer) (bits whole.State.Optimizer) "what the optimiser remembers"

            let state = Checkpoint.loadOptimizer path trainer.Optimizer (init 5L 2 4 2) |> Option.get
            Expect.equal (Tensor.toFloat state.Step) 4.0 "two epochs of two batches"

            messageOf<InvalidDataException>(fun () -> Checkpoint.loadOptimizer path (Optimizer.adam 0.1) net |> ignore)
            |> mentions [ "not in the file"; "Slots[momentum][0]" ])

        for value in odd @ [ 1.0 ] do
            refused $"Adam, beta1 {value}" [ "Adam"; "beta1"; string value ] (fun () ->
                Adam.create { Adam.defaults with Beta1 = value })

            refused $"Adam, beta2 {value}" [ "Adam"; "beta2" ] (fun () ->
                Adam.create { Adam.defaults with Beta2 = value })

            refused $"Nadam, beta1 {value}" [ "Nadam"; "beta1" ] (fun () ->
                Nadam.create { Nadam.defaults with Beta1 = value })

            refused $"Nadam, beta2 {value}" [ "Nadam"; "beta2" ] (fun () ->
                Nadam.create { Nadam.defaults with Beta2 = value })

            refused $"Lion, beta1 {value}" [ "Lion"; "beta1" ] (fun () ->
                Lion.create { Lion.defaults with Beta1 = value })

            refused $"Lion, beta2 {value}" [ "Lion"; "beta2" ] (fun () ->
                Lion.create { Lion.defaults with Beta2 = value })

            refused $"RmsProp, rho {value}" [ "RmsProp"; "rho" ] (fun () ->
                RmsProp.create { RmsProp.defaults with Rho = value })

            refused $"Adadelta, rho {value}" [ "Adadelta"; "rho" ] (fun () ->
                Adadelta.create { Adadelta.defaults with Rho = value })

        for value in odd @ [ 0.0 ] do
            refused $"Adam, epsilon {value}" [ "Adam"; "epsilon" ] (fun () ->
                Adam.create { Adam.defaults with Epsilon = value })

            refused $"Nadam, epsilon {value}" [ "Nadam"; "epsilon" ] (fun () ->
                Nadam.create { Nadam.defaults with Epsilon = value })

            refused $"RmsProp, epsilon {value}" [ "epsilon" ] (fun () ->
                RmsProp.create { RmsProp.defaults with Epsilon = value })

            refused $"Adagrad, epsilon {value}" [ "epsilon" ] (fun () ->
                Adagrad.create { Adagrad.defaults with Epsilon = value })

            refused $"Adadelta, epsilon {value}" [ "epsilon" ] (fun () ->
                Adadelta.create { Adadelta.defaults with Epsilon = value })

            refused $"clipping to {value}" [ "clipByValue"; "limit" ] (fun () ->
                Optimizer.clipByValue value (Optimizer.sgd 0.1))

            refused $"norms up to {value}" [ "clipByNorm"; "limit" ] (fun () ->
                Optimizer.clipByNorm value (Optimizer.sgd 0.1))

            refused $"a norm up to {value}" [ "clipByGlobalNorm" ] (fun () ->
                Optimizer.clipByGlobalNorm value (Optimizer.sgd 0.1))

        for value in odd do
            refused $"Sgd, momentum {value}" [ "Sgd"; "momentum" ] (fun () -> Optimizer.momentum value 0.1)

            refused $"RmsProp, momentum {value}" [ "momentum" ] (fun () ->
                RmsProp.create { RmsProp.defaults with Momentum = value })

            refused $"Adagrad begins with {value}" [ "accumulator" ] (fun () ->
                Adagrad.create { Adagrad.defaults with InitialAccumulator = value })

            refused $"weight decay {value}" [ "weightDecay" ] (fun () ->
                Optimizer.weightDecay value (Optimizer.sgd 0.1))

            refused $"rate {value}" [ "rate" ] (fun () -> Optimizer.sgd value)
            refused $"steps from {value}" [ "step"; "rate" ] (fun () -> Schedule.step value 3 0.5)
            refused $"steps by {value}" [ "step"; "factor" ] (fun () -> Schedule.step 0.1 3 value)
            refused $"exponential by {value}" [ "exponential"; "factor" ] (fun () -> Schedule.exponential 0.1 3 value)
            refused $"cosine from {value}" [ "cosine"; "rate" ] (fun () -> Schedule.cosine value 3 0.5)
            refused $"cosine to {value}" [ "cosine"; "floor" ] (fun () -> Schedule.cosine 0.1 3 value)
            refused $"one cycle up to {value}" [ "oneCycle"; "highest" ] (fun () -> Schedule.oneCycle value 3)

            refused $"a rate scaled by {value}" [ "scaleRate" ] (fun () ->
                Optimizer.scaleRate value (Optimizer.init (Optimizer.sgd 0.1) (scalar 1.0)))

        unreadable "no JSON" "{" [ "JSON" ]
        unreadable "no kind" "{}" [ "kind" ]
        unreadable "an unknown optimiser" """{"kind":"sgdd"}""" [ "sgdd"; "adam" ]
        unreadable "a setting twice" """{"kind":"sgd","kind":"adam"}""" [ "JSON" ]
        unreadable "no rate" """{"kind":"sgd","momentum":0.5,"nesterov":false}""" [ "rate" ]
        unreadable
            "a text for a number"
            """{"kind":"sgd","rate":{"kind":"constant","rate":0.1},"momentum":"1","nesterov":false}"""
            [ "momentum" ]
        unreadable
            "half a step"
            """{"kind":"sgd","rate":{"kind":"step","rate":0.1,"every":0.5,"factor":1},"momentum":0,"nesterov":false}"""
            [ "every"; "whole" ]
    ]
