namespace Functional.Plans

// Loops of known length: where what is carried and stacked lies, step by step.

open System.Collections.Generic
open Functional
open Functional.Kernels
open Functional.Operations
open Functional.Rewrites

/// Where a step of a loop writes what it carries.
[<Struct; RequireQualifiedAccess>]
type internal Home =
    /// In its place of a stacked result that it is as well.
    | Result of result: int
    /// In the next place of a stacked result, which is what the carry was before each step.
    | Before of before: int
    /// In a buffer of the loop's own.
    | Buffer
    /// Wherever it is made; it is copied to a buffer.
    | Copy

/// A scan, or the rows of it from `first` on: the body's inputs and outputs look at the stacked arrays and move along them;
/// what is carried lies where the step before it wrote it. `arguments` and `made` are where the outer plan has what goes in
/// and what comes out.
[<Sealed>]
type internal LoopPart
    (
        s: Scan,
        arguments: Sections<int>,
        made: Sections<int>,
        body: Graph,
        whole: Graph,
        division: Rows.Division option,
        first: int,
        passes: Passes,
        shadow: Shadow,
        nested: Nested
    ) =
    // the body's inputs and results, values of its plan
    let inputs = s.Inputs [| 0 .. body.Inputs - 1 |]
    let outs = s.Results body.Outputs
    let writable = Plan.Writable body
    let single v = writable.Contains v && (outs.Carry |> Array.filter ((=) v)).Length = 1

    // a result that stands twice is written once, and copied to its other place
    let written =
        outs.Stacked
        |> Array.mapi (fun j v -> writable.Contains v && System.Array.IndexOf(outs.Stacked, v) = j)

    /// Where a step writes a carry so that the next one finds it.
    let homes =
        outs.Carry
        |> Array.mapi (fun i v ->
            match System.Array.IndexOf(outs.Stacked, v), System.Array.IndexOf(outs.Stacked, inputs.Carry[i]) with
            | j, _ when j >= 0 && written[j] -> Home.Result j
            | -1, j when j >= 0 && single v -> Home.Before j
            | -1, _ when single v -> Home.Buffer
            | _ -> Home.Copy)

    /// Stacked results that are what a carry was before the step: the step before has written them.
    let filled =
        outs.Stacked |> Array.mapi (fun j _ -> homes |> Array.exists (fun home -> home = Home.Before j))

    let plan =
        let own =
            Seq.zip outs.Carry homes
            |> Seq.filter (fun (_, home) -> home = Home.Buffer || home.IsBefore)
            |> Seq.map fst

        let outside = HashSet(Seq.append own (Seq.zip outs.Stacked written |> Seq.filter snd |> Seq.map fst))
        // a copy for each thread: it lies in its own caches
        let still = if s.Length >= Products.StepsWorthPacking then s.Constants else 0
        Plan(body, Schedule.make passes body, outside, passes, still, shadow, nested)

    // all places of a value, one behind another, are one array: its bytes and every offset in it fit in 32 bits
    let storedBytes (g: Graph) v = Memory.stored "scan" g.Specs[v]

    /// Bytes of one place of a value in the whole loop, and of the rows before the first of this part.
    let extent v =
        let bytes = storedBytes whole v

        match division with
        | Some d when d.ByRow[v] -> struct (bytes, bytes / d.Batch * first)
        | _ -> struct (bytes, 0)

    let view v = StorageView.Nowhere(storedBytes body v)

    let cutConstants =
        inputs.Constants
        |> Array.map (fun v ->
            match division with
            | Some d when d.ByRow[v] -> view v
            | _ -> null)

    let moving = Array.map view inputs.Stacked
    let results = Array.map view outs.Stacked
    // a carry is read from one view while the next is written to the other
    let carried = Array.init 2 (fun _ -> Array.map view inputs.Carry)
    let ends = Array.map view inputs.Carry

    /// A carry's buffers: a step reads one and writes the other, since what a carry was may be another's next value, or a
    /// result. What lies in a stacked result needs one, for the last step.
    let buffers =
        homes
        |> Array.mapi (fun i home ->
            let own () = plan.Own body.Specs[inputs.Carry[i]]

            match home with
            | Home.Result _ -> [||]
            | Home.Before _ -> Array.create 2 (own ())
            | Home.Copy
            | Home.Buffer -> [| own (); own () |])

    let show (view: StorageView) v = NDArray(body.Specs[v].Shape, view, body.Specs[v].DType)

    let move (view: StorageView) t v =
        let struct (bytes, offset) = extent v
        view.MoveTo(t * bytes + offset)

    let look (view: StorageView) (x: NDArray) t v =
        view.Rebase x.Storage
        move view t v
        show view v

    /// All that moves, at a place.
    let moveTo t =
        for i in 0 .. moving.Length - 1 do
            move moving[i] t inputs.Stacked[i]

        for j in 0 .. results.Length - 1 do
            move results[j] t outs.Stacked[j]

    /// Whether the places of the next step are asked for while this one runs: where all places together do not stay in
    /// the second-level cache, but those of two steps do.
    let asksAhead =
        let step = Seq.append inputs.Stacked outs.Stacked |> Seq.sumBy (fun v -> Memory.bytesOf body.Specs[v])

        step <= 256L * 1024L && step * int64 s.Length > 1024L * 1024L

    let askFor t =
        moveTo t

        for i in 0 .. moving.Length - 1 do
            Prefetch.Soon(moving[i], storedBytes body inputs.Stacked[i])

        for j in 0 .. results.Length - 1 do
            Prefetch.Soon(results[j], storedBytes body outs.Stacked[j])

    let placeOf step = if s.FromEnd then s.Length - 1 - step else step

    /// Everything in place for the first step.
    let start (values: NDArray[]) =
        for i in 0 .. cutConstants.Length - 1 do
            let v, x = inputs.Constants[i], values[arguments.Constants[i]]
            plan.Put(v, (if isNull cutConstants[i] then x else look cutConstants[i] x 0 v))

        plan.Prepare()

        for i in 0 .. moving.Length - 1 do
            let v = inputs.Stacked[i]
            plan.Put(v, look moving[i] values[arguments.Stacked[i]] 0 v)

        for j in 0 .. results.Length - 1 do
            let v = outs.Stacked[j]
            let place = look results[j] values[made.Stacked[j]] 0 v

            if written[j] then
                plan.Put(v, place)

        for i in 0 .. homes.Length - 1 do
            let v = inputs.Carry[i]
            plan.Put(v, look (carried[1][i]) values[arguments.Carry[i]] 0 v)

            match homes[i] with
            | Home.Before j when s.Length > 0 ->
                Shadow.copy shadow plan[v] (look results[j] values[made.Stacked[j]] (placeOf 0) outs.Stacked[j])
            | Home.Before _
            | Home.Result _
            | Home.Buffer
            | Home.Copy -> ()

    /// Where a step writes what it carries.
    let placeCarry (values: NDArray[]) step =
        for i in 0 .. homes.Length - 1 do
            match homes[i] with
            | Home.Before j when step < s.Length - 1 ->
                let next = look (carried[step &&& 1][i]) values[made.Stacked[j]] (placeOf (step + 1)) inputs.Carry[i]
                plan.Put(outs.Carry[i], next)
            | Home.Before _
            | Home.Buffer -> plan.Put(outs.Carry[i], buffers[i][step &&& 1])
            | Home.Result _
            | Home.Copy -> ()

    /// What a step made, where it shall lie, and what it carries as the next one's input.
    let handOn (values: NDArray[]) step =
        for j in 0 .. results.Length - 1 do
            if not written[j] && not filled[j] then
                Shadow.copy shadow plan[outs.Stacked[j]] (show results[j] outs.Stacked[j])

        // no copy goes where another reads: what was carried lies in the other buffers
        for i in 0 .. homes.Length - 1 do
            if homes[i].IsCopy then
                Shadow.copy shadow plan[outs.Carry[i]] (buffers[i][step &&& 1])

        for i in 0 .. homes.Length - 1 do
            let v = inputs.Carry[i]

            match homes[i] with
            | Home.Result j -> plan.Put(v, look (carried[step &&& 1][i]) values[made.Stacked[j]] (placeOf step) v)
            | Home.Before _
            | Home.Buffer -> plan.Put(v, plan[outs.Carry[i]])
            | Home.Copy -> plan.Put(v, buffers[i][step &&& 1])

    // of a debug plan: who should have written what is carried, and each place of what is stacked
    let carriedBy = if isNull shadow then [||] else Array.create<Origin> homes.Length [||]
    let stackedBy = if isNull shadow then null else List<struct (int * int * Origin)>()

    let noteGiven () =
        stackedBy.Clear()

        for i in 0 .. carriedBy.Length - 1 do
            carriedBy[i] <- shadow.Read plan[inputs.Carry[i]]

    let noteMade step =
        outs.Carry |> Array.iteri (fun i v -> carriedBy[i] <- plan.Origin v)
        outs.Stacked |> Array.iteri (fun j v -> stackedBy.Add(struct (j, placeOf step, plan.Origin v)))

    let requireCarried () =
        for i in 0 .. carriedBy.Length - 1 do
            shadow.Require($"carry {i} of a scan", carriedBy[i], plan[inputs.Carry[i]])

    let requireStacked () =
        for struct (j, t, origin) in stackedBy do
            move results[j] t outs.Stacked[j]
            shadow.Require($"place {t} of result {j} of a scan", origin, show results[j] outs.Stacked[j])

    member _.Plan = plan

    member _.Run(values: NDArray[]) =
        start values

        if not (isNull shadow) then
            noteGiven ()

        for step in 0 .. s.Length - 1 do
            if asksAhead && step < s.Length - 1 then
                askFor (placeOf (step + 1))

            moveTo (placeOf step)
            placeCarry values step

            if not (isNull shadow) then
                requireCarried ()

            plan.Run()

            if not (isNull shadow) then
                noteMade step

            if asksAhead then
                Prefetch.Rest()

            handOn values step

        if not (isNull shadow) then
            requireCarried ()
            requireStacked ()

        for i in 0 .. homes.Length - 1 do
            let v = inputs.Carry[i]
            Shadow.copy shadow plan[v] (look ends[i] values[made.Carry[i]] 0 v)
