/// One stepper, one caller at a time: whatever two calls meet, the second is refused and the state stays whole.
module Functional.Tests.StepperTests

open System
open System.Threading
open Expecto
open Functional

/// A stepper that counts, whose first trace waits in the middle for `inside` to be done.
let private counting (inside: Stepper<Tensor, Tensor, Tensor> -> unit) =
    let mutable stepper = Unchecked.defaultof<Stepper<Tensor, Tensor, Tensor>>
    let mutable first = true
    let made = ref stepper

    let step (state: Tensor) (batch: Tensor) =
        if first then
            first <- false
            inside made.Value

        state + batch, state

    stepper <- new Stepper<_, _, _>(step, scalar 0.0)
    made.Value <- stepper
    stepper

let private calls: (string * (Stepper<Tensor, Tensor, Tensor> -> unit)) list = [
    "Step", (fun stepper -> stepper.Step(scalar 100.0))
    "Snapshot", (fun stepper -> stepper.Snapshot() |> ignore)
    "Result", (fun stepper -> stepper.Result |> ignore)
    "Restore", (fun stepper -> stepper.Restore(scalar 100.0))
]

/// What a call is answered with: the message of its InvalidOperationException, or nothing.
let private refusal call stepper =
    try
        call stepper
        ""
    with :? InvalidOperationException as e ->
        e.Message

[<Tests>]
let tests =
    testList "stepper, two calls at once" [
        for name, call in calls do
            testCase $"{name} from inside the step is refused"
            <| fun () ->
                let mutable said = ""
                use stepper = counting (fun stepper -> said <- refusal call stepper)
                stepper.Step(scalar 1.0)
                Expect.stringContains said $"Stepper.{name}: another call" "refused"
                stepper.Step(scalar 2.0)
                Expect.equal (Tensor.toFloat (stepper.Snapshot())) 3.0 "the state is that of the steps"

            testCase $"{name} on another thread is refused"
            <| fun () ->
                let mutable said = ""

                use stepper =
                    counting (fun stepper ->
                        let other = Thread((fun () -> said <- refusal call stepper), 1 <<< 20)
                        other.Start()
                        other.Join())

                stepper.Step(scalar 1.0)
                Expect.stringContains said $"Stepper.{name}: another call" "refused"
                stepper.Step(scalar 2.0)
                Expect.equal (Tensor.toFloat (stepper.Snapshot())) 3.0 "the state is that of the steps"

        testCase "a step that fails lets the next one in"
        <| fun () ->
            use stepper = counting (fun _ -> invalidArg "batch" "no")
            Expect.throwsT<ArgumentException> (fun () -> stepper.Step(scalar 1.0)) "its own error"
            stepper.Step(scalar 2.0)
            Expect.equal (Tensor.toFloat (stepper.Snapshot())) 2.0 "the state is that of the steps"
    ]
