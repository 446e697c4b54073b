namespace Functional

// The numbers that callbacks watch, and what counts as an improvement of one. Nothing is guessed from a name.

open System

/// A number of the history that a callback watches, and what counts as an improvement.
type Monitor = {
    /// "val_loss", "accuracy", ...
    Name: string
    /// Which values are better; None: those that the loss or the metric of this name says.
    Better: Better option
    /// The least change that is an improvement.
    MinDelta: float
}

/// A monitor of one training, whose direction is known.
type internal Watched = { Number: string; Towards: Better; Least: float }

[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module Monitor =

    /// Watches a number. Which values are better is for the loss (lower) or the metric to say; a metric of one's own that
    /// does not say it (`Metric.withBetter`) needs it here: `{ Monitor.create "score" with Better = Some Higher }`.
    let create (name: string) : Monitor = { Name = name; Better = None; MinDelta = 0.0 }

    /// What a callback watches in a training. Refuses a number that the training does not report, and one of which nobody
    /// says which values are better.
    let internal watch (callback: string) (plan: TrainingPlan) (monitor: Monitor) : Watched =
        let known = String.Join(", ", plan.Names)

        if not (List.contains monitor.Name plan.Names) then
            let hint =
                if monitor.Name.StartsWith("val_", StringComparison.Ordinal) then
                    "; numbers with val_ need validation data"
                else
                    ""

            invalidArg
                "Monitor"
                $"{callback}: there is no \"{monitor.Name}\" to watch; this training reports {known}{hint}"

        match Option.orElse (plan.Better.TryFind monitor.Name) monitor.Better with
        | Some better -> { Number = monitor.Name; Towards = better; Least = abs monitor.MinDelta }
        | None ->
            let directed = plan.Names |> List.filter plan.Better.ContainsKey |> String.concat ", "

            invalidArg
                "Monitor"
                $"{callback}: the metric \"{monitor.Name}\" does not say which of its values are better; say it to the callback (lower or higher, mode \"min\" or \"max\") or to the metric, or watch one that says it: {directed}"

    let internal worst (watched: Watched) =
        match watched.Towards with
        | Lower -> infinity
        | Higher -> -infinity

    /// Whether a value is better than the best so far. NaN never is, and everything else is better than NaN.
    let internal improves (watched: Watched) (best: float) (value: float) =
        match watched.Towards with
        | _ when Double.IsNaN best -> not (Double.IsNaN value)
        | Lower -> value < best - watched.Least
        | Higher -> value > best + watched.Least

    let internal value (watched: Watched) (report: EpochReport) : float =
        report.Numbers |> List.find (fun (name, _) -> name = watched.Number) |> snd
