/// ONNX' operators of sequences: recurrent layers and attention.
module Functional.Tests.OnnxSequences

open Functional
open Functional.Tests.OnnxNodes

/// The state of an operator with one: given, or zeros.
let private stateOr (zeros: Tensor) (xs: Tensor[]) place = if given xs place then xs[place] else zeros

/// What a recurrent operator gives, in its layout: all outputs and the last one, of one direction.
let private run (a: Attributes) (xs: Tensor[]) (cell: Cell<'P, 'S>) (p: 'P) (start: 'S) (last: 'S -> Tensor list) =
    if a.Text("direction", "forward") <> "forward" || a.Has "activations" || a.Has "clip" then
        unsupported "recurrent operators with directions, activations or clips"

    let batchFirst = a.Whole("layout", 0) = 1
    let x = if batchFirst then xs[0] else Functional.Functions.permute [ 1; 0; 2 ] xs[0]

    let mask =
        if given xs 4 then
            let place = Tensor.create [ 1; x.Shape[1] ] [| 0 .. x.Shape[1] - 1 |]
            Some(less (place + Tensor.zerosLike (expandDims 1 xs[4])) (expandDims 1 xs[4]))
        else
            None

    let y, state = Recurrent.run cell { Recurrent.defaults with Mask = mask } (Some start) p x

    let outputs =
        if batchFirst then
            expandDims 2 y
        else
            expandDims 1 (Functional.Functions.permute [ 1; 0; 2 ] y)

    outputs :: (last state |> List.map (expandDims (if batchFirst then 1 else 0)))

/// Kernel, recurrent kernel and the two biases of the one direction; gates are brought into another order.
let private weights (order: int list) (xs: Tensor[]) =
    let units = xs[2].Shape[2]
    let ordered axis x = concat axis [ for gate in order -> narrow axis (gate * units) units x ]
    let kernel i = transpose (ordered 0 (index 0 0 xs[i]))

    let bias =
        if given xs 3 then
            let all = index 0 0 xs[3]
            let half = order.Length * units
            Some(ordered 0 (narrow 0 0 half all) + ordered 0 (narrow 0 half half all))
        else
            None

    kernel 1, kernel 2, bias

let private batchOf (a: Attributes) (xs: Tensor[]) = xs[0].Shape[if a.Whole("layout", 0) = 1 then 0 else 1]

let private rnn: Operator =
    fun a xs ->
        let kernel, recurrent, bias = weights [ 0 ] xs
        let p: SimpleRnn = { Kernel = kernel; RecurrentKernel = recurrent; Bias = bias }
        let zeros = SimpleRnn.cell.Start p (batchOf a xs)
        run a xs SimpleRnn.cell p (stateOr zeros xs 5 |> reshape zeros.Shape) List.singleton

let private gru: Operator =
    fun a xs ->
        if a.Whole("linear_before_reset", 0) = 1 then
            unsupported "GRU with the reset after the product"

        let kernel, recurrent, bias = weights [ 0; 1; 2 ] xs
        let p: Gru = { Kernel = kernel; RecurrentKernel = recurrent; Bias = bias }
        let zeros = Gru.cell.Start p (batchOf a xs)
        run a xs Gru.cell p (stateOr zeros xs 5 |> reshape zeros.Shape) List.singleton

/// An LSTM whose gates see its memory, each unit its own: Gers and Schmidhuber, "Recurrent nets that time and count" (2000).
/// A cell of one's own beside the library's.
let private peephole (weights: Tensor) : Cell<Lstm, LstmState> = {
    Lstm.cell with
        Step =
            fun p ->
                let units = p.RecurrentKernel.Shape[0]
                let peep gate = narrow 0 (gate * units) units weights

                fun keep s x ->
                    let gates = x + keep s.Hidden *@ p.RecurrentKernel |> split -1 [ units; units; units; units ]
                    let input = sigmoid (gates[0] + peep 0 * s.Memory)
                    let forget = sigmoid (gates[1] + peep 2 * s.Memory)
                    let memory = forget * s.Memory + input * tanh gates[2]
                    { Hidden = sigmoid (gates[3] + peep 1 * memory) * tanh memory; Memory = memory }
}

let private lstm: Operator =
    fun a xs ->
        // input, output, forget, candidate become input, forget, candidate, output
        let kernel, recurrent, bias = weights [ 0; 2; 3; 1 ] xs
        let p: Lstm = { Kernel = kernel; RecurrentKernel = recurrent; Bias = bias }
        let zeros = (Lstm.cell.Start p (batchOf a xs)).Hidden

        let start = {
            Hidden = stateOr zeros xs 5 |> reshape zeros.Shape
            Memory = stateOr zeros xs 6 |> reshape zeros.Shape
        }

        let cell = if given xs 7 then peephole (index 0 0 xs[7]) else Lstm.cell
        run a xs cell p start (fun s -> [ s.Hidden; s.Memory ])

let private attention: Operator =
    fun a xs ->
        let flat = xs[0].Rank = 3

        let intoHeads heads (x: Tensor) =
            if flat then
                reshape [ x.Shape[0]; x.Shape[1]; heads; -1 ] x |> Functional.Functions.permute [ 0; 2; 1; 3 ]
            else
                x

        let query = intoHeads (a.Whole("q_num_heads", 0)) xs[0]

        let key, value =
            intoHeads (a.Whole("kv_num_heads", 0)) xs[1], intoHeads (a.Whole("kv_num_heads", 0)) xs[2]

        let past = if given xs 4 then xs[4].Shape[2] else 0
        let key = if past > 0 then concat 2 [ xs[4]; key ] else key
        let value = if past > 0 then concat 2 [ xs[5]; value ] else value
        let queries, keys = query.Shape[2], key.Shape[2]
        // heads of queries in groups that share one of keys: one more axis that broadcasts
        let groups = query.Shape[1] / key.Shape[1]
        let grouped (x: Tensor) = reshape [ x.Shape[0]; key.Shape[1]; -1; x.Shape[2]; x.Shape[3] ] x

        let whole (mask: Tensor) =
            // what a short mask leaves out is not seen
            let short = keys - mask.Shape[mask.Rank - 1]

            if short > 0 then
                let shape = Array.append mask.Shape[.. mask.Rank - 2] [| short |]
                let blank = if mask.DType = DType.Bool then 0.0 else -infinity
                concat -1 [ mask; Tensor.full mask.DType shape blank ]
            else
                mask

        let perGroup (mask: Tensor) =
            if mask.Rank = 4 && mask.Shape[1] > 1 then grouped mask
            elif mask.Rank = 4 then expandDims 1 mask
            else mask

        let given3 = if given xs 3 then Some(perGroup (whole xs[3])) else None
        let bias = given3 |> Option.filter (fun m -> m.DType <> DType.Bool)

        let sees =
            [
                given3 |> Option.filter (fun m -> m.DType = DType.Bool)
                // a bias of −∞ is a mask
                bias |> Option.map (fun b -> greater b (like b -infinity))
                if a.Whole("is_causal", 0) = 1 then
                    Some(
                        Tensor.create
                            [ queries; keys ]
                            (Array.init (queries * keys) (fun i -> i % keys <= i / keys + past))
                    )
                if given xs 6 then
                    let place = Tensor.create [ 1; 1; 1; 1; keys ] [| 0L .. int64 keys - 1L |]
                    let lengths = reshape [ -1; 1; 1; 1; 1 ] xs[6]
                    Some(less (place + Tensor.zerosLike lengths) lengths)
            ]
            |> List.choose id
            |> function
                | [] -> None
                | masks -> Some(List.reduce logicalAnd masks)

        let scale = a.Number("scale", 1.0 / sqrt (float query.Shape[3]))
        let cap = a.Number("softcap", 0.0)

        let options = {
            Attention.defaults with
                Mask = sees
                Bias = bias |> Option.map (fun b -> where (greater b (like b -infinity)) b (like b 0.0))
                Scale = Some scale
                Cap = if cap > 0.0 then Some cap else None
        }

        let found, weights = dotProductAttention options (grouped key) (grouped value) (grouped query)
        let ungrouped (x: Tensor) = reshape [ x.Shape[0]; -1; x.Shape[3]; x.Shape[4] ] x
        let y = ungrouped found

        let y =
            if flat then
                Functional.Functions.permute [ 0; 2; 1; 3 ] y |> reshape [ y.Shape[0]; queries; -1 ]
            else
                y

        let scores =
            (query * scale)
            *@ transpose (
                if groups > 1 then
                    ungrouped (tile [ 1; 1; groups; 1; 1 ] (grouped key))
                else
                    key
            )

        let biased (scores: Tensor) =
            let scores =
                match options.Bias with
                | Some b -> ungrouped (grouped scores + b)
                | None -> scores

            match sees with
            | Some m -> ungrouped (where m (grouped scores) (like scores -infinity))
            | None -> scores

        let capped (scores: Tensor) = if cap > 0.0 then cap * tanh (scores * (1.0 / cap)) else scores

        let shown =
            match a.Whole("qk_matmul_output_mode", 0) with
            | 0 -> scores
            | 1 -> biased scores
            | 2 -> capped (biased scores)
            | _ -> ungrouped weights

        [ y; key; value; shown ]

let operators: (string * Operator) list = [ "RNN", rnn; "GRU", gru; "LSTM", lstm; "Attention", attention ]
