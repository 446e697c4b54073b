/// Regions: the operations of a step that treat every example by itself (a network forward, and backward down to its
/// inputs), gathered into one loop, which `Plan` runs in parts by rows. Each thread then goes through the whole region
/// with its rows, instead of meeting the others after every kernel. The loop has a single step, or, where what lies
/// between the kernels does not stay in the caches, one for every slice of the batch. No bit changes by either.
[<RequireQualifiedAccess>]
module internal Functional.Rewrites.Regions

open System.Collections.Generic
open Functional
open Functional.Operations

/// What is worth gathering for several threads: some products, so that a meeting is saved; enough work to share; and
/// products so small that a meeting, a microsecond or two, counts beside them. Of larger ones every kernel is better
/// shared by itself: what a region hands on lies in memory until it is done, all at once.
let private worthwhile (products: int) (nanoseconds: float) =
    products >= 2 && nanoseconds >= 20_000.0 && nanoseconds / float products <= 200_000.0

/// What a slice of the batch makes on its way through a region stays in the caches up to about so many bytes. Measured on
/// digits through two convolutions, 29 MB: 18.3 ms a step in one piece, 17.1 in 4 slices, 17.0 in 8, 17.6 in 16.
let private sliceBytes = 4 <<< 20

/// Whether a loop is a region of one slice.
let isRegion (s: Scan) = s.Length = 1 && s.Carry = 0

let private firstSize (g: Graph) v = if g.Specs[v].Shape.Length = 0 then -1 else g.Specs[v].Shape[0]

/// How many rows most of the arithmetic goes by.
let private batch (g: Graph) (firsts: int[]) : int voption =
    let work = Dictionary<int, float>()

    for k in 0 .. firsts.Length - 1 do
        match Rows.leading g g.Instructions[k] with
        | ValueSome a when firstSize g a > 1 ->
            let rows = firstSize g a
            let known, sofar = work.TryGetValue rows
            work[rows] <- (if known then sofar else 0.0) + Rows.costOf g g.Instructions[k] firsts[k]
        | _ -> ()

    let mutable best = ValueNone

    for KeyValue(rows, cost) in work do
        match best with
        | ValueSome other when struct (work[other], other) > struct (cost, rows) -> ()
        | _ -> best <- ValueSome rows

    best

/// Which instructions are in the region, the values it reads row by row, and those it reads whole.
type private Region = { Inside: bool[]; Cut: HashSet<int>; Whole: HashSet<int>; After: bool[] }

/// All that follows by rows from what products are applied to.
let private grow (g: Graph) (firsts: int[]) (rows: int) : Region =
    let inside = Array.create firsts.Length false
    let made, after = Array.create g.Specs.Length false, Array.create g.Specs.Length false
    let cut, whole = HashSet<int>(), HashSet<int>()
    let maker = Graphs.makers g firsts

    /// What a broadcast spreads, and a number, come into the region with what reads them.
    let spreads v =
        match (if maker[v] < 0 then ValueNone else ValueSome g.Instructions[maker[v]]) with
        | ValueSome(Apply(Broadcast shape, x, _, _)) when
            not made[x] && not (cut.Contains x) && (g.Specs[x].Shape.Length < shape.Length || firstSize g x = 1)
            ->
            ValueSome x
        | _ -> ValueNone

    let isNumber v = maker[v] >= 0 && g.Instructions[maker[v]].IsConstant && g.Specs[v].Shape.Length = 0

    for k in 0 .. firsts.Length - 1 do
        let instruction, y = g.Instructions[k], firsts[k]
        let read = Graphs.arguments instruction
        let last = y + Graphs.results instruction - 1
        let wanted = HashSet<int>()

        match Rows.leading g instruction with
        | ValueSome a when firstSize g a = rows && not made[a] -> wanted.Add a |> ignore
        | _ -> ()

        let isCut v = made[v] || cut.Contains v || wanted.Contains v

        let mutable separate =
            not (Array.exists (fun v -> after[v]) read)
            && Array.exists isCut read
            && (let require v = wanted.Add v |> ignore

                match instruction with
                | Apply(op, a, b, c) -> Rows.separates g isCut require op a b c y
                | ApplyMany(op, arguments, _) -> Rows.separatesMany isCut require op arguments
                | Constant _ -> false)

        for v in wanted do
            separate <- separate && firstSize g v = rows && not (whole.Contains v)

        for r in y..last do
            separate <- separate && firstSize g r = rows

        if separate then
            inside[k] <- true

            for v in read do
                if not made[v] && not (isNumber v) then
                    match (if wanted.Contains v then spreads v else ValueNone) with
                    | ValueSome x ->
                        (if not (isNumber x) then
                             whole.Add x |> ignore)
                    | ValueNone -> (if isCut v then cut else whole).Add v |> ignore

            for r in y..last do
                made[r] <- true
        elif read |> Array.exists (fun v -> made[v] || after[v]) then
            for r in y..last do
                after[r] <- true

    { Inside = inside; Cut = cut; Whole = whole; After = after }

/// Into how many slices of the batch a region is cut: as few as let a slice stay in the caches, equally large, with rows
/// enough for every thread; and not so many that reading the weights again for each is more than what stays.
let private slices (threads: int) (g: Graph) (firsts: int[]) (rows: int) (region: Region) : int =
    let bytesOf v = Kernels.ArraySize.Bytes(g.Specs[v].Shape, g.Specs[v].DType)
    let isRead = Array.create g.Specs.Length false

    for k in 0 .. firsts.Length - 1 do
        if region.Inside[k] then
            for v in Graphs.arguments g.Instructions[k] do
                isRead[v] <- true

    // what is only handed on goes through the caches in any case
    let mutable made = 0L

    for k in 0 .. firsts.Length - 1 do
        if region.Inside[k] && not (Graphs.isView g.Instructions[k]) then
            for r in Graphs.made g firsts k do
                if isRead[r] then
                    made <- made + bytesOf r

    let mutable read = 0L

    for v in region.Whole do
        read <- read + bytesOf v

    let mutable best = 1

    if made > int64 sliceBytes then
        for n in 2 .. rows / (4 * max 2 threads) do
            let isEnough = made / int64 best <= int64 sliceBytes

            if not isEnough && rows % n = 0 && int64 n * read <= made then
                best <- n

    best

/// Whether an instruction of the region is a view: outside it is made again of what it looks at.
let private isView (g: Graph) (region: Region) k = region.Inside[k] && Graphs.isView g.Instructions[k]

/// Which values the graph around the region needs.
let private needed (g: Graph) (firsts: int[]) (region: Region) : bool[] =
    let needed = Array.create g.Specs.Length false

    for v in g.Outputs do
        needed[v] <- true

    for k in firsts.Length - 1 .. -1 .. 0 do
        if not region.Inside[k] || (isView g region k && needed[firsts[k]]) then
            for v in Graphs.arguments g.Instructions[k] do
                needed[v] <- true

    needed

/// The region's body for one slice, and how many there are: one, where it does not go by rows.
let private bodyOf (g: Graph) (rows: int) (region: Region) (slices: int) (results: int[]) : struct (int * Graph) =
    let whole = region.Whole.Count
    let body = Graphs.extract g (Array.append (Seq.toArray region.Whole) (Seq.toArray region.Cut)) results

    match Rows.divide body whole with
    | Some d when slices > 1 && not (Array.contains true d.ByRow[.. whole - 1]) ->
        struct (slices, Rows.narrow body d (rows / slices))
    | _ -> struct (1, body)

/// A graph that is being written again, value by value, under new numbers.
[<Sealed>]
type private Copy(g: Graph, firsts: int[]) =
    let specs = List<Spec>(g.InputSpecs)
    let instructions = List<Instruction>()
    let number = Array.init g.Specs.Length (fun v -> if v < g.Inputs then v else -1)

    /// The new number of a value.
    member _.Item
        with get v = number[v]
        and set v n = number[v] <- n

    /// Adds an instruction of what is new, and gives the number of its first result.
    member _.Add(instruction: Instruction, made: Spec[]) : int =
        instructions.Add instruction
        specs.AddRange made
        specs.Count - made.Length

    /// An instruction as it was.
    member c.Keep(k: int) =
        let made = Graphs.made g firsts k

        let first =
            c.Add(Graphs.renumber (fun v -> number[v]) g.Instructions[k], made |> Array.map (fun v -> g.Specs[v]))

        made |> Array.iteri (fun i v -> number[v] <- first + i)

    /// A new value under another shape.
    member c.View(shape: int[], v: int) : int =
        c.Add(Apply(Reshape shape, v, -1, -1), [| { specs[v] with Shape = shape } |])

    /// What of it the outputs need.
    member _.Graph =
        Graph(g.Inputs, instructions.ToArray(), specs.ToArray(), g.Outputs |> Array.map (fun v -> number[v]))
        |> Graphs.live

/// The graph with a region as one loop over slices of the batch.
let private gathered (g: Graph) (firsts: int[]) (rows: int) (region: Region) (slices: int) : Graph =
    let needed = needed g firsts region
    let instructions = [| 0 .. firsts.Length - 1 |]

    let results =
        instructions
        |> Array.filter (fun k -> region.Inside[k] && not (isView g region k))
        |> Array.collect (Graphs.made g firsts)
        |> Array.filter (fun v -> needed[v])

    let struct (slices, body) = bodyOf g rows region slices results
    let sliced v = Array.append [| slices; rows / slices |] g.Specs[v].Shape[1..]
    let copy = Copy(g, firsts)

    for k in instructions do
        if not region.Inside[k] && not region.After[firsts[k]] then
            copy.Keep k

    let loop = {
        Body = body
        Constants = region.Whole.Count
        Carry = 0
        Length = slices
        FromEnd = false
    }

    let arguments = [|
        for v in region.Whole do
            copy[v]

        for v in region.Cut do
            copy.View(sliced v, copy[v])
    |]

    let made = results |> Array.map (fun v -> { g.Specs[v] with Shape = sliced v })
    let first = copy.Add(ApplyMany(Scan loop, arguments, results.Length), made)
    results |> Array.iteri (fun i v -> copy[v] <- copy.View(g.Specs[v].Shape, first + i))

    for k in instructions do
        if (not region.Inside[k] && region.After[firsts[k]]) || (isView g region k && needed[firsts[k]]) then
            copy.Keep k

    copy.Graph

/// The graph with its regions gathered. One thread meets nobody, but has caches, too.
let rec gather (threads: int) (g: Graph) : Graph =
    let firsts = Graphs.firsts g

    match batch g firsts with
    | ValueNone -> g
    | ValueSome rows ->
        let region = grow g firsts rows
        let inside = [| 0 .. firsts.Length - 1 |] |> Array.filter (fun k -> region.Inside[k])
        let products = inside |> Array.filter (fun k -> (Rows.leading g g.Instructions[k]).IsSome)
        let cost = inside |> Array.sumBy (fun k -> Rows.costOf g g.Instructions[k] firsts[k])
        let slices = slices threads g firsts rows region

        if slices > 1 || (threads > 1 && worthwhile products.Length cost) then
            gather threads (gathered g firsts rows region slices)
        else
            g

/// Whether something is computed twice to save memory, which regions would take again: such values have names of their
/// own, views of the whole (`Simplify`).
let private isSparing (g: Graph) =
    g.Instructions
    |> Array.exists (fun instruction ->
        match instruction with
        | Apply(Reshape shape, a, _, _) -> Shape.same shape g.Specs[a].Shape
        | Apply _
        | ApplyMany _
        | Constant _ -> false)

/// The pass: the graph with its regions gathered, unless it spares memory.
let graph (g: Graph) : Graph = if isSparing g then g else gather Kernels.Workers.Count g
