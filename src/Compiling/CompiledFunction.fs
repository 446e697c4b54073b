/// `compile`: a function that is traced once for each kind of argument and then runs as a planned program.
[<AutoOpen>]
module Functional.Compilation

open System
open System.Diagnostics
open Functional.Plans
open Functional.Compiling
open Functional.Levels
open Functional.Tracing
open Functional.Operations

/// A function with its traces: what `compile` returns, to be looked at.
[<Sealed>]
type Compiled<'P, 'Q>(f: 'P -> 'Q) =
    do Returned.requireTensors<'Q> "compile"

    /// Programs with what they close over, the structure of their results, and their inputs' paths.
    let traces =
        Recent<Signature, struct (CompiledProgram * Tensor[] * 'Q * string[])>(
            Traced.Kept,
            Traced.keptBytes (),
            (fun (struct (program, _, _, _)) -> program.Bytes)
        )

    let history = TraceHistory "compile"

    let trace (p: 'P) (xs: Tensor[]) =
        let result = ref Unchecked.defaultof<'Q>

        let graph, captured =
            Trace.closed (Array.map Tensor.specOf xs) (fun v ->
                result.Value <- f (Tree.rebuild p v)
                Tree.leaves result.Value)

        CompiledProgram graph, captured, Tree.map (fun _ -> scalar 0.0) result.Value

    /// Writes down that a trace was made, and why.
    let note (p: 'P) (graph: Graph) (captured: Tensor[]) (time: TimeSpan) =
        let level = if captured.Length > 0 then captured[0].Level.Name else null
        history.Add(Tree.describe p, level, time, Traced.held graph)

    /// The program for an argument, what it closes over, and the structure of its result.
    let find (p: 'P) (xs: Tensor[]) =
        let signature = Signature(Array.map Tensor.specOf xs, Tree.statics p)

        match traces.TryFind signature with
        | ValueSome known -> known
        | ValueNone ->
            let start = Stopwatch.GetTimestamp()
            let program, captured, result = trace p xs
            note p program.Graph captured (Stopwatch.GetElapsedTime start)
            let made = struct (program, captured, result, Tree.paths p)
            // what closes over a tensor that is being transformed belongs to this call alone
            if captured.Length > 0 then made else traces.Add(signature, made)

    /// The function's value, by its program.
    member _.Invoke(p: 'P) : 'Q =
        let xs = Tree.leaves p
        let struct (program, captured, result, _) = find p xs
        Tree.rebuild result (Tensor.Bind(Call program, Array.append captured xs))

    /// Traces and plans for an argument like this one, without running.
    member _.Prepare(p: 'P) =
        let struct (program, _, _, _) = find p (Tree.leaves p)
        program.Runner |> ignore

    /// The last traces in order: why each was needed, and what for.
    member _.Traces: string[] = history.Traces |> Array.map Traced.line

    /// What was traced and why, and what became of it: the graphs before and after, the kernels, what was not fused and
    /// why, the bytes. Plain text. Example: `printfn "%s" (step.Explain())`.
    member c.Explain() : string =
        traces.Values
        |> Array.map (fun (struct (p, _, _, names)) -> Explain.program names p.Graph p.Runner.Plan)
        |> Explain.report "compiled function" history.Traces

    /// The simplified graphs as Mermaid diagrams, kernels as boxes.
    member c.Mermaid() : string[] =
        traces.Values |> Array.map (fun (struct (p, _, _, names)) -> Explain.mermaid names p.Runner.Plan)

    member internal _.Programs: CompiledProgram[] = traces.Values |> Array.map (fun (struct (p, _, _, _)) -> p)

/// `compile` with the traces to look at: its `Invoke` is the compiled function, its `Explain` tells what became of it.
let compiled (f: 'P -> 'Q) = Compiled<'P, 'Q> f

/// The same function as a planned program: traced once for each kind of argument (shapes, element types, settings),
/// simplified, fused, laid out in one block of memory. Host code in it runs while tracing only. It nests with every
/// transformation: `compile (grad f)`, `grad (compile f)`, `vmap (compile f)`.
/// Example: `let step = compile (fun (net, x, y) -> valueAndGrad (loss x y) net)`.
let compile (f: 'P -> 'Q) : 'P -> 'Q = (compiled f).Invoke
