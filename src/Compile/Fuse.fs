/// The second pass: which operations run as one kernel. Elementwise operations over the same elements join into one run
/// over memory; everything else is a kernel of its own; a reshape is no kernel at all.
[<RequireQualifiedAccess>]
module internal Functional.Compile.Fuse

open System.Collections.Generic
open Functional
open Functional.Operations

/// A kernel: instructions of the graph in order. Views (reshapes) belong to no kernel.
[<Sealed>]
type Kernel(instructions: int[], elementwise: bool) =
    member _.Instructions = instructions
    member _.Elementwise = elementwise

/// Why an elementwise operation did not join the kernel that makes one of its operands.
[<RequireQualifiedAccess>]
type Obstacle =
    /// That kernel does something else: a product, a reduction, a loop.
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

/// The graph's kernels in the order they run, and for every value the one whose memory it looks at.
type Schedule = {
    Kernels: Kernel[]
    Root: int[]
    Firsts: int[]
    /// Instructions that stayed out of a kernel, given by its place: what was not fused, and why.
    Apart: struct (int * int * Obstacle)[]
}

let private isView (g: Graph) instruction =
    match instruction with
    | Apply(Reshape _, _, _, _) -> true
    | _ -> false

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
    | Apply((Unary _ | Binary _ | Compare _ | Select | Cast _ | AddScaled _), _, _, _) -> true
    | Apply _
    | ApplyMany _
    | Constant _ -> false

let private elementwise (g: Graph) firsts k =
    let result = g.Specs[(firsts: int[])[k]].Shape

    isElementwise g.Instructions[k]
    && Graphs.arguments g.Instructions[k]
       |> Array.forall (fun v -> lie g.Specs[v].Shape result <> Lie.Other)

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

/// The columns all operands of an operation agree on; None if they do not.
let private columns (g: Graph) firsts k (sofar: int option) : int option voption =
    let result = g.Specs[(firsts: int[])[k]].Shape
    let mutable agreed = ValueSome sofar

    for v in Graphs.arguments g.Instructions[k] do
        match lie g.Specs[v].Shape result, agreed with
        | (Lie.Row n | Lie.Column n), ValueSome None -> agreed <- ValueSome(Some n)
        | (Lie.Row n | Lie.Column n), ValueSome(Some m) when n <> m -> agreed <- ValueNone
        | _ -> ()

    agreed

[<Sealed>]
type private Group(id: int, shape: int[]) =
    member _.Id = id
    member _.Shape = shape
    member val Members = List<int>()
    member val Columns: int option = None with get, set
    member val Elementwise = false with get, set
    /// Groups this one needs, directly.
    member val Needs = HashSet<int>()

/// Which passes run, so that a benchmark can show what each of them buys.
type Passes = {
    /// Elementwise operations over the same elements are one kernel.
    Fuse: bool
    /// Values whose lives do not overlap share memory.
    Share: bool
}

let allPasses = { Fuse = true; Share = true }

let schedule (passes: Passes) (g: Graph) : Schedule =
    let firsts = Graphs.firsts g
    let root = Array.init g.Specs.Length id
    let owner = Array.create g.Specs.Length -1
    let groups = List<Group>()
    let apart = List<struct (int * int * Obstacle)>()

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

    for k in 0 .. g.Instructions.Length - 1 do
        let instruction = g.Instructions[k]
        let first = firsts[k]

        if isView g instruction then
            root[first] <- root[(Graphs.arguments instruction)[0]]
        else
            match instruction with
            | Constant _ -> ()
            | Apply _
            | ApplyMany _ ->
                let producers =
                    Graphs.arguments instruction
                    |> Array.map (fun v -> owner[root[v]])
                    |> Array.filter (fun p -> p >= 0)
                    |> Array.distinct

                let canFuse = passes.Fuse && elementwise g firsts k

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
                    elif (columns g firsts k group.Columns).IsNone then
                        Some Obstacle.OtherRows
                    // nothing else it needs may itself wait for the group
                    elif producers |> Array.exists (fun q -> q <> p && reaches q p) then
                        Some Obstacle.Waits
                    else
                        None

                let joined =
                    if not (passes.Fuse && isElementwise instruction) then
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
                    match joined with
                    | Some p -> groups[p]
                    | None ->
                        let fresh = Group(groups.Count, g.Specs[first].Shape)
                        fresh.Elementwise <- canFuse
                        groups.Add fresh
                        fresh

                group.Members.Add k

                if canFuse then
                    match columns g firsts k group.Columns with
                    | ValueSome c -> group.Columns <- c
                    | ValueNone -> group.Elementwise <- false

                for p in producers do
                    if p <> group.Id then
                        group.Needs.Add p |> ignore

                for r in first .. first + Graphs.results instruction - 1 do
                    owner[r] <- group.Id

    // groups in an order that respects what they need: by the place of their last member, after everything needed
    let order = List<Group>()
    let placed = Array.create groups.Count false
    let byLast = groups |> Seq.sortBy (fun group -> group.Members[group.Members.Count - 1]) |> Array.ofSeq

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

    let place = Array.zeroCreate<int> groups.Count
    order |> Seq.iteri (fun i group -> place[group.Id] <- i)

    {
        Kernels = order |> Seq.map (fun group -> Kernel(group.Members.ToArray(), group.Elementwise)) |> Array.ofSeq
        Root = root
        Firsts = firsts
        Apart = apart |> Seq.map (fun (struct (k, p, why)) -> struct (k, place[p], why)) |> Array.ofSeq
    }
