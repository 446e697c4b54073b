namespace Functional.Levels

open Functional
open Functional.Operations
open Functional.Tracing
open Functional.Rules

/// A graph whose reverse pass keeps its inputs only and computes the rest again. What a function closes over is among the
/// inputs, so that its derivative flows.
[<Sealed>]
type internal Checkpoint(graph: Graph) =
    inherit ReverseRule("checkpoint")

    let pass inputs results : ForwardPass = { Results = results; Residuals = inputs; Form = null }

    member _.Graph = graph
    override _.Body = ValueSome graph
    override _.Infer _ = graph.OutputSpecs
    override _.Open _ = ValueSome graph
    override _.Forward inputs = pass inputs (Trace.replay graph inputs)
    override _.Resume(inputs, results) = ValueSome(pass inputs results)

    override r.Backward(form, inputs, cotangents) =
        r.BackwardOf(Array.create inputs.Length true, form, inputs, cotangents)

    override _.BackwardOf(active, _, inputs, cotangents) =
        let tied =
            Tensor.Bind(
                Custom(Barrier inputs.Length),
                Array.append inputs (Array.map Functions.stopGradient cotangents)
            )

        let level = RecordLevel("checkpoint", false, Many.record)

        let outs =
            try
                Trace.replay graph (level.Inputs(tied, active))
            finally
                level.Close()

        let outputs = [|
            for i in 0 .. outs.Length - 1 do
                match level.NodeOf outs[i] with
                | null -> ()
                | n -> struct (n, cotangents[i])
        |]

        Sweep.run outputs inputs.Length null
