/// The first step of a schedule: every instruction joins the kernel of an operand, or begins one.
[<RequireQualifiedAccess>]
module internal Functional.Plans.Joining

open Functional
open Functional.Operations

/// The group of the product that an instruction adds something to. To a value that an elementwise kernel makes, that
/// kernel adds the product, unless the product waits for it.
let private producing (s: Groups) (k: int) : Group option =
    let sum =
        if s.Passes.Products then
            Products.sum s.Graph (fun v -> s.Reads[v] = 1) s.Made k
        else
            ValueNone

    match sum with
    | ValueSome sum ->
        let product = s[s.Owner[sum.Product]]
        let onto = s.Source sum.Onto

        if
            not product.HoldsProduct
            && not product.Elementwise
            && s.Windows[sum.Onto].IsNone
            && s.Windows[s.Firsts[k]].IsNone
            && (onto < 0 || not s[onto].Elementwise || s.Reaches(product.Id, onto))
        then
            Some product
        else
            None
    | ValueNone -> None

/// Why an instruction does not join the group of an operand, one of its producers, if it does not.
let private obstacle (s: Groups) (producers: int[]) (canFuse: bool) (k: int) (p: int) : Obstacle option =
    let group = s[p]
    let isScalar k = Candidates.isScalar s.Graph s.Firsts k

    if not canFuse then
        Some Obstacle.Spread
    elif not group.Elementwise then
        Some Obstacle.OtherKind
    elif not (Shape.same group.Shape s.Graph.Specs[s.Firsts[k]].Shape) then
        Some(Obstacle.OtherShape group.Shape)
    elif isScalar group.Members[0] <> isScalar k then
        Some Obstacle.SingleNumbers
    elif group.Members.Count >= Candidates.largest && not (isScalar k) then
        Some Obstacle.Full
    elif (Candidates.columns s.Graph s.Firsts s.Windows k group.Columns).IsNone then
        Some Obstacle.OtherRows
    // nothing else it needs may itself wait for the group
    elif producers |> Array.exists (fun q -> q <> p && s.Reaches(q, p)) then
        Some Obstacle.Waits
    else
        None

/// Kernels that meet in an instruction, or make parts of what it puts together, become one.
let private merge (s: Groups) (meeting: int[]) (fits: int -> bool) (before: int[]) : unit =
    if meeting.Length > 1 then
        let kernel = s[meeting[0]]

        for q in meeting[1..] do
            let other = s[q]

            if
                fits q
                && kernel.Members.Count + other.Members.Count <= Candidates.largest
                && (kernel.Columns.IsNone || other.Columns.IsNone || kernel.Columns = other.Columns)
                && not (s.Waits(kernel, other, before))
            then
                s.Absorb(kernel, other)

/// Puts an instruction, which is no view, into a group.
let private join (s: Groups) (k: int) : unit =
    let g, first, instruction = s.Graph, s.Firsts[k], s.Graph.Instructions[k]

    let producers =
        Graphs.arguments instruction
        |> Array.map s.Source
        |> Array.filter (fun p -> p >= 0)
        |> Array.distinct

    let product = producing s k
    let canFuse = s.Passes.Fuse && product.IsNone && Candidates.elementwise g s.Firsts k
    let obstacle = obstacle s producers canFuse k

    let joined =
        if product.IsSome || not (s.Passes.Fuse && (Candidates.isElementwise instruction || canFuse)) then
            None
        else
            producers
            |> Array.sortDescending
            |> Array.tryFind (fun p ->
                match obstacle p with
                | None -> true
                | Some why ->
                    s.Apart.Add(struct (k, p, why))
                    false)

    let group =
        match joined, product with
        | Some p, _ -> s[p]
        | None, Some group ->
            group.HoldsProduct <- true
            group
        | None, None ->
            let fresh = s.Fresh g.Specs[first].Shape
            fresh.Elementwise <- canFuse
            fresh

    group.Members.Add k

    match joined with
    | Some p ->
        let meeting = Array.append [| p |] (producers |> Array.filter ((<>) p))
        merge s meeting (fun q -> (obstacle q).IsNone) producers
    | None ->
        let meeting =
            Graphs.arguments instruction
            |> Array.filter (fun v -> s.Windows[v].IsSome && s.Root[v] = first)
            |> Array.map (fun v -> s.Owner[v])
            |> Array.distinct

        merge s meeting (fun q -> Shape.same s[meeting[0]].Shape s[q].Shape) [||]

    if canFuse then
        match Candidates.columns g s.Firsts s.Windows k group.Columns with
        | ValueSome c -> group.Columns <- c
        | ValueNone -> group.Elementwise <- false

    for p in producers do
        if s[p].Members.Count > 0 && p <> group.Id then
            group.Needs.Add p |> ignore

    s.Own(group, k)

/// Every instruction, in order. A view belongs to no group: it looks at its operand's memory.
let run (s: Groups) : unit =
    for k in 0 .. s.Graph.Instructions.Length - 1 do
        let instruction, first = s.Graph.Instructions[k], s.Firsts[k]

        if Graphs.isView instruction || (s.Root[first] = first && s.Windows[first].IsSome) then
            s.Root[first] <- s.Root[(Graphs.arguments instruction)[0]]
        else
            match instruction with
            | Constant _ -> ()
            | Apply _
            | ApplyMany _ -> join s k
