/// Runs every value marked [<Tests>]. Options are Expecto's (`--filter`, `--list-tests`, `--sequenced`, `--help`, ...),
/// `--reduced`, which leaves the slow tests out, and `--checked`, which fails where the kernels are ordinary ones and not
/// checked (those fail for any access that a test did not provoke, whatever became of the test). The last line is `N passed, N failed`, with `, N skipped` when some were.
module Functional.Tests.Program

open System
open Expecto
open Expecto.Impl
open Functional.Compiling
open Functional.Plans
open Functional.Rewrites
open Functional.Tests.Selection

/// Standard output as it was before Expecto put its own writer, with its escape codes and padding, in front of it.
let private out = Console.Out

let private failure (name: string) (message: string) (duration: TimeSpan) =
    async { out.WriteLine $"FAILED {name} ({duration.TotalSeconds:F1} s)\n{message.TrimEnd()}\n" }

/// Failures as they happen and nothing else: what passed is a number in the last line.
let private printer = {
    TestPrinters.silent with
        failed = failure
        exn = fun name error duration -> failure name (string error) duration
}

/// Skipped tests, with the reason said once for all that share it.
let private reportSkipped (skipped: (FlatTest * TestSummary) list) =
    skipped
    |> List.groupBy (fun (_, summary) ->
        match summary.result with
        | TestResult.Ignored reason -> reason
        | _ -> "")
    |> List.iter (fun (reason, tests) ->
        out.WriteLine $"SKIPPED {reason}"

        for test, _ in tests do
            out.WriteLine("    " + String.concat "." test.name))

let private report (violations: string list) (summary: TestRunSummary) =
    for violation in violations do
        out.WriteLine $"VIOLATION {violation}"

    let failed = summary.failed.Length + summary.errored.Length + violations.Length
    let skipped = summary.ignored.Length
    reportSkipped summary.ignored
    out.WriteLine $"{summary.results.Length} tests in {summary.duration.TotalSeconds:F1} s"

    out.WriteLine(
        $"{summary.passed.Length} passed, {failed} failed"
        + (if skipped > 0 then $", {skipped} skipped" else "")
    )

    out.Flush()

let private run (args: string[]) =
    // every plan that the tests make is a debug plan
    Shadow.IsOn <- true
    Pipeline.verifies <- true
    let isReduced, args = args |> Array.partition ((=) "--reduced")
    let isChecked, args = args |> Array.partition ((=) "--checked")

    if isChecked.Length > 0 && not Checks.isOn then
        failwith "the kernels are not checked: build with -p:CheckedKernels=true"

    let tests =
        testFromThisAssembly ()
        |> Option.defaultValue (testList "" [])
        |> if isReduced.Length > 0 then reduced else id

    let mutable summary = None

    let options = [
        No_Spinner
        Printer printer
        Append_Summary_Handler(SummaryHandler(fun result -> summary <- Some result))
    ]

    let code = runTestsWithCLIArgs options args tests
    let violations = Checks.violations () |> List.distinct

    match summary with
    | Some summary when summary.results.IsEmpty ->
        let options = String.concat " " args
        out.WriteLine $"No test is named by {options}; --list-tests prints all names, and a filter is part of one."
        1
    | _ ->
        Option.iter (report violations) summary
        if violations.IsEmpty then code else 1

[<EntryPoint>]
let main args =
    match args with
    | DurabilityTests.Child work
    | HostileTests.Child work
    | MemoryTests.Child work
    | LogTests.Child work
    | Sizes.ExtremeTests.Child work
    | Surface.Child work
    | InterruptTests.Child work
    | Pages.CSharpProgram.Child work ->
        work ()
        0
    | _ -> run args
