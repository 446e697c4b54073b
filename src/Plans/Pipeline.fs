/// What a program goes through from its trace to its plan: every pass, in order. A pass on graphs is a file in `Rewrites` and
/// a line here.
[<RequireQualifiedAccess>]
module internal Functional.Plans.Pipeline

open Functional.Operations
open Functional.Rewrites

/// A pass on graphs. `IsOn` says whether it runs; of a loop's body and a branch only those do that are for every graph.
type private Pass = { Name: string; EveryGraph: bool; IsOn: Passes -> bool; Run: Graph -> Graph }

let private passes = [
    {
        Name = "Simplify"
        EveryGraph = true
        IsOn = (fun _ -> true)
        Run = Simplify.graph
    }
    { Name = "Regions"; EveryGraph = false; IsOn = _.Rows; Run = Regions.graph }
]

/// Whether graphs are verified between the passes, as the tests have it.
let mutable verifies = false

let private verified (after: string) (g: Graph) : Graph =
    if verifies then
        Verify.graph after g

    g

let private run (chosen: Pass list) (g: Graph) : Graph =
    (g, chosen) ||> List.fold (fun g pass -> verified pass.Name (pass.Run g))

/// The passes that are for every graph.
let simplify (traced: Graph) : Graph = verified "tracing" traced |> run (passes |> List.filter _.EveryGraph)

/// The passes that follow for the graph of a whole program.
let whole (chosen: Passes) (simplified: Graph) : Graph =
    run (passes |> List.filter (fun pass -> not pass.EveryGraph && pass.IsOn chosen)) simplified
