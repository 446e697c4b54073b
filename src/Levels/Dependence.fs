/// Which results of loops, branches and calls depend on which of their inputs. A loop hands out what it was given together
/// with what it made of it; who differentiates the one does not differentiate the other.
[<RequireQualifiedAccess>]
module internal Functional.Levels.Dependence

open System.Collections.Concurrent
open System.Runtime.CompilerServices
open Functional
open Functional.Operations

/// What is asked of a graph.
[<NoComparison>]
type private Question =
    | Outputs of active: bool[]
    | Carried of constants: int * carry: int * active: bool[]

let private cache = ConditionalWeakTable<Graph, ConcurrentDictionary<Question, bool[]>>()

let private once (g: Graph) (question: Question) (answer: unit -> bool[]) : bool[] =
    cache.GetValue(g, (fun _ -> ConcurrentDictionary())).GetOrAdd(question, (fun _ -> answer ()))

/// Which outputs of a graph depend, smoothly, on those of its inputs that are active.
let rec private outputs (g: Graph) (active: bool[]) : bool[] =
    let depends =
        Array.init g.Specs.Length (fun i -> i < g.Inputs && active[i] && g.Specs[i].DType.IsFloat())

    let mutable next = g.Inputs

    let put isActive =
        depends[next] <- isActive && g.Specs[next].DType.IsFloat()
        next <- next + 1

    for instruction in g.Instructions do
        match instruction with
        | Constant _
        | Apply(StopGradient, _, _, _) -> put false
        | Apply _ -> put (Graphs.arguments instruction |> Array.exists (fun a -> depends[a]))
        | ApplyMany(op, arguments, count) ->
            let inputs = arguments |> Array.map (fun a -> depends[a])
            let made = results op inputs

            for i in 0 .. count - 1 do
                put (if isNull made then Array.contains true inputs else made[i])

    g.Outputs |> Array.map (fun v -> depends[v])

/// Which inputs of a loop's body are active in some step: what is carried may become so on the way.
and carried (body: Graph) (constants: int) (carry: int) (active: bool[]) : bool[] =
    once body (Carried(constants, carry, active)) (fun () ->
        let rec grow (now: bool[]) =
            let next = Array.copy now
            let outs = outputs body now

            for k in 0 .. carry - 1 do
                if outs[k] then
                    next[constants + k] <- true

            if next = now then now else grow next

        grow active)

/// Which results depend on the active inputs; null where each does.
and results (op: ManyOp) (active: bool[]) : bool[] =
    match op with
    | Scan s ->
        let made = ofGraph s.Body (carried s.Body s.Constants s.Carry active)

        if s.Length > 0 then
            made
        else
            // no step is taken: what is carried is what it was at the start
            Array.init made.Length (fun k -> k < s.Carry && active[s.Constants + k])
    | While w ->
        let all = carried w.Body w.Constants w.Body.Outputs.Length active
        all[w.Constants ..]
    | Cond(whenTrue, whenFalse) -> Array.map2 (||) (ofGraph whenTrue active[1..]) (ofGraph whenFalse active[1..])
    | Call p -> ofGraph p.Graph active
    | Custom rule when rule.HandsOn > 0 -> Array.take rule.HandsOn active
    | Custom rule ->
        match rule.Body with
        | ValueSome g -> ofGraph g active
        | ValueNone -> null
    | Concat _
    | Split _
    | Linear _ -> null

and private ofGraph (g: Graph) (active: bool[]) : bool[] = once g (Outputs active) (fun () -> outputs g active)
