/// `compile`: a function that is traced once for each kind of argument and then runs as a planned program.
[<AutoOpen>]
module Functional.Compilation

open System
open System.Collections.Concurrent
open Functional.Compile
open Functional.Levels
open Functional.Operations

/// What a trace depends on: shapes and types of the tensors, and everything static in the tree.
[<Struct; CustomEquality; NoComparison>]
type private Kind =
    val Specs: Spec[]
    val Statics: obj[]

    new(specs, statics) = { Specs = specs; Statics = statics }

    override k.GetHashCode() =
        let mutable h = HashCode()

        for s in k.Specs do
            h.Add(int s.DType)

            for d in s.Shape do
                h.Add d

        for s in k.Statics do
            h.Add s

        h.ToHashCode()

    override k.Equals other =
        match other with
        | :? Kind as j ->
            k.Specs.Length = j.Specs.Length
            && k.Statics.Length = j.Statics.Length
            && Array.forall2
                (fun (a: Spec) (b: Spec) -> a.DType = b.DType && Shape.same a.Shape b.Shape)
                k.Specs
                j.Specs
            && Array.forall2 (fun (a: obj) (b: obj) -> Object.Equals(a, b)) k.Statics j.Statics
        | _ -> false

/// A function with its traces: what `compile` returns, to be looked at.
[<Sealed>]
type Compiled<'P, 'Q>(f: 'P -> 'Q) =
    let traces = ConcurrentDictionary<Kind, Lazy<CompiledProgram * Tensor[] * 'Q>>()
    let history = System.Collections.Generic.List<string>()

    let trace (p: 'P) (xs: Tensor[]) =
        let result = ref Unchecked.defaultof<'Q>

        let graph, captured =
            Trace.closed (Array.map Tensor.specOf xs) (fun v ->
                result.Value <- f (Tree.rebuild p v)
                Tree.leaves result.Value)

        CompiledProgram graph, captured, Tree.map (fun _ -> scalar 0.0) result.Value

    let describe (xs: Tensor[]) (statics: obj[]) =
        let tensors = xs |> Array.map (fun x -> $"{x.DType} {Shape.show x.Shape}") |> String.concat ", "

        let rest =
            if statics.Length = 0 then
                ""
            else
                "; " + (statics |> Array.map string |> String.concat ", ")

        tensors + rest

    /// The program for an argument, what it closes over, and the structure of its result.
    let find (p: 'P) (xs: Tensor[]) =
        let statics = Tree.statics p
        let kind = Kind(Array.map Tensor.specOf xs, statics)

        let make () =
            let made = trace p xs

            lock history (fun () ->
                let why = if history.Count = 0 then "first call" else "new shapes, types or settings"
                history.Add $"{why}: {describe xs statics}")

            made

        match traces.TryGetValue kind with
        | true, known -> known.Value
        | _ ->
            let made = lazy (make ())
            let _, captured, _ = made.Value
            // what closes over a tensor that is being transformed belongs to this call alone
            if captured.Length = 0 then traces.GetOrAdd(kind, made).Value else made.Value

    /// The function's value, by its program.
    member _.Invoke(p: 'P) : 'Q =
        let xs = Tree.leaves p
        let program, captured, result = find p xs
        Tree.rebuild result (Tensor.Bind(Call program, Array.append captured xs))

    /// Traces and plans for an argument like this one, without running.
    member _.Prepare(p: 'P) =
        let program, _, _ = find p (Tree.leaves p)
        program.Runner |> ignore

    /// Every trace, in order, and its cause.
    member _.Traces = lock history (fun () -> history.ToArray())

    /// What was traced, why, and what became of it: the graphs before and after, the kernels, the bytes. Plain text.
    member c.Explain() : string =
        let text = System.Text.StringBuilder()
        let line (s: string) = text.AppendLine s |> ignore
        line $"traced {c.Traces.Length} times"

        for cause in c.Traces do
            line $"  {cause}"

        for p in c.Programs do
            let plan = p.Runner.Plan
            line $"as traced: {p.Graph.Instructions.Length} operations"
            line (Explain.graph p.Graph)
            line $"simplified: {plan.Graph.Instructions.Length} operations"
            line (Explain.graph plan.Graph)
            line $"{plan.Steps.Length} kernels, {plan.Bytes} bytes of working memory"
            line (Explain.kernels plan)

        text.ToString()

    /// The simplified graphs as Mermaid diagrams, kernels as boxes.
    member c.Mermaid() : string[] =
        c.Programs |> Array.map (fun p -> Explain.mermaid p.Runner.Plan.Graph p.Runner.Plan.Schedule)

    member internal _.Programs: CompiledProgram[] =
        traces.Values |> Seq.map (fun t -> let p, _, _ = t.Value in p) |> Array.ofSeq

/// `compile` with the traces to look at: its `Invoke` is the compiled function, its `Explain` tells what became of it.
let compiled (f: 'P -> 'Q) = Compiled<'P, 'Q> f

/// The same function as a planned program: traced once for each kind of argument (shapes, element types, settings),
/// simplified, fused, laid out in one block of memory. Host code in it runs while tracing only. It nests with every
/// transformation: `compile (grad f)`, `grad (compile f)`, `vmap (compile f)`.
/// Example: `let step = compile (fun (net, x, y) -> valueAndGrad (loss x y) net)`.
let compile (f: 'P -> 'Q) : 'P -> 'Q = (compiled f).Invoke
