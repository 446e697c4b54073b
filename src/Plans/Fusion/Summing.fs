/// The second step of a schedule: sums are made by the elementwise kernels that make or read what is summed.
[<RequireQualifiedAccess>]
module internal Functional.Plans.Summing

open System.Collections.Generic
open Functional
open Functional.Kernels
open Functional.Operations

/// Whether an elementwise kernel has, element by element and not made by itself as a view or a sum, what a sum reads.
let private readsFit (s: Groups) (group: Group) (sum: BlockSum) : bool =
    let isElements v = s.Root[v] = v && s.Windows[v].IsNone && Shape.same s.Graph.Specs[v].Shape group.Shape
    let isOutside v = s.Windows[v].IsNone && s.Owner[s.Root[v]] <> group.Id

    let elementsFit v =
        v < 0
        || isOutside v
        || (isElements v && not (group.Sums.Exists(fun other -> BlockSum.result s.Firsts other = v)))

    let vectorFits v = v < 0 || isOutside v

    let factorFits =
        match sum.Over with
        | FusedSumKind.All
        | FusedSumKind.Rows -> elementsFit
        | FusedSumKind.Weighted
        | FusedSumKind.Dots -> vectorFits

    elementsFit sum.Terms && factorFits sum.Factor && vectorFits sum.Onto

/// Why an elementwise kernel does not make a sum on its way, if it does not; `others` are the kernels that make it now.
let private refuses (s: Groups) (group: Group) (others: Group list) (sum: BlockSum) : Obstacle option =
    let isOther n = others |> List.exists (fun other -> other.Id = n)
    let elements = Shape.size group.Shape

    if not group.Elementwise then
        Some Obstacle.OtherKind
    elif Shape.size s.Graph.Specs[sum.Terms].Shape <> elements then
        Some(Obstacle.OtherShape group.Shape)
    elif group.Members.Count + (others |> List.sumBy (fun other -> other.Members.Count)) > Candidates.largest then
        Some Obstacle.Full
    elif not (BlockSum.fits None sum) then
        Some Obstacle.LongRows
    elif
        not (BlockSum.fits group.Columns sum)
        // what is summed over everything knows no columns
        || (sum.Columns.IsSome && group.Sums.Exists(fun s -> s.Columns.IsNone))
    then
        Some Obstacle.OtherRows
    elif sum.Over <> FusedSumKind.Dots && FusedLoop.IsShared(int64 elements, group.Members.Count + 1) then
        Some Obstacle.Shared
    elif
        others
        |> List.exists (fun other ->
            s.Reaches(group.Id, other.Id)
            || other.Needs |> Seq.exists (fun n -> n <> group.Id && not (isOther n) && s.Reaches(n, group.Id)))
    then
        Some Obstacle.Waits
    elif readsFit s group sum then
        None
    else
        Some Obstacle.OtherRows

/// A sum together with what adds it to something, in the same kernel already or in one of its own; and these kernels.
let private whole (s: Groups) (readers: List<int>[]) (sum: BlockSum) (own: Group) : BlockSum * Group list =
    let made = s.Firsts[sum.Makes]
    let readOnce = s.Reads[made] = 1 && readers[made].Count = 1

    let added =
        if readOnce then
            BlockSum.addedBy s.Graph s.Firsts (readers[made].[0]) sum
        else
            ValueNone

    match added with
    | ValueSome added ->
        let adds = s[s.Owner[BlockSum.result s.Firsts added]]
        let size v = Shape.size s.Graph.Specs[v].Shape

        if (adds.Id = own.Id || adds.Members.Count = 1) && size added.Onto = size made then
            added, List.distinct [ own; adds ]
        else
            sum, [ own ]
    | ValueNone -> sum, [ own ]

let private place (s: Groups) (readers: List<int>[]) (sum: BlockSum) : unit =
    let own = s[s.Owner[s.Firsts[sum.Makes]]]
    let whole, others = whole s readers sum own

    if own.Members.Count = (if List.length others = 1 then (BlockSum.instructions whole).Length else 1) then
        let makers = if s.Source sum.Terms >= 0 then [ s.Source sum.Terms ] else []

        let candidates =
            makers @ [ for r in readers[s.Root[sum.Terms]] -> s.Owner[s.Firsts[r]] ]
            |> List.filter (fun p -> p >= 0 && s[p].Elementwise && p <> own.Id)
            |> List.distinct

        let refusal p = refuses s s[p] others whole

        match candidates |> List.tryFind (fun p -> (refusal p).IsNone) with
        | Some p ->
            for other in others do
                s.Absorb(s[p], other)

            s[p].Sums.Add whole
            s[p].Columns <- Option.orElse whole.Columns s[p].Columns
        | None ->
            for p in candidates do
                s.Apart.Add(struct (sum.Makes, p, (refusal p).Value))

/// Gives the sums of the graph to the kernels that can make them.
let run (s: Groups) : unit =
    let g = s.Graph
    let readers = Array.init g.Specs.Length (fun _ -> List<int>())

    g.Instructions
    |> Array.iteri (fun k instruction ->
        for v in Graphs.arguments instruction do
            readers[s.Root[v]].Add k)

    for k in 0 .. g.Instructions.Length - 1 do
        match BlockSum.find g s.Firsts k with
        | ValueSome sum when s.Owner[s.Firsts[k]] >= 0 && not s[s.Owner[s.Firsts[k]]].Elementwise -> place s readers sum
        | _ -> ()
