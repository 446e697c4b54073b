/// Which tests run: all of them, or with `--reduced` all but the slow ones (a run without hardware intrinsics
/// computes everything ten to fifty times more slowly, and proves the same paths with fewer cases).
module Functional.Tests.Selection

open Expecto

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
