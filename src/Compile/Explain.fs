namespace Functional.Compile

// What a program is made of, in words: for the reader who wonders where the time goes.

open System
open System.Diagnostics
open System.Text
open Functional
open Functional.Operations

/// A graph or a plan as text.
[<RequireQualifiedAccess>]
module internal Explain =

    let private showSpec (s: Spec) = $"{s.DType} {Shape.show s.Shape}"

    let private nameOf (instruction: Instruction) =
        match instruction with
        | Constant c -> if isNull c.Storage then $"constant {Kernels.Printing.Print c}" else "constant"
        | Apply(op, _, _, _) -> Shapes.name op
        | ApplyMany(op, _, _) ->
            match op with
            | Concat _ -> "concat"
            | Split _ -> "split"
            | Linear op -> (string op).ToLowerInvariant()
            | Scan s -> $"scan of {s.Length} steps, {s.Body.Instructions.Length} operations each"
            | Cond _ -> "cond"
            | While _ -> "while"
            | Call _ -> "call"
            | Custom e -> e.Name

    let private details (instruction: Instruction) =
        match instruction with
        | Apply(op, _, _, _) ->
            match op with
            | MatMul(ta, tb) -> (if ta then " aᵀ" else "") + (if tb then " bᵀ" else "")
            | Reduce(_, axes, _)
            | SumProduct(axes, _) -> $" over {Shape.show axes}"
            | AddScaled s -> $" {s}"
            | _ -> ""
        | Constant _
        | ApplyMany _ -> ""

    /// One line an instruction: value = operation operands : shape.
    let graph (g: Graph) : string =
        let text = StringBuilder()

        for i in 0 .. g.Inputs - 1 do
            text.AppendLine $"  %%{i} = input : {showSpec g.Specs[i]}" |> ignore

        let firsts = Graphs.firsts g

        g.Instructions
        |> Array.iteri (fun k instruction ->
            let first, count = firsts[k], Graphs.results instruction
            let made = [ for r in first .. first + count - 1 -> $"%%{r}" ] |> String.concat ", "
            let read = Graphs.arguments instruction |> Array.map (fun a -> $"%%{a}") |> String.concat " "
            let specs = [ for r in first .. first + count - 1 -> showSpec g.Specs[r] ] |> String.concat ", "
            text.AppendLine $"  {made} = {nameOf instruction}{details instruction} {read} : {specs}" |> ignore)

        let outputs = g.Outputs |> Array.map (fun v -> $"%%{v}") |> String.concat " "
        text.AppendLine $"  return {outputs}" |> ignore
        text.ToString()

    /// The graph as Mermaid, kernels as boxes around their operations.
    let mermaid (g: Graph) (schedule: Fuse.Schedule) : string =
        let text = StringBuilder("flowchart TD\n")
        let line (s: string) = text.Append("  ").AppendLine s |> ignore

        for i in 0 .. g.Inputs - 1 do
            line $"v{i}([input {showSpec g.Specs[i]}])"

        let describe k =
            let first = schedule.Firsts[k]
            line $"v{first}[\"{nameOf g.Instructions[k]} {showSpec g.Specs[first]}\"]"

        schedule.Kernels
        |> Array.iteri (fun i kernel ->
            if kernel.Instructions.Length > 1 then
                line $"subgraph k{i}[kernel {i}]"
                Array.iter describe kernel.Instructions
                line "end"
            else
                describe kernel.Instructions[0])

        let owner = Array.init g.Specs.Length id

        g.Instructions
        |> Array.iteri (fun k instruction ->
            for r in schedule.Firsts[k] .. schedule.Firsts[k] + Graphs.results instruction - 1 do
                owner[r] <- schedule.Firsts[k]

            match instruction with
            | Apply(Reshape _, _, _, _) -> describe k
            | Constant c when not (isNull c.Storage) -> describe k
            | _ -> ())

        g.Instructions
        |> Array.iteri (fun k instruction ->
            for a in Graphs.arguments instruction do
                let inlineConstant =
                    a >= g.Inputs
                    && (match Array.tryFindIndex ((=) a) schedule.Firsts with
                        | Some j ->
                            match g.Instructions[j] with
                            | Constant c -> isNull c.Storage
                            | Apply _
                            | ApplyMany _ -> false
                        | None -> false)

                if not inlineConstant then
                    line $"v{owner[a]} --> v{schedule.Firsts[k]}")

        text.ToString()

    /// The kernels of a plan: what each is made of, and where its result lies.
    let kernels (plan: Plan) : string =
        let text = StringBuilder()
        let g = plan.Graph

        plan.Schedule.Kernels
        |> Array.iteri (fun i kernel ->
            let place v =
                match plan.Layout.Places[v] with
                | Memory.Place.Arena offset -> $"%%{v} at {offset}"
                | Memory.Place.Outside -> $"%%{v} outside"
                | Memory.Place.Constant -> $"%%{v} constant"
                | Memory.Place.Nowhere -> $"%%{v}"

            let names = kernel.Instructions |> Array.map (fun k -> nameOf g.Instructions[k]) |> String.concat " + "
            let reads = plan.Layout.Reads[i] |> Array.map place |> String.concat ", "
            let writes = plan.Layout.Writes[i] |> Array.map place |> String.concat ", "
            text.AppendLine $"  {i}: {names}" |> ignore
            text.AppendLine $"     reads {reads}; writes {writes}" |> ignore)

        text.ToString()

    /// Every kernel's median time over a number of runs, in microseconds.
    let profile (plan: Plan) (runs: int) : (string * float)[] =
        let times = plan.Steps |> Array.map (fun _ -> Array.zeroCreate<float> runs)

        for r in 0 .. runs - 1 do
            plan.RefreshViews()

            plan.Steps
            |> Array.iteri (fun i step ->
                let start = Stopwatch.GetTimestamp()
                step.Run plan.Values
                times[i][r] <- Stopwatch.GetElapsedTime(start).TotalMicroseconds)

        Array.map2 (fun (step: Step) (t: float[]) -> step.Name, (Array.sort t)[runs / 2]) plan.Steps times
