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
/// what is carried lies where the step before it wrote it.
[<Sealed>]
type internal LoopPart
    (
        s: Scan,
        body: Graph,
        whole: Graph,
        division: Rows.Division option,
        first: int,
        passes: Passes,
        shadow: Shadow,
        nested: Nested
    ) =
    let nc, nk = s.Constants, s.Carry
    let carryOut, yOut = Array.splitAt nk body.Outputs
    let writable = Plan.Writable body
    let single v = writable.Contains v && (carryOut |> Array.filter ((=) v)).Length = 1
    // a result that stands twice is written once, and copied to its other place
    let written = yOut |> Array.mapi (fun j v -> writable.Contains v && System.Array.IndexOf(yOut, v) = j)

    /// Where a step writes a carry so that the next one finds it.
    let homes =
        carryOut
        |> Array.mapi (fun i v ->
            match System.Array.IndexOf(yOut, v), System.Array.IndexOf(yOut, nc + i) with
            | j, _ when j >= 0 && written[j] -> Home.Result j
            | -1, j when j >= 0 && single v -> Home.Before j
            | -1, _ when single v -> Home.Buffer
            | _ -> Home.Copy)

    /// Stacked results that are what a carry was before the step: the step before has written them.
    let filled = yOut |> Array.mapi (fun j _ -> homes |> Array.exists (fun home -> home = Home.Before j))

    let plan =
        let own =
            Seq.zip carryOut homes
            |> Seq.filter (fun (_, home) -> home = Home.Buffer || home.IsBefore)
            |> Seq.map fst

        let outside = HashSet(Seq.append own (Seq.zip yOut written |> Seq.filter snd |> Seq.map fst))
        // a copy for each thread: it lies in its own caches
        let still = if s.Length >= Products.StepsWorthPacking then nc else 0
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
    let views first n = Array.init n (fun i -> view (first + i))

    let cutConstants =
        Array.init nc (fun i ->
            match division with
            | Some d when d.ByRow[i] -> view i
            | _ -> null)

    let moving = views (nc + nk) (body.Inputs - nc - nk)
    let results = yOut |> Array.map view
    // a carry is read from one view while the next is written to the other
    let carried = [| views nc nk; views nc nk |]
    let ends = views nc nk

    /// A carry's buffers: a step reads one and writes the other, since what a carry was may be another's next value, or a
    /// result. What lies in a stacked result needs one, for the last step.
    let buffers =
        homes
        |> Array.mapi (fun i home ->
            let own () = plan.Own body.Specs[nc + i]

            match home with
            | Home.Result _ -> [||]
            | Home.Before _ -> Array.create 2 (own ())
            | Home.Copy
            | Home.Buffer -> [| own (); own () |])

    let show (view: StorageView) v = NDArray(body.Specs[v].Shape, view, body.Specs[v].DType)

    let look (view: StorageView) (storage: Storage) t v =
        let struct (bytes, offset) = extent v
        view.Rebase storage
        view.MoveTo(t * bytes + offset)
        show view v

    let move (view: StorageView) t v =
        let struct (bytes, offset) = extent v
        view.MoveTo(t * bytes + offset)

    /// Whether the places of the next step are asked for while this one runs: where all places together do not stay in
    /// the second-level cache, but those of two steps do.
    let asksAhead =
        let step =
            Seq.append (seq { nc + nk .. body.Inputs - 1 }) yOut
            |> Seq.sumBy (fun v -> Memory.bytesOf body.Specs[v])

        step <= 256L * 1024L && step * int64 s.Length > 1024L * 1024L

    // of a debug plan: who should have written what is carried, and each place of what is stacked
    let carriedBy = if isNull shadow then [||] else Array.create<Origin> nk [||]
    let stackedBy = if isNull shadow then null else List<struct (int * int * Origin)>()

    let requireCarried () =
        for i in 0 .. carriedBy.Length - 1 do
            shadow.Require($"carry {i} of a scan", carriedBy[i], plan.Values[nc + i])

    let requireStacked () =
        for struct (j, t, origin) in stackedBy do
            move results[j] t yOut[j]
            shadow.Require($"place {t} of result {j} of a scan", origin, show results[j] yOut[j])

    member _.Plan = plan

    member _.Run(values: NDArray[], arguments: int[], made: int[]) =
        let inline placeOf step = if s.FromEnd then s.Length - 1 - step else step
        let inline stacked j = values[made[nk + j]].Storage

        for i in 0 .. nc - 1 do
            plan.Values[i] <-
                if isNull cutConstants[i] then
                    values[arguments[i]]
                else
                    look cutConstants[i] (values[arguments[i]].Storage) 0 i

        plan.Prepare()

        for i in 0 .. moving.Length - 1 do
            plan.Values[nc + nk + i] <- look moving[i] (values[arguments[nc + nk + i]].Storage) 0 (nc + nk + i)

        for j in 0 .. results.Length - 1 do
            let place = look results[j] (stacked j) 0 yOut[j]

            if written[j] then
                plan.Values[yOut[j]] <- place

        for i in 0 .. nk - 1 do
            plan.Values[nc + i] <- look (carried[1][i]) (values[arguments[nc + i]].Storage) 0 (nc + i)

            match homes[i] with
            | Home.Before j when s.Length > 0 ->
                Shadow.copy shadow (plan.Values[nc + i]) (look results[j] (stacked j) (placeOf 0) yOut[j])
            | _ -> ()

        if not (isNull shadow) then
            stackedBy.Clear()

            for i in 0 .. nk - 1 do
                carriedBy[i] <- shadow.Read plan.Values[nc + i]

        for step in 0 .. s.Length - 1 do
            let t = placeOf step
            let views, buffer = carried[step &&& 1], step &&& 1

            if asksAhead && step < s.Length - 1 then
                let next = placeOf (step + 1)

                for i in 0 .. moving.Length - 1 do
                    move moving[i] next (nc + nk + i)
                    Prefetch.Soon(moving[i], storedBytes body (nc + nk + i))

                for j in 0 .. results.Length - 1 do
                    move results[j] next yOut[j]
                    Prefetch.Soon(results[j], storedBytes body yOut[j])

            for i in 0 .. moving.Length - 1 do
                move moving[i] t (nc + nk + i)

            for j in 0 .. results.Length - 1 do
                move results[j] t yOut[j]

            for i in 0 .. nk - 1 do
                match homes[i] with
                | Home.Before j when step < s.Length - 1 ->
                    plan.Values[carryOut[i]] <- look views[i] (stacked j) (placeOf (step + 1)) (nc + i)
                | Home.Before _
                | Home.Buffer -> plan.Values[carryOut[i]] <- buffers[i][buffer]
                | Home.Result _
                | Home.Copy -> ()

            if not (isNull shadow) then
                requireCarried ()

            plan.Run()

            if not (isNull shadow) then
                carryOut |> Array.iteri (fun i v -> carriedBy[i] <- plan.Origin v)
                yOut |> Array.iteri (fun j v -> stackedBy.Add(struct (j, t, plan.Origin v)))

            if asksAhead then
                Prefetch.Rest()

            for j in 0 .. results.Length - 1 do
                if not written[j] && not filled[j] then
                    Shadow.copy shadow (plan.Values[yOut[j]]) (show results[j] yOut[j])

            // no copy goes where another reads: what was carried lies in the other buffers
            for i in 0 .. nk - 1 do
                if homes[i].IsCopy then
                    Shadow.copy shadow (plan.Values[carryOut[i]]) (buffers[i][buffer])

            for i in 0 .. nk - 1 do
                plan.Values[nc + i] <-
                    match homes[i] with
                    | Home.Result j -> look views[i] (stacked j) t (nc + i)
                    | Home.Before _
                    | Home.Buffer -> plan.Values[carryOut[i]]
                    | Home.Copy -> buffers[i][buffer]

        if not (isNull shadow) then
            requireCarried ()
            requireStacked ()

        for i in 0 .. nk - 1 do
            Shadow.copy shadow (plan.Values[nc + i]) (look ends[i] (values[made[i]].Storage) 0 (nc + i))
