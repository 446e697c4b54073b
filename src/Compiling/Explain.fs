namespace Functional.Compiling

// What a program is made of, in words: for the reader who wonders where the time goes.

open System
open System.Diagnostics
open System.Text
open Functional
open Functional.Operations
open Functional.Plans
open Functional.Rewrites

/// A graph or a plan as text.
[<RequireQualifiedAccess>]
module internal Explain =

    let private showSpec (s: Spec) = $"{s.DType} {Shape.show s.Shape}"

    let private nameOf (instruction: Instruction) =
        match instruction with
        | Constant c -> if c.Size <= 4 then $"constant {Kernels.Printing.Print c}" else "constant"
        | Apply(op, _, _, _) -> Facts.name op
        | ApplyMany(op, _, _) ->
            match op with
            | Scan s when Regions.isRegion s -> "by rows"
            | Scan s -> $"""scan of {s.Length} steps{if s.FromEnd then ", from the end" else ""}"""
            | While _ -> "while"
            | Concat _
            | Split _
            | Linear _
            | Cond _
            | Call _
            | Custom _ -> Facts.nameMany op

    let private details (instruction: Instruction) =
        match instruction with
        | Apply(op, _, _, _) ->
            match op with
            | MatMul(ta, tb) -> (if ta then " aᵀ" else "") + (if tb then " bᵀ" else "")
            | Reduce(_, axes, _)
            | SumProduct(axes, _) -> $" over {Shape.list axes}"
            | AddScaled s -> $" {s}"
            | Unary _
            | Binary _
            | Compare _
            | Select
            | Cast _
            | StopGradient
            | Dense
            | Conv _
            | ConvBias _
            | ConvInput _
            | ConvKernel _
            | MaxPool _
            | MaxPoolPick _
            | MaxPoolPlace _
            | ArgReduce _
            | Cumulate _
            | Softmax _
            | SoftmaxScale _
            | Broadcast _
            | Reshape _
            | Transpose _
            | Slice _
            | Pad _
            | Reverse _
            | Gather _
            | ScatterAdd _
            | GatherAlong _
            | ScatterAlong _
            | ArgSort _
            | Random _ -> ""
        | Constant _
        | ApplyMany _ -> ""

    /// The graphs inside an instruction, each with what it is.
    let private inside (instruction: Instruction) : (string * Graph) list =
        match instruction with
        | ApplyMany(Scan s, _, _) -> [ (if Regions.isRegion s then "each part" else "each step"), s.Body ]
        | ApplyMany(Cond(whenTrue, whenFalse), _, _) -> [ "when true", whenTrue; "when false", whenFalse ]
        | ApplyMany(While w, _, _) -> [ "as long as", w.Condition; "each step", w.Body ]
        | ApplyMany(Call p, _, _) -> [ "which is", p.Graph ]
        | ApplyMany((Concat _ | Split _ | Linear _ | Custom _), _, _)
        | Apply _
        | Constant _ -> []

    let private values (vs: int seq) = vs |> Seq.map (fun v -> $"%%{v}") |> String.concat " "

    /// One line an instruction: value = operation operands : shape. `names` are the inputs' paths.
    let rec private write (text: StringBuilder) (indent: string) (names: string[]) (g: Graph) =
        let line (s: string) = text.Append(indent).AppendLine s |> ignore

        for i in 0 .. g.Inputs - 1 do
            let name = if i < names.Length && names[i] <> "" then " " + names[i] else ""
            line $"%%{i} = input{name} : {showSpec g.Specs[i]}"

        let firsts = Graphs.firsts g

        g.Instructions
        |> Array.iteri (fun k instruction ->
            let read = Graphs.arguments instruction
            let read = if read.Length = 0 then "" else " " + values read
            let specs = Graphs.made g firsts k |> Seq.map (fun r -> showSpec g.Specs[r]) |> String.concat ", "
            line $"{values (Graphs.made g firsts k)} = {nameOf instruction}{details instruction}{read} : {specs}"

            for what, inner in inside instruction do
                line $"  {what}:"
                write text (indent + "    ") [||] inner)

        line $"return {values g.Outputs}"

    /// What a kernel does, in a few words.
    let private kernelName (g: Graph) (kernel: Kernel) =
        let names =
            kernel.Instructions
            |> Array.map (fun k -> nameOf g.Instructions[k])
            |> Array.fold
                (fun sofar name ->
                    match sofar with
                    | (last, n) :: rest when last = name -> (last, n + 1) :: rest
                    | _ -> (name, 1) :: sofar)
                []
            |> List.rev
            |> List.map (fun (name, n) -> if n = 1 then name else $"{name} ×{n}")

        let shown = 10

        if names.Length <= shown then
            String.Join(" + ", names)
        else
            String.Join(" + ", List.truncate shown names) + $" + {names.Length - shown} more"

    let private isConstant (g: Graph) (schedule: Schedule) =
        let constants =
            Array.zip g.Instructions schedule.Firsts
            |> Array.choose (fun (instruction, first) ->
                match instruction with
                | Constant c when isNull c.Storage -> Some first
                | Constant _
                | Apply _
                | ApplyMany _ -> None)
            |> System.Collections.Generic.HashSet

        constants.Contains

    /// The graph as Mermaid: kernels of several operations as boxes, inputs by their paths.
    let mermaid (names: string[]) (plan: Plan) : string =
        let g, schedule = plan.Graph, plan.Schedule
        let text = StringBuilder("flowchart TD\n")
        let line (s: string) = text.Append("  ").AppendLine s |> ignore
        let quoted (s: string) = s.Replace("\"", "#quot;")

        for i in 0 .. g.Inputs - 1 do
            let name = if i < names.Length && names[i] <> "" then names[i] else "input"
            line $"v{i}([\"{quoted name}<br/>{showSpec g.Specs[i]}\"])"

        let describe k =
            let first = schedule.Firsts[k]
            line $"v{first}[\"{quoted (nameOf g.Instructions[k])}<br/>{showSpec g.Specs[first]}\"]"

        schedule.Kernels
        |> Array.iteri (fun i kernel ->
            if kernel.Instructions.Length > 1 then
                line $"subgraph k{i}[\"kernel {i}\"]"
                Array.iter describe kernel.Instructions
                line "end"
            else
                describe kernel.Instructions[0])

        let single = isConstant g schedule
        let owner = Array.init g.Specs.Length id

        g.Instructions
        |> Array.iteri (fun k instruction ->
            for r in Graphs.made g schedule.Firsts k do
                owner[r] <- schedule.Firsts[k]

            match instruction with
            | Apply(Reshape _, _, _, _) -> describe k
            | Constant c when not (isNull c.Storage) -> describe k
            | Constant _
            | Apply _
            | ApplyMany _ -> ())

        g.Instructions
        |> Array.iteri (fun k instruction ->
            for a in Graphs.arguments instruction |> Array.distinct do
                // single numbers would only hide the rest
                if not (single a) then
                    line $"v{owner[a]} --> v{schedule.Firsts[k]}")

        g.Outputs
        |> Array.distinct
        |> Array.iteri (fun i v ->
            if not (single v) then
                line $"v{owner[v]} --> out{i}([\"result\"])")

        text.ToString()

    /// The kernels of a plan in order: what each is made of, what it reads, and where its results lie.
    let rec private kernels (text: StringBuilder) (indent: string) (plan: Plan) =
        let g, layout = plan.Graph, plan.Layout

        plan.Schedule.Kernels
        |> Array.iteri (fun i kernel ->
            let offset v =
                match layout.Places[v] with
                | Memory.Place.Arena offset -> Some offset
                | Memory.Place.Outside
                | Memory.Place.Constant
                | Memory.Place.Nowhere -> None

            let reads, writes = layout.Reads[i], layout.Writes[i]

            let written =
                writes
                |> Array.map (fun y ->
                    let over = reads |> Array.tryFind (fun v -> v <> y && (offset v).IsSome && offset v = offset y)

                    match over, layout.Places[y] with
                    | Some v, _ -> $"%%{y} over %%{v}"
                    | None, Memory.Place.Arena offset -> $"%%{y} at {offset}"
                    | None, _ -> $"%%{y}")
                |> String.concat ", "

            // what a kernel sums up is smaller than what it goes over
            let spec =
                if kernel.Sums.Length > 0 then
                    showSpec g.Specs[plan.Schedule.Firsts[kernel.Body[0]]]
                elif writes.Length > 0 then
                    showSpec g.Specs[writes[0]]
                else
                    ""

            let packed = if plan.IsPacked i then ", packed" else ""
            text.AppendLine $"{indent}{i, 3}  {kernelName g kernel}{packed} : {spec}" |> ignore
            text.AppendLine $"{indent}     reads {values reads}, writes {written}" |> ignore

            match plan.Steps[i] with
            | :? Loop as loop ->
                let parts = loop.Parts

                let which =
                    if parts.Length = 1 then
                        "all rows"
                    else
                        $"{parts.Length} parts by rows, the first"

                text.AppendLine $"{indent}     {which}:" |> ignore
                kernels text (indent + "     ") parts[0]
            | _ -> ())

    let private why (schedule: Schedule) (g: Graph) k (obstacle: Obstacle) =
        let result = Shape.show g.Specs[schedule.Firsts[k]].Shape

        match obstacle with
        | Obstacle.OtherKind -> "what it needs of that is made by no elementwise operation"
        | Obstacle.OtherShape shape -> $"that kernel runs over {Shape.show shape}, this is {result}"
        | Obstacle.Full -> "that kernel has as many operations as its registers allow"
        | Obstacle.SingleNumbers -> "one is code on single numbers, the other runs over arrays"
        | Obstacle.OtherRows -> "its operands repeat along rows of another length"
        | Obstacle.Waits -> "it also reads what a kernel after that one makes"
        | Obstacle.Spread -> "an operand repeats along inner axes and is spread out by a kernel of its own"
        | Obstacle.LongRows -> "its rows are too long to be summed up on the way"
        | Obstacle.Shared -> "threads share that kernel, and a sum is made in order"

    /// What was not fused, and why.
    let private apart (text: StringBuilder) (plan: Plan) =
        let g, schedule = plan.Graph, plan.Schedule

        if schedule.Apart.Length > 0 then
            text.AppendLine "  not fused" |> ignore

        for struct (k, i, obstacle) in schedule.Apart do
            let what = nameOf g.Instructions[k]
            let other = kernelName g schedule.Kernels[i]

            text.AppendLine $"    %%{schedule.Firsts[k]} {what} into kernel {i} ({other}): {why schedule g k obstacle}"
            |> ignore

    let private bytes (n: int64) =
        let invariant = System.Globalization.CultureInfo.InvariantCulture

        if n < 10_000L then $"{n} bytes"
        elif n < 10_000_000L then (float n / 1024.0).ToString("F1", invariant) + " KB"
        else (float n / 1048576.0).ToString("F1", invariant) + " MB"

    /// A program: its graph before and after, its kernels, what was not fused, its memory.
    let program (names: string[]) (before: Graph) (plan: Plan) : string =
        let text = StringBuilder()
        let line (s: string) = text.AppendLine s |> ignore

        let written g =
            let text = StringBuilder()
            write text "    " names g
            text.ToString()

        let traced, simplified = written before, written plan.Graph
        line $"  as traced: {before.Instructions.Length} operations"
        text.Append traced |> ignore

        if simplified = traced then
            line "  simplified: it was as simple as it can be"
        else
            line $"  simplified: {plan.Graph.Instructions.Length} operations"
            text.Append simplified |> ignore

        line $"  {plan.Steps.Length} kernels"
        kernels text "    " plan
        apart text plan
        let arena, live = plan.Layout.ArenaBytes, plan.Layout.LiveBytes

        let layout =
            if arena = live then
                "as few as are alive at once"
            else
                $"{bytes live} are alive at once"

        line
            $"  memory: {bytes plan.Bytes}; the arena is {bytes arena}, {layout}; the rest is single numbers, small inputs and loops"

        text.ToString()

    /// A trace in a few lines: why, for what, and what it holds.
    let private traced (text: StringBuilder) (i: int) (t: Traced) =
        let times = if t.Count > 1 then $" ({t.Count} times)" else ""
        let time = t.Time.ToString("F1", System.Globalization.CultureInfo.InvariantCulture)
        text.AppendLine $"  trace {i + 1}: {t.Cause}{times}; {time} ms" |> ignore
        text.AppendLine $"    {Traced.describe t.Parts}" |> ignore

        for array, size in t.Held do
            text.AppendLine $"    holds {array}, {bytes (int64 size)}, which the function closes over" |> ignore

    /// All of it: the traces, then the programs.
    let report (what: string) (traces: Traced[]) (programs: string[]) : string =
        let text = StringBuilder()
        let s = if traces.Length = 1 then "" else "s"
        text.AppendLine $"{what}, {traces.Length} trace{s}" |> ignore
        Array.iteri (traced text) traces

        programs
        |> Array.iteri (fun i program -> text.AppendLine().AppendLine($"program {i + 1}").Append program |> ignore)

        text.ToString()

    /// Every kernel's median time over a number of runs, in microseconds.
    let profile (plan: Plan) (runs: int) : (string * float)[] =
        let times = plan.Steps |> Array.map (fun _ -> Array.zeroCreate<float> runs)

        for r in 0 .. runs - 1 do
            plan.RefreshViews()

            for i in 0 .. times.Length - 1 do
                let start = Stopwatch.GetTimestamp()
                plan.RunStep i
                times[i][r] <- Stopwatch.GetElapsedTime(start).TotalMicroseconds

        Array.map2 (fun (step: Step) (t: float[]) -> step.Name, (Array.sort t)[runs / 2]) plan.Steps times
