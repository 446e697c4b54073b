/// The second pass: which operations run as one kernel. Elementwise operations over the same elements join into one run
/// over memory, which sums up what is summed of it; a matrix product takes along what is added to it; everything else is a
/// kernel of its own; a reshape is no kernel at all.
[<RequireQualifiedAccess>]
module internal Functional.Compile.Fuse

open System.Collections.Generic
open Functional
open Functional.Kernels
open Functional.Operations

/// A kernel: instructions of the graph in the order they run. Views (reshapes) belong to no kernel.
[<Sealed>]
type Kernel(body: int[], elementwise: bool, before: Sums.Sum[], after: Sums.Sum[]) =
    member val Instructions =
        Array.concat [ Array.collect Sums.instructions before; body; Array.collect Sums.instructions after ]

    member _.Elementwise = elementwise
    /// The instructions that go element by element; all of a kernel of another kind.
    member _.Body = body
    /// What an elementwise kernel sums up of others' elements, block by block, before it may write over them.
    member _.Before = before
    /// What it sums up of elements that it makes.
    member _.After = after
    member val Sums = Array.append before after

/// Why an elementwise operation did not join the kernel that makes one of its operands.
[<RequireQualifiedAccess>]
type Obstacle =
    /// What it needs of that kernel is made by something else: a product, a reduction, a loop.
    | OtherKind
    /// That kernel runs over other elements.
    | OtherShape of int[]
    /// That kernel has as many operations as it can hold.
    | Full
    /// One is code on single numbers, the other is not.
    | SingleNumbers
    /// Its operands repeat along rows of another length than those of that kernel.
    | OtherRows
    /// It needs another kernel that waits for that one.
    | Waits
    /// An operand repeats along inner axes and has to be spread out first.
    | Spread
    /// Its rows are too long to be summed up on the way.
    | LongRows
    /// Threads share that kernel, and a sum has an order.
    | Shared

/// Where a value lies in rows of a wider one: its first column, and the columns of the whole.
[<Struct>]
type Window = { Offset: int; Width: int }

/// The graph's kernels in the order they run, and for every value the one whose memory it looks at; for those that are
/// some columns of it, which.
type Schedule = {
    Kernels: Kernel[]
    Root: int[]
    Windows: Window voption[]
    Firsts: int[]
    /// Instructions that stayed out of a kernel, given by its place: what was not fused, and why.
    Apart: struct (int * int * Obstacle)[]
}

/// Rows and columns as which a fused run can see an operand of this shape beside a result of that one.
[<RequireQualifiedAccess>]
type Lie =
    | Full
    | Scalar
    /// A trailing part: the same for all rows of so many columns.
    | Row of columns: int
    /// A leading part: the same for all columns, so many of them.
    | Column of columns: int
    /// None of these: the operand has to be spread out first.
    | Other

let lie (operand: int[]) (result: int[]) : Lie =
    if Shape.same operand result then
        Lie.Full
    elif Shape.size operand = 1 then
        Lie.Scalar
    else
        let rank = result.Length
        let at i = if i < rank - operand.Length then 1 else operand[i - (rank - operand.Length)]
        // leading ones, and trailing ones, where the result has more
        let mutable lead = 0

        while lead < rank && at lead = 1 do
            lead <- lead + 1

        let mutable trail = rank

        while trail > 0 && at (trail - 1) = 1 do
            trail <- trail - 1

        let whole lo hi = Seq.forall (fun i -> at i = result[i]) (seq { lo .. hi - 1 })
        let size lo hi = Seq.fold (fun n i -> n * result[i]) 1 (seq { lo .. hi - 1 })

        if lead > 0 && whole lead rank then Lie.Row(size lead rank)
        elif trail < rank && whole 0 trail then Lie.Column(size trail rank)
        else Lie.Other

let private isElementwise instruction =
    match instruction with
    | Apply(op, _, _, _) -> (Facts.fusion op).IsElementwise
    | ApplyMany _
    | Constant _ -> false

/// A product of sums of one term: a column by a row, of floats, perhaps with another row added.
let private isOuter (g: Graph) (firsts: int[]) k =
    match g.Instructions[k] with
    | Apply((MatMul(false, false) | Dense), a, b, _) when
        g.Specs[b].Shape.Length = 2 && g.Specs[b].Shape[0] = 1 && g.Specs[a].DType.IsFloat()
        ->
        let result = g.Specs[firsts[k]].Shape
        let columns = Array.last result

        columns > 1
        && lie g.Specs[a].Shape result = Lie.Column columns
        && lie g.Specs[b].Shape result = Lie.Row columns
    | Apply _
    | ApplyMany _
    | Constant _ -> false

let private elementwise (g: Graph) firsts k =
    let result = g.Specs[(firsts: int[])[k]].Shape

    isOuter g firsts k
    || (isElementwise g.Instructions[k]
        && Graphs.arguments g.Instructions[k]
           |> Array.forall (fun v -> lie g.Specs[v].Shape result <> Lie.Other))

/// More operations than this in one kernel and its registers leave the cache; code on single numbers has no such limit.
let private largest = 24

/// Whether a kernel of operations like this one is straight-line code on single floats.
let isScalar (g: Graph) (firsts: int[]) k =
    let single v = g.Specs[v].Shape.Length = 0 && g.Specs[v].DType <> DType.Int32 && g.Specs[v].DType <> DType.Int64

    single firsts[k]
    && g.Specs[(Graphs.arguments g.Instructions[k])[0]].DType <> DType.Int32
    && Graphs.arguments g.Instructions[k] |> Array.forall single
    && (match g.Instructions[k] with
        | Apply((Unary _ | Binary _ | Select | AddScaled _), _, _, _) -> g.Specs[firsts[k]].DType.IsFloat()
        | Apply(Compare _, a, _, _) -> g.Specs[a].DType.IsFloat()
        | Apply(Cast _, a, _, _) -> g.Specs[a].DType.IsFloat() && g.Specs[firsts[k]].DType.IsFloat()
        | Apply _
        | ApplyMany _
        | Constant _ -> false)

/// The columns that the result and all operands of an operation agree on; None if they do not.
let private columns (g: Graph) firsts (windows: Window voption[]) k (sofar: int option) : int option voption =
    let y = (firsts: int[])[k]
    let result = g.Specs[y].Shape
    let mutable agreed = ValueSome sofar

    let want n =
        match agreed with
        | ValueSome None -> agreed <- ValueSome(Some n)
        | ValueSome(Some m) when n <> m -> agreed <- ValueNone
        | _ -> ()

    if windows[y].IsSome then
        want (Array.last result)

    for v in Graphs.arguments g.Instructions[k] do
        match lie g.Specs[v].Shape result with
        | Lie.Row n
        | Lie.Column n -> want n
        | Lie.Full when windows[v].IsSome -> want (Array.last result)
        | _ -> ()

    agreed

/// Values that need no memory of their own: columns cut from a wider value, and columns of which a wider one is put
/// together, where only elementwise kernels read and make them. Fills in `root`, too.
let private windows (g: Graph) (firsts: int[]) (root: int[]) : Window voption[] =
    let found = Array.create g.Specs.Length ValueNone
    let readers = Array.init g.Specs.Length (fun _ -> List<int>())
    let maker = Array.create g.Specs.Length -1
    let kept = HashSet<int> g.Outputs

    g.Instructions
    |> Array.iteri (fun k instruction ->
        for v in Graphs.arguments instruction do
            readers[v].Add k

        if elementwise g firsts k then
            maker[firsts[k]] <- k)

    let joinsColumns k =
        match g.Instructions[k] with
        | ApplyMany(Concat axis, _, _) -> axis = g.Specs[firsts[k]].Shape.Length - 1
        | Constant _
        | Apply _
        | ApplyMany _ -> false

    /// Whether all readers, and the maker, can work with `v` as such a window.
    let fits v (window: Window) =
        found[v] <- ValueSome window
        let shape = g.Specs[v].Shape

        let works k =
            joinsColumns k
            || (elementwise g firsts k
                && Shape.same g.Specs[firsts[k]].Shape shape
                && (columns g firsts found k None).IsSome)

        let all = not (kept.Contains v) && Seq.forall works readers[v] && (maker[v] < 0 || works maker[v])

        if not all then
            found[v] <- ValueNone

        all

    g.Instructions
    |> Array.iteri (fun k instruction ->
        match instruction with
        | Apply(Slice(starts, lengths, steps), x, _, _) ->
            let whole = g.Specs[x].Shape
            let last = whole.Length - 1

            if
                last >= 0
                && steps[last] = 1
                && Seq.forall (fun i -> lengths[i] = whole[i]) (seq { 0 .. last - 1 })
                && Shape.size whole > 0
            then
                fits firsts[k] { Offset = starts[last]; Width = whole[last] } |> ignore
        | ApplyMany(Concat axis, parts, _) when joinsColumns k ->
            let y = firsts[k]
            let mutable offset = 0

            for v in parts do
                if
                    maker[v] >= 0
                    && found[v].IsNone
                    && (parts |> Array.filter ((=) v)).Length = 1
                    && fits v { Offset = offset; Width = g.Specs[y].Shape[axis] }
                then
                    root[v] <- y

                offset <- offset + g.Specs[v].Shape[axis]
        | Apply _
        | ApplyMany _
        | Constant _ -> ())

    found

[<Sealed>]
type private Group(id: int, shape: int[]) =
    member _.Id = id
    member _.Shape = shape
    member val Members = List<int>()
    member val Columns: int option = None with get, set
    member val Elementwise = false with get, set
    member val Sums = List<Sums.Sum>()
    /// A product and what is added to it: complete.
    member val Sum = false with get, set
    /// Groups this one needs, directly.
    member val Needs = HashSet<int>()
    /// The kernel that took this one in.
    member val PartOf: Group option = None with get, set

/// Which passes run, so that a benchmark can show what each of them buys.
type Passes = {
    /// Elementwise operations over the same elements are one kernel.
    Fuse: bool
    /// Elementwise kernels sum up what is summed of them.
    Sums: bool
    /// What is added to a matrix product is added by the product's kernel.
    Products: bool
    /// Values whose lives do not overlap share memory.
    Share: bool
    /// What treats every example by itself is run by rows: each thread does all of it for a part of the batch.
    Rows: bool
    /// Weights that the steps of a loop share are copied once a run into the order in which products read them.
    Pack: bool
    /// The most bytes of one array of the arena.
    Block: int
}

let allPasses = {
    Fuse = true
    Sums = true
    Products = true
    Share = true
    Rows = true
    Pack = true
    Block = Functional.Kernels.Arena.LargestBlock
}

let schedule (passes: Passes) (g: Graph) : Schedule =
    let firsts = Graphs.firsts g
    let root = Array.init g.Specs.Length id
    let owner = Array.create g.Specs.Length -1
    let groups = List<Group>()
    let apart = List<struct (int * int * Obstacle)>()
    let counts = Products.reads g
    let maker = Graphs.makers g firsts
    let made v = if maker[v] < 0 then ValueNone else ValueSome g.Instructions[maker[v]]

    let windows =
        if passes.Fuse then
            windows g firsts root
        else
            Array.create g.Specs.Length ValueNone

    /// The group that makes what a value looks at; a part of what is put together has a group of its own.
    let source v = if owner[v] >= 0 then owner[v] else owner[root[v]]

    /// Whether group `from` needs group `target`, directly or through others.
    let reaches (from: int) (target: int) =
        let seen = HashSet<int>()
        let stack = Stack<int>()
        stack.Push from
        let mutable found = false

        while not found && stack.Count > 0 do
            let x = stack.Pop()

            if x = target then
                found <- true
            else
                for n in groups[x].Needs do
                    if seen.Add n then
                        stack.Push n

        found

    /// The group of the product that an instruction adds something to. To a value that an elementwise kernel makes, that
    /// kernel adds the product, unless the product waits for it.
    let producing k =
        match
            (if passes.Products then
                 Products.sum g (fun v -> counts[v] = 1) made k
             else
                 ValueNone)
        with
        | ValueSome s when
            not groups[owner[s.Product]].Sum
            && not groups[owner[s.Product]].Elementwise
            && windows[s.Onto].IsNone
            && windows[firsts[k]].IsNone
            && (let onto = source s.Onto
                onto < 0 || not groups[onto].Elementwise || reaches owner[s.Product] onto)
            ->
            Some groups[owner[s.Product]]
        | _ -> None

    /// Whether two kernels made one would wait for themselves: for something between them, or what also goes before.
    let waits (a: Group) (b: Group) (before: int[]) =
        Seq.concat [ seq a.Needs; seq b.Needs; seq before ]
        |> Seq.exists (fun n -> n <> a.Id && n <> b.Id && (reaches n a.Id || reaches n b.Id))

    /// Makes the second kernel a part of the first.
    let absorb (group: Group) (other: Group) =
        for k in other.Members do
            for r in firsts[k] .. firsts[k] + Graphs.results g.Instructions[k] - 1 do
                owner[r] <- group.Id

        group.Members.AddRange other.Members
        group.Members.Sort()
        group.Needs.UnionWith other.Needs
        group.Columns <- Option.orElse other.Columns group.Columns
        other.Members.Clear()
        other.Needs.Clear()
        other.PartOf <- Some group

        for x in groups do
            if x.Needs.Remove other.Id then
                x.Needs.Add group.Id |> ignore

        group.Needs.Remove group.Id |> ignore

    /// Why an elementwise kernel does not make a sum on its way, if it does not; the others are the kernels it is made by.
    let refuses (group: Group) (others: Group list) (sum: Sums.Sum) =
        let isOther n = others |> List.exists (fun other -> other.Id = n)
        let elements = Shape.size group.Shape

        if not group.Elementwise then
            Some Obstacle.OtherKind
        elif Shape.size g.Specs[sum.Terms].Shape <> elements then
            Some(Obstacle.OtherShape group.Shape)
        elif group.Members.Count + (others |> List.sumBy (fun other -> other.Members.Count)) > largest then
            Some Obstacle.Full
        elif not (Sums.fits None sum) then
            Some Obstacle.LongRows
        elif
            not (Sums.fits group.Columns sum)
            // what is summed over everything knows no columns
            || (sum.Columns.IsSome && group.Sums.Exists(fun s -> s.Columns.IsNone))
        then
            Some Obstacle.OtherRows
        elif sum.Over <> FusedSumKind.Dots && FusedLoop.IsShared(int64 elements, group.Members.Count + 1) then
            Some Obstacle.Shared
        elif
            others
            |> List.exists (fun other ->
                reaches group.Id other.Id
                || other.Needs |> Seq.exists (fun n -> n <> group.Id && not (isOther n) && reaches n group.Id))
        then
            Some Obstacle.Waits
        else
            // of what the kernel makes itself, it can sum up elements, and neither views nor sums of them
            let isElements v = root[v] = v && windows[v].IsNone && Shape.same g.Specs[v].Shape group.Shape

            let isOutside v = windows[v].IsNone && owner[root[v]] <> group.Id

            let elementsFit v =
                v < 0 || isOutside v || (isElements v && not (group.Sums.Exists(fun s -> Sums.result firsts s = v)))

            let vectorFits v = v < 0 || isOutside v

            let factorFits =
                match sum.Over with
                | FusedSumKind.All
                | FusedSumKind.Rows -> elementsFit
                | FusedSumKind.Weighted
                | FusedSumKind.Dots -> vectorFits

            if elementsFit sum.Terms && factorFits sum.Factor && vectorFits sum.Onto then
                None
            else
                Some Obstacle.OtherRows

    /// Gives sums to the kernels that make or read what is summed.
    let sumUp () =
        let readers = Array.init g.Specs.Length (fun _ -> List<int>())

        g.Instructions
        |> Array.iteri (fun k instruction ->
            for v in Graphs.arguments instruction do
                readers[root[v]].Add k)

        for k in 0 .. g.Instructions.Length - 1 do
            match Sums.find g firsts k with
            | ValueSome sum when owner[firsts[k]] >= 0 && not groups[owner[firsts[k]]].Elementwise ->
                let own = groups[owner[firsts[k]]]
                let made = firsts[k]

                // with what adds the sum to something, in the same kernel already or in one of its own
                let whole, others =
                    let readOnce = counts[made] = 1 && readers[made].Count = 1
                    let added = if readOnce then Sums.addedBy g firsts (readers[made].[0]) sum else ValueNone

                    match added with
                    | ValueSome added when
                        (let adds = groups[owner[Sums.result firsts added]]
                         adds.Id = own.Id || adds.Members.Count = 1)
                        && Shape.size g.Specs[added.Onto].Shape = Shape.size g.Specs[made].Shape
                        ->
                        added, [ own; groups[owner[Sums.result firsts added]] ] |> List.distinct
                    | _ -> sum, [ own ]

                if own.Members.Count = (if List.length others = 1 then (Sums.instructions whole).Length else 1) then
                    let makers = if source sum.Terms >= 0 then [ source sum.Terms ] else []

                    let candidates =
                        makers @ [ for r in readers[root[sum.Terms]] -> owner[firsts[r]] ]
                        |> List.filter (fun p -> p >= 0 && groups[p].Elementwise && groups[p].Id <> own.Id)
                        |> List.distinct

                    let refusal p = refuses groups[p] others whole

                    match candidates |> List.tryFind (fun p -> (refusal p).IsNone) with
                    | Some p ->
                        for other in others do
                            absorb groups[p] other

                        groups[p].Sums.Add whole
                        groups[p].Columns <- Option.orElse whole.Columns groups[p].Columns
                    | None ->
                        for p in candidates do
                            apart.Add(struct (k, p, (refusal p).Value))
            | _ -> ()

    for k in 0 .. g.Instructions.Length - 1 do
        let instruction = g.Instructions[k]
        let first = firsts[k]

        if Graphs.isView instruction || (root[first] = first && windows[first].IsSome) then
            root[first] <- root[(Graphs.arguments instruction)[0]]
        else
            match instruction with
            | Constant _ -> ()
            | Apply _
            | ApplyMany _ ->
                let producers =
                    Graphs.arguments instruction |> Array.map source |> Array.filter (fun p -> p >= 0) |> Array.distinct

                let product = producing k
                let canFuse = passes.Fuse && product.IsNone && elementwise g firsts k

                let obstacle p =
                    let group = groups[p]

                    if not canFuse then
                        Some Obstacle.Spread
                    elif not group.Elementwise then
                        Some Obstacle.OtherKind
                    elif not (Shape.same group.Shape g.Specs[first].Shape) then
                        Some(Obstacle.OtherShape group.Shape)
                    elif isScalar g firsts group.Members[0] <> isScalar g firsts k then
                        Some Obstacle.SingleNumbers
                    elif group.Members.Count >= largest && not (isScalar g firsts k) then
                        Some Obstacle.Full
                    elif (columns g firsts windows k group.Columns).IsNone then
                        Some Obstacle.OtherRows
                    // nothing else it needs may itself wait for the group
                    elif producers |> Array.exists (fun q -> q <> p && reaches q p) then
                        Some Obstacle.Waits
                    else
                        None

                let joined =
                    if product.IsSome || not (passes.Fuse && (isElementwise instruction || canFuse)) then
                        None
                    else
                        producers
                        |> Array.sortDescending
                        |> Array.tryFind (fun p ->
                            match obstacle p with
                            | None -> true
                            | Some why ->
                                apart.Add(struct (k, p, why))
                                false)

                let group =
                    match joined, product with
                    | Some p, _ -> groups[p]
                    | None, Some group ->
                        group.Sum <- true
                        group
                    | None, None ->
                        let fresh = Group(groups.Count, g.Specs[first].Shape)
                        fresh.Elementwise <- canFuse
                        groups.Add fresh
                        fresh

                group.Members.Add k

                // kernels that meet in this operation, or make parts of what it puts together, become one
                let meeting =
                    match joined with
                    | Some p -> Array.append [| p |] (producers |> Array.filter ((<>) p))
                    | None ->
                        Graphs.arguments instruction
                        |> Array.filter (fun v -> windows[v].IsSome && root[v] = first)
                        |> Array.map (fun v -> owner[v])
                        |> Array.distinct

                if meeting.Length > 1 then
                    let kernel = groups[meeting[0]]

                    for q in meeting[1..] do
                        let other = groups[q]

                        if
                            (if joined.IsSome then
                                 (obstacle q).IsNone
                             else
                                 Shape.same kernel.Shape other.Shape)
                            && kernel.Members.Count + other.Members.Count <= largest
                            && (kernel.Columns.IsNone || other.Columns.IsNone || kernel.Columns = other.Columns)
                            && not (waits kernel other (if joined.IsSome then producers else [||]))
                        then
                            absorb kernel other

                let producers = producers |> Array.filter (fun p -> groups[p].Members.Count > 0)

                if canFuse then
                    match columns g firsts windows k group.Columns with
                    | ValueSome c -> group.Columns <- c
                    | ValueNone -> group.Elementwise <- false

                for p in producers do
                    if p <> group.Id then
                        group.Needs.Add p |> ignore

                for r in first .. first + Graphs.results instruction - 1 do
                    owner[r] <- group.Id

    if passes.Fuse && passes.Sums then
        sumUp ()

    // groups in an order that respects what they need: by the place of their last member, after everything needed
    let order = List<Group>()
    let placed = Array.create groups.Count false

    let byLast =
        groups
        |> Seq.filter (fun group -> group.Members.Count > 0)
        |> Seq.sortBy (fun group -> group.Members[group.Members.Count - 1])
        |> Array.ofSeq

    for start in byLast do
        let stack = Stack<struct (Group * bool)>()
        stack.Push(struct (start, false))

        while stack.Count > 0 do
            let struct (group, ready) = stack.Pop()

            if not placed[group.Id] then
                if ready then
                    placed[group.Id] <- true
                    order.Add group
                else
                    stack.Push(struct (group, true))

                    for n in group.Needs |> Seq.sortDescending do
                        if not placed[n] then
                            stack.Push(struct (groups[n], false))

    let kernel (group: Group) =
        let sums = group.Sums |> Seq.collect Sums.instructions |> HashSet
        let isMade v = v >= 0 && owner[root[v]] = group.Id

        let after, before =
            group.Sums.ToArray() |> Array.partition (fun sum -> isMade sum.Terms || isMade sum.Factor)

        let body = group.Members |> Seq.filter (fun k -> not (sums.Contains k)) |> Array.ofSeq
        Kernel(body, group.Elementwise, before, after)

    let place = Array.zeroCreate<int> groups.Count
    order |> Seq.iteri (fun i group -> place[group.Id] <- i)

    let rec kernelOf p =
        match groups[p].PartOf with
        | Some whole -> kernelOf whole.Id
        | None -> place[p]

    {
        Kernels = order |> Seq.map (fun group -> kernel group) |> Array.ofSeq
        Root = root
        Windows = windows
        Firsts = firsts
        Apart =
            apart
            |> Seq.map (fun (struct (k, p, why)) -> struct (k, kernelOf p, why))
            // kernels that later became one are not apart
            |> Seq.filter (fun (struct (k, kernel, _)) -> place[owner[firsts[k]]] <> kernel)
            |> Array.ofSeq
    }

/// Whether an instruction reads or makes columns of a wider value.
let touchesWindows (g: Graph) (schedule: Schedule) (k: int) =
    schedule.Windows[schedule.Firsts[k]].IsSome
    || Graphs.arguments g.Instructions[k] |> Array.exists (fun v -> schedule.Windows[v].IsSome)
