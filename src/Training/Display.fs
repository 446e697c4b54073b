namespace Functional

// What a person sees while a network is trained: a line for each epoch, and in a terminal a live one for the epoch
// that is being done.

open System
open System.Diagnostics
open System.Globalization
open System.IO

/// How training shows its progress.
type Display =
    /// A live line where the output is a terminal, else a line for each epoch.
    | Auto
    | Silent
    /// A line for each epoch.
    | Lines
    /// A live line: batches, the numbers so far, the time left.
    | Live

/// Showing progress on a text writer.
[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module Display =

    let private invariant = CultureInfo.InvariantCulture

    /// Four digits, whatever the size.
    let private number (value: float) =
        if value <> 0.0 && (abs value < 1e-3 || abs value >= 1e6) && Double.IsFinite value then
            value.ToString("0.0000e+00", invariant)
        else
            value.ToString("F4", invariant)

    let private numbers (values: (string * float) list) =
        values |> List.map (fun (name, value) -> $"{name}: {number value}") |> String.concat "  "

    let private duration (t: TimeSpan) =
        if t.TotalSeconds < 10.0 then t.TotalSeconds.ToString("F1", invariant) + "s"
        elif t.TotalMinutes < 1.0 then t.TotalSeconds.ToString("F0", invariant) + "s"
        elif t.TotalHours < 1.0 then $"{int t.TotalMinutes}m{t.Seconds:D2}s"
        else $"{int t.TotalHours}h{t.Minutes:D2}m"

    let private bar (done': int) (all: int) =
        let width = 24
        let full = int (int64 width * int64 done' / int64 (max 1 all))

        "["
        + String('=', full)
        + (if full < width then ">" else "")
        + String('.', max 0 (width - full - 1))
        + "]"

    let private terminalWidth () =
        try
            if Console.WindowWidth > 0 then Console.WindowWidth else 80
        with
        | :? IOException
        | :? PlatformNotSupportedException -> 80

    /// How long a live line stays before it is written anew.
    let private patience = TimeSpan.FromMilliseconds 100.0

    /// What one training has on the screen, and since when.
    type private Screen(out: TextWriter, live: bool, plan: TrainingPlan) =
        let epoch = Stopwatch.StartNew()
        let shown = Stopwatch.StartNew()
        /// The batch of the epoch that its clock began with.
        let mutable begun = 0
        /// Characters of the live line.
        let mutable written = 0

        let clear () =
            if written > 0 then
                out.Write("\r" + String(' ', written) + "\r")
                written <- 0

        let rewrite (line: string) =
            let width = terminalWidth () - 1
            let line = if line.Length > width then line[.. width - 1] else line
            out.Write("\r" + line.PadRight written)
            out.Flush()
            written <- line.Length

        member _.Begin(state: TrainingState<'P>) =
            let from =
                if state.Epoch > 0 || state.Batch > 0 then
                    $", from epoch {state.Epoch + 1} on"
                else
                    ""

            let batches = plan.Batches |> Option.fold (fun _ n -> $" of {n} batches") ""
            let compiled = if plan.Compiled then "; the training step is compiled" else ""
            out.WriteLine $"{plan.Epochs} epochs{batches}{from}{compiled}"
            epoch.Restart()
            begun <- state.Batch

        member _.BatchEnd(report: BatchReport<'P>) =
            if live && shown.Elapsed > patience then
                shown.Restart()
                let since = report.Batch - begun

                let progress =
                    match plan.Batches with
                    | Some all ->
                        let left =
                            TimeSpan.FromTicks(epoch.Elapsed.Ticks / int64 (max 1 since) * int64 (all - report.Batch))

                        $"{bar report.Batch all} {report.Batch}/{all}  {duration left} left"
                    | None -> $"{report.Batch} batches"

                rewrite $"Epoch {report.Epoch}/{plan.Epochs}  {progress}  {numbers (report.SoFar())}"

        member _.EpochEnd(report: EpochReport) =
            clear ()
            out.WriteLine $"Epoch {report.Epoch}/{plan.Epochs}  {duration epoch.Elapsed}  {numbers report.Numbers}"
            out.Flush()
            epoch.Restart()
            begun <- 0

        member _.End(ending: Ending, state: TrainingState<'P>) =
            clear ()

            match ending with
            | Completed -> ()
            | Stopped reason -> out.WriteLine $"Stopped: {reason}"
            | Interrupted ->
                out.WriteLine
                    $"Interrupted after batch {state.Batch} of epoch {state.Epoch + 1}; what was learnt is kept"

            out.Flush()

    /// A callback that writes progress to a text writer; `live` rewrites one line as batches are done.
    let toWriter (out: TextWriter) (live: bool) : Callback<'P> =
        Callback.ofPlan "display" (fun plan ->
            let screen = Screen(out, live, plan)

            {
                Callback.create "display" with
                    FitStart =
                        fun _ state ->
                            screen.Begin state
                            state
                    BatchEnd =
                        fun report ->
                            screen.BatchEnd report
                            Callback.goOn
                    EpochEnd =
                        fun report state ->
                            screen.EpochEnd report
                            state, Continue
                    FitEnd =
                        fun ending state ->
                            screen.End(ending, state)
                            state
            })

    let private isTerminal () = not Console.IsOutputRedirected && Environment.GetEnvironmentVariable "TERM" <> "dumb"

    let internal callback (display: Display) : Callback<'P> option =
        match display with
        | Silent -> None
        | Lines -> Some(toWriter Console.Out false)
        | Live -> Some(toWriter Console.Out true)
        | Auto -> Some(toWriter Console.Out (isTerminal ()))
