namespace Functional

// The numbers that callbacks watch, and what counts as an improvement of one.

open System

/// Which values of a monitored number are better.
type Better =
    | Lower
    | Higher

/// A number of the history that a callback watches, and what counts as an improvement.
type Monitor = {
    /// "val_loss", "accuracy", ...
    Name: string
    Better: Better
    /// The least change that is an improvement.
    MinDelta: float
}

[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module Monitor =

    let private rising = [ "acc"; "auc"; "precision"; "recall"; "f1"; "r2"; "top_k"; "topk"; "cosine_similarity" ]

    /// Watches a number: higher is better where the name says accuracy, precision, recall, F1, R² or the like, else lower.
    let create (name: string) : Monitor =
        let higher = rising |> List.exists (fun word -> name.Contains(word, StringComparison.OrdinalIgnoreCase))
        { Name = name; Better = (if higher then Higher else Lower); MinDelta = 0.0 }

    let internal worst (monitor: Monitor) =
        match monitor.Better with
        | Lower -> infinity
        | Higher -> -infinity

    /// Whether a value is better than the best so far. NaN never is, and everything else is better than NaN.
    let internal improves (monitor: Monitor) (best: float) (value: float) =
        match monitor.Better with
        | _ when Double.IsNaN best -> not (Double.IsNaN value)
        | Lower -> value < best - abs monitor.MinDelta
        | Higher -> value > best + abs monitor.MinDelta

    let internal require (callback: string) (plan: TrainingPlan) (monitor: Monitor) =
        if not (List.contains monitor.Name plan.Names) then
            let known = String.Join(", ", plan.Names)

            let hint =
                if monitor.Name.StartsWith "val_" then
                    "; numbers with val_ need validation data"
                else
                    ""

            invalidArg
                "Monitor"
                $"{callback}: there is no \"{monitor.Name}\" to watch; this training reports {known}{hint}"

    let internal value (monitor: Monitor) (report: EpochReport) : float =
        report.Numbers |> List.find (fun (name, _) -> name = monitor.Name) |> snd
