/// `compile`: a function that is traced once for each kind of argument and then runs as a planned program.
[<AutoOpen>]
module Functional.Compilation

open System
open System.Collections.Concurrent
open System.Collections.Generic
open System.Diagnostics
open Functional.Compile
open Functional.Levels
open Functional.Operations

/// A function with its traces: what `compile` returns, to be looked at.
[<Sealed>]
type Compiled<'P, 'Q>(f: 'P -> 'Q) =
    let traces = ConcurrentDictionary<Kind, Lazy<CompiledProgram * Tensor[] * 'Q>>()
    let history = List<Traced>()
    /// The programs in the order they were made, with their inputs' paths.
    let programs = List<struct (CompiledProgram * string[])>()
    let mutable warned = false

    let trace (p: 'P) (xs: Tensor[]) =
        let result = ref Unchecked.defaultof<'Q>

        let graph, captured =
            Trace.closed (Array.map Tensor.specOf xs) (fun v ->
                result.Value <- f (Tree.rebuild p v)
                Tree.leaves result.Value)

        CompiledProgram graph, captured, Tree.map (fun _ -> scalar 0.0) result.Value

    /// Writes down that a trace was made, and why.
    let note (p: 'P) (graph: Graph) (captured: Tensor[]) (time: TimeSpan) =
        let parts = Tree.describe p
        let held = Traced.held graph

        lock history (fun () ->
            let cause =
                if captured.Length > 0 then
                    $"it closes over a tensor of {captured[0].Level.Name}, which is another one at each call"
                else
                    Traced.cause history parts

            match history |> Seq.tryFindBack (fun t -> captured.Length > 0 && t.Cause = cause && t.Parts = parts) with
            | Some again -> again.Count <- again.Count + 1
            | None ->
                history.Add {
                    Parts = parts
                    Cause = cause
                    Time = time.TotalMilliseconds
                    Held = held
                    Count = 1
                }

            if held.Length > 0 && not warned then
                warned <- true
                Traced.warn "compile" held)

    /// The program for an argument, what it closes over, and the structure of its result.
    let find (p: 'P) (xs: Tensor[]) =
        let kind = Kind(Array.map Tensor.specOf xs, Tree.statics p)

        let make () =
            let start = Stopwatch.GetTimestamp()
            let program, captured, result = trace p xs
            note p program.Graph captured (Stopwatch.GetElapsedTime start)
            program, captured, result

        match traces.TryGetValue kind with
        | true, known -> known.Value
        | _ ->
            let made = lazy (make ())
            let _, captured, _ = made.Value

            // what closes over a tensor that is being transformed belongs to this call alone
            if captured.Length > 0 then
                made.Value
            else
                let kept = traces.GetOrAdd(kind, made)

                if obj.ReferenceEquals(kept, made) then
                    let program, _, _ = made.Value
                    lock history (fun () -> programs.Add(struct (program, Tree.paths p)))

                kept.Value

    /// The function's value, by its program.
    member _.Invoke(p: 'P) : 'Q =
        let xs = Tree.leaves p
        let program, captured, result = find p xs
        Tree.rebuild result (Tensor.Bind(Call program, Array.append captured xs))

    /// Traces and plans for an argument like this one, without running.
    member _.Prepare(p: 'P) =
        let program, _, _ = find p (Tree.leaves p)
        program.Runner |> ignore

    /// Every trace in order: why it was needed, and what for.
    member _.Traces: string[] = lock history (fun () -> history |> Seq.map Traced.line |> Array.ofSeq)

    /// What was traced and why, and what became of it: the graphs before and after, the kernels, what was not fused and
    /// why, the bytes. Plain text. Example: `printfn "%s" (step.Explain())`.
    member c.Explain() : string =
        let told, made = lock history (fun () -> history.ToArray(), programs.ToArray())

        made
        |> Array.map (fun (struct (p, names)) -> Explain.program names p.Graph p.Runner.Plan)
        |> Explain.report "compiled function" told

    /// The simplified graphs as Mermaid diagrams, kernels as boxes.
    member c.Mermaid() : string[] =
        lock history (fun () -> programs.ToArray())
        |> Array.map (fun (struct (p, names)) -> Explain.mermaid names p.Runner.Plan)

    member internal _.Programs: CompiledProgram[] =
        lock history (fun () -> programs |> Seq.map (fun (struct (p, _)) -> p) |> Array.ofSeq)

/// `compile` with the traces to look at: its `Invoke` is the compiled function, its `Explain` tells what became of it.
let compiled (f: 'P -> 'Q) = Compiled<'P, 'Q> f

/// The same function as a planned program: traced once for each kind of argument (shapes, element types, settings),
/// simplified, fused, laid out in one block of memory. Host code in it runs while tracing only. It nests with every
/// transformation: `compile (grad f)`, `grad (compile f)`, `vmap (compile f)`.
/// Example: `let step = compile (fun (net, x, y) -> valueAndGrad (loss x y) net)`.
let compile (f: 'P -> 'Q) : 'P -> 'Q = (compiled f).Invoke
