namespace Functional.Plans

open System.Collections.Generic
open Functional
open Functional.Kernels
open Functional.Operations
open Functional.Rewrites

/// Pieces of work by their numbers, for the workers.
[<Struct>]
type internal EachOf(run: System.Action<int>) =
    interface IChunks with
        member _.Run piece = run.Invoke piece

/// A scan; where its rows have nothing to do with each other, every thread runs a part of them through all steps.
[<Sealed>]
type internal Loop(s: Scan, arguments: int[], made: int[], passes: Passes, shadow: Shadow, nested: Nested) =
    inherit Step("scan")
    let body = Pipeline.simplify s.Body
    let division = Rows.divide body s.Constants

    let part body whole division first =
        LoopPart(s, s.Inputs arguments, s.Results made, body, whole, division, first, passes, shadow, nested)

    let cut parts =
        match division with
        | Some d when parts > 1 ->
            Array.init parts (fun p ->
                let cut p = int (int64 d.Batch * int64 p / int64 parts)
                let first = cut p
                let rows = cut (p + 1) - first
                part (Rows.narrow body d rows) body division first)
        | _ -> [| part body body None 0 |]

    /// How many parts are worth while: some rows in each, and enough work to wake a thread for.
    let parts threads =
        match division with
        | Some d ->
            Rows.cost body * float s.Length / 10_000.0
            |> min (float (d.Batch / 4))
            |> min (float threads)
            |> int
            |> max 1
        | None -> 1

    let mutable current = cut (parts Workers.Count)
    let mutable arrays: NDArray[] = null
    let run = System.Action<int>(fun part -> current[part].Run arrays)
    /// The plans of its parts.
    member _.Parts = current |> Array.map (fun part -> part.Plan)
    override _.Bytes = current |> Array.sumBy (fun part -> part.Plan.Bytes)

    override _.Run values =
        let wanted = parts Workers.Count

        if wanted <> current.Length then
            current <- cut wanted

        if current.Length = 1 then
            current[0].Run values
        else
            arrays <- values
            let mutable work = EachOf run
            Workers.Run(current.Length, &work)
            arrays <- null

[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module internal Plan =

    /// The step of a loop or a branch.
    let rec private step (op: ManyOp) (arguments: int[]) (made: int[]) (passes: Passes) (shadow: Shadow) : Step =
        match op with
        | Scan s -> Loop(s, arguments, made, passes, shadow, Nested step)
        | Cond(whenTrue, whenFalse) -> Branch(whenTrue, whenFalse, arguments, made, passes, shadow, Nested step)
        | While w -> Repeat(w, arguments, made, passes, shadow, Nested step)
        | Concat _
        | Split _
        | Linear _
        | Call _
        | Custom _ -> invalidOp "internal: an operation without a graph has no plan in it"

    /// A plan by a schedule that has been made.
    let scheduled (graph: Graph) (schedule: Schedule) (outside: HashSet<int>) (passes: Passes) (shadow: Shadow) : Plan =
        Plan(graph, schedule, outside, passes, 0, shadow, Nested step)

    /// A plan of a graph. `outside` are the values whose memory the caller provides.
    let make (graph: Graph) (outside: HashSet<int>) (passes: Passes) (shadow: Shadow) : Plan =
        scheduled graph (Schedule.make passes graph) outside passes shadow
