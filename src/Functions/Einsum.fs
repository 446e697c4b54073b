/// Einstein summation: products of tensors written by the names of their axes.
[<AutoOpen>]
module Functional.Einsum

open System

let private fail (equation: string) message = invalidArg "equation" $"einsum \"{equation}\": {message}"

/// Ellipsis axes become labels of their own, aligned at the last: the private-use characters from here on.
let private ellipsisBase = int '\uE000'

let private labelsOf equation (term: string) (rank: int option) : char[] =
    match term.IndexOf "..." with
    | -1 -> term.ToCharArray()
    | at ->
        let named = term.Length - 3

        let extra =
            match rank with
            | Some r -> r - named
            | None -> 0

        if extra < 0 then
            fail equation $"\"{term}\" names {named} axes, the operand has {named + extra}"

        String
            .Concat(
                term.AsSpan(0, at),
                String(Array.init extra (fun i -> char (ellipsisBase + extra - 1 - i))),
                term.AsSpan(at + 3)
            )
            .ToCharArray()

let private parse (equation: string) (operands: Tensor[]) : char[][] * char[] =
    let text = equation.Replace(" ", "")

    let left, right =
        match text.Split "->" with
        | [| left |] -> left, None
        | [| left; right |] -> left, Some right
        | _ -> fail equation "more than one arrow"

    let terms = left.Split ','

    if terms.Length <> operands.Length then
        fail equation $"{terms.Length} terms for {operands.Length} tensors"

    let inputs = Array.map2 (fun term (x: Tensor) -> labelsOf equation term (Some x.Rank)) terms operands

    for i in 0 .. inputs.Length - 1 do
        if inputs[i].Length <> operands[i].Rank then
            fail
                equation
                $"\"{terms[i]}\" names {inputs[i].Length} axes, the operand has shape {Shape.show operands[i].Shape}"

    let hidden =
        inputs
        |> Array.concat
        |> Array.filter (fun c -> int c >= ellipsisBase)
        |> Array.distinct
        |> Array.sortDescending

    let output =
        match right with
        | Some r when r.Contains "..." ->
            let at = r.IndexOf "..."
            String.Concat(r.AsSpan(0, at), String hidden, r.AsSpan(at + 3)).ToCharArray()
        | Some r -> r.ToCharArray()
        | None ->
            // NumPy's implicit form: what appears once, in alphabetical order
            let once =
                inputs
                |> Array.concat
                |> Array.countBy id
                |> Array.filter (fun (c, n) -> n = 1 && int c < ellipsisBase)

            Array.append hidden (once |> Array.map fst |> Array.sort)

    for c in output do
        if not (inputs |> Array.exists (Array.contains c)) then
            fail equation $"the result names '{c}', which no operand has"

    if (Array.distinct output).Length <> output.Length then
        fail equation "the result names an axis twice"

    inputs, output

/// An operand with every label once: a label that appears twice keeps its diagonal.
let rec private diagonals (labels: char[]) (x: Tensor) : char[] * Tensor =
    match labels |> Array.tryFind (fun c -> (labels |> Array.filter ((=) c)).Length > 1) with
    | None -> labels, x
    | Some c ->
        let i = Array.IndexOf(labels, c)
        let j = Array.IndexOf(labels, c, i + 1)
        let rest = [| 0 .. x.Rank - 1 |] |> Array.except [ i; j ]
        let y = x |> permute (Array.append rest [| i; j |]) |> LinearAlgebra.diagonal
        diagonals (Array.append (rest |> Array.map (fun k -> labels[k])) [| c |]) y

/// Sums away the labels that nobody else wants.
let private drop (wanted: char[]) (labels: char[], x: Tensor) =
    let axes = [|
        for i in 0 .. labels.Length - 1 do
            if not (Array.contains labels[i] wanted) then
                i
    |]

    labels |> Array.filter (fun c -> Array.contains c wanted), sumOver axes x

/// The axes in the order of the labels asked for; labels that are missing become axes of size 1.
let private arrange (order: char[]) (labels: char[], x: Tensor) =
    let present = order |> Array.filter (fun c -> Array.contains c labels)

    x
    |> permute (present |> Array.map (fun c -> Array.IndexOf(labels, c)))
    |> fun y ->
        let mutable next = -1

        y
        |> reshape (
            order
            |> Array.map (fun c ->
                if Array.contains c labels then
                    next <- next + 1
                    y.Shape[next]
                else
                    1)
        )

/// Two operands as one batched matrix product.
let private contract equation (keep: char[]) (la: char[], a: Tensor) (lb: char[], b: Tensor) =
    let size c =
        let at (labels: char[]) (x: Tensor) =
            match Array.IndexOf(labels, c) with
            | -1 -> 1
            | i -> x.Shape[i]

        let p, q = at la a, at lb b

        if p <> q && p <> 1 && q <> 1 then
            fail equation $"axis '{c}' has size {p} in one operand and {q} in another"

        max p q

    let shared = la |> Array.filter (fun c -> Array.contains c lb)
    let summed, batch = shared |> Array.partition (fun c -> not (Array.contains c keep))
    let freeA, freeB = Array.except shared la, Array.except shared lb
    let sizes = Array.map size
    let count = sizes >> Array.fold (*) 1

    let spread order (labels, x: Tensor) =
        // a shared axis may be of size 1 in one operand
        arrange order (labels, x)
        |> broadcastTo (
            order
            |> Array.map (fun c -> if Array.contains c shared then size c else x.Shape[Array.IndexOf(labels, c)])
        )

    let x =
        spread (Array.concat [ batch; freeA; summed ]) (la, a)
        |> reshape [ count batch; count freeA; count summed ]

    let y =
        spread (Array.concat [ batch; summed; freeB ]) (lb, b)
        |> reshape [ count batch; count summed; count freeB ]

    let labels = Array.concat [ batch; freeA; freeB ]
    labels, x *@ y |> reshape (sizes labels)

/// Einstein summation by NumPy's rules: every letter is an axis; letters that the result does not name are summed over;
/// `...` stands for any leading axes. Example: `einsum "bij,bjk->bik" [a; b]` is a batch of matrix products.
let einsum (equation: string) (operands: Tensor seq) : Tensor =
    let operands = Array.ofSeq operands
    let inputs, output = parse equation operands
    let terms = Array.map2 diagonals inputs operands |> List.ofArray

    let rec go terms =
        match terms with
        | [ last ] -> drop output last |> arrange output
        | a :: b :: rest ->
            let later = rest |> List.map fst |> Array.concat
            let wantedBy other = Array.concat [ other; later; output ]
            let a, b = drop (wantedBy (fst b)) a, drop (wantedBy (fst a)) b
            go (contract equation (Array.append later output) a b :: rest)
        | [] -> fail equation "no tensors were given"

    go terms
