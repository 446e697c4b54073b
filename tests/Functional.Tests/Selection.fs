/// Which tests run: all of them, or with `--reduced` all but the slow ones (a run without hardware intrinsics
/// computes everything ten to fifty times more slowly, and proves the same paths with fewer cases).
module Functional.Tests.Selection

open Expecto
open Functional.Kernels

[<Literal>]
let private slowLabel = "slow"

/// Marks a test, or a list of tests, that a reduced run leaves out: whatever takes more than a few tenths of a second.
let slow (test: Test) = TestLabel(slowLabel, test, Normal)

/// The tests not marked slow.
let reduced (tests: Test) = tests |> Test.filter "." (List.contains slowLabel >> not)

/// How many cases a test draws: the usual number, times what FUNCTIONAL_DRAWS says.
let draws (usual: int) =
    match System.Int32.TryParse(System.Environment.GetEnvironmentVariable "FUNCTIONAL_DRAWS") with
    | true, times when times > 0 -> usual * times
    | _ -> usual

let private turn = obj ()

/// Runs with a number of worker threads, and puts the old number back. That is the process's: tests take turns at it.
let withThreads (count: int) (work: unit -> 'T) : 'T =
    lock turn (fun () ->
        let before = Workers.Count
        Workers.Count <- count

        try
            work ()
        finally
            Workers.Count <- before)
