/// A case: a training step as a user writes it, its first state and its batch; what the benchmarks do with one.
module Functional.Bench.Case

open Functional
open Functional.Operations

type Case = {
    Name: string
    /// Makes the step, eager or compiled: every call is one step from the state that the last one left.
    Make: bool -> unit -> unit
    /// Traces the step anew, and plans it.
    Plan: unit -> unit
    /// The step as it is traced, and what it is run on.
    Traced: unit -> Graph * Tensor[]
}

/// A case from a step and from what makes its first state and its batch.
let create name (step: 'S -> 'B -> 'S * Tensor) (initial: unit -> 'S * 'B) : Case =
    let compiled () = compiled (fun (state, batch) -> step state batch)

    {
        Name = name
        Make =
            fun eager ->
                let state, batch = initial ()

                if eager then
                    let mutable current = state
                    fun () -> current <- fst (step current batch)
                else
                    let stepper = new Stepper<_, _, _>(step, state)
                    fun () -> stepper.Step batch
        Plan = fun () -> compiled().Prepare(initial ())
        Traced =
            fun () ->
                let arguments = initial ()
                let step = compiled ()
                step.Prepare arguments
                step.Programs[0].Graph, Tree.leaves arguments
    }
