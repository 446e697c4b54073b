namespace Functional

// Layers with several inputs and outputs, through which masks of padded sequences travel. In F# such a network is an
// ordinary function; blocks are for networks whose layers are known only at run time, as those of the C# facade.

/// A tensor and, where it holds sequences that were padded, which steps are there: Bool [batch, time].
/// A target may have weights in its place: numbers [batch] or [batch, time] that its loss is multiplied by (`Masked.weighted`).
type Masked = { Value: Tensor; Mask: Tensor option }

/// A layer of several tensors and their masks.
type Block<'P> = Layer<'P, Masked[], int[][]>

/// Tensors with masks.
[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module Masked =

    /// A tensor all of whose steps are there.
    let ofTensor (x: Tensor) : Masked = { Value = x; Mask = None }

    /// A target whose examples, or steps, count by their weights in the loss and in weighted metrics.
    /// Errors: weights that are not of the target's first axis, or its first two.
    let weighted (weights: Tensor) (target: Tensor) : Masked =
        let fits =
            (weights.Rank = 1 || weights.Rank = 2)
            && weights.Rank <= target.Rank
            && Shape.same weights.Shape target.Shape[.. weights.Rank - 1]

        if not (fits && weights.DType.IsFloat()) then
            let show = Shape.show

            invalidArg
                "weights"
                $"weights: {weights.DType} {show weights.Shape} for targets {show target.Shape}; there is one number for each example, {show target.Shape[..0]}, or for each step of each"

        { Value = target; Mask = Some weights }

    /// Steps that are there in all that have a mask.
    let internal all (masks: Tensor option seq) : Tensor option =
        match Seq.choose id masks |> List.ofSeq with
        | [] -> None
        | some -> Some(List.reduce logicalAnd some)

    /// Zeros where steps [batch, time] are padding.
    let internal zeroed (mask: Tensor) (x: Tensor) : Tensor =
        where (reshape (Array.append mask.Shape (Array.create (x.Rank - 2) 1)) mask) x (host x 0.0)

/// What becomes of an input's mask behind a layer of one input.
type MaskUse =
    /// It is passed on: the layer works step by step.
    | Keeps
    /// It ends here: what comes out are not the same steps.
    | Drops

[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module Block =

    let private one name (inputs: 'T[]) =
        if inputs.Length <> 1 then
            invalidArg "inputs" $"{name}: takes one input, {inputs.Length} were given"

        inputs[0]

    /// A layer of one input and one output as a block.
    let ofLayer (mask: MaskUse) (layer: Layer<'P>) : Block<'P> = {
        Name = layer.Name
        Place =
            fun shapes ->
                let draw, output = layer.Place(one layer.Name shapes)
                draw, [| output |]
        Apply =
            fun phase p inputs ->
                let x = one layer.Name inputs
                let y, p = layer.Apply phase p x.Value
                [| { Value = y; Mask = (if mask = Keeps then x.Mask else None) } |], p
    }

    /// A block of one input and one output as a layer, which knows no masks.
    let toLayer (block: Block<'P>) : Layer<'P> = {
        Name = block.Name
        Place =
            fun shape ->
                let draw, outputs = block.Place [| shape |]
                draw, one block.Name outputs
        Apply =
            fun phase p x ->
                let outputs, p = block.Apply phase p [| Masked.ofTensor x |]
                (one block.Name outputs).Value, p
    }

    /// A block by how its parameters are drawn and what it computes. Output shapes are what `apply` makes of the inputs': it is
    /// asked with tensors that have no numbers.
    let create
        (name: string)
        (initialize: Tensor -> int[][] -> 'P)
        (apply: Phase -> 'P -> Masked[] -> Masked[] * 'P)
        : Block<'P> =
        let outputs =
            Outline.shapes initialize (fun p inputs ->
                fst (apply Inference p (Array.map Masked.ofTensor inputs)) |> Array.map _.Value)

        {
            Name = name
            Place = fun shapes -> (fun key -> initialize key shapes), outputs shapes
            Apply = apply
        }

    /// A block without parameters, from the function that it is.
    let stateless (name: string) (f: Masked[] -> Masked[]) : Block<unit> =
        create name (fun _ _ -> ()) (fun _ () inputs -> f inputs, ())

    /// Several tensors made one (`Merge`). A step is there where it is there in every input; behind `Drops` all are.
    /// Example: `Block.merge "add" Keeps Merge.add`.
    let merge (name: string) (mask: MaskUse) (f: Tensor list -> Tensor) : Block<unit> =
        stateless name (fun inputs -> [|
            {
                Value = f [ for input in inputs -> input.Value ]
                Mask =
                    match mask with
                    | Keeps -> Masked.all (inputs |> Seq.map _.Mask)
                    | Drops -> None
            }
        |])

    /// Joins tensors along an axis that counts the batch as 0, or from the end. Along time, masks are joined too.
    let concatenate (axis: int) : Block<unit> =
        stateless "concatenate" (fun inputs ->
            let values = [ for input in inputs -> input.Value ]

            let mask =
                if inputs |> Array.forall (fun input -> input.Mask.IsNone) then
                    None
                elif Shape.axis "concatenate" inputs[0].Value.Rank axis = 1 then
                    let present (x: Masked) =
                        x.Mask |> Option.defaultWith (fun () -> Tensor.full DType.Bool x.Value.Shape[..1] 1.0)

                    Some(concat 1 [ for input in inputs -> present input ])
                else
                    Masked.all (inputs |> Seq.map _.Mask)

            [| { Value = Merge.concatenate axis values; Mask = mask } |])

    /// Steps whose features all have a value are padding: they become zeros, and what follows leaves them out.
    let masking (padding: float) : Block<unit> =
        stateless "masking" (fun inputs ->
            let x = (one "masking" inputs).Value

            if x.Rank < 3 then
                invalidShape "masking" $"sequences [batch, time, features] are needed, the input is {x.Shape}"

            let mask = maxOver [ 2 .. x.Rank - 1 ] (notEqual x (host x padding))
            [| { Value = Masked.zeroed mask x; Mask = Some mask } |])

    /// The second input says which steps of the first are there: Bool or numbers [batch, time], 0 for padding.
    let withMask: Block<unit> =
        stateless "with mask" (fun inputs ->
            if inputs.Length <> 2 then
                invalidArg "inputs" $"with mask: takes sequences and their mask, {inputs.Length} inputs were given"

            let x, mask = inputs[0].Value, inputs[1].Value

            if x.Rank < 2 || not (Shape.same mask.Shape x.Shape[..1]) then
                invalidShape
                    "with mask"
                    $"the mask is {mask.Shape}, sequences {x.Shape} need one number for each step, [batch, time]"

            [| { Value = x; Mask = Some(cast DType.Bool mask) } |])

    /// The average of every feature over the steps that are there: [time, features] gives [features].
    let averageOverTime: Block<unit> =
        stateless "average over time" (fun inputs ->
            let x = one "average over time" inputs

            match x.Mask with
            | None -> [| Masked.ofTensor (globalAveragePool x.Value) |]
            | Some mask ->
                let present = cast x.Value.DType mask |> expandDims 2
                let total = sumOver [ 1 ] (where (expandDims 2 mask) x.Value (host x.Value 0.0))
                [| Masked.ofTensor (safeDivide total (sumOver [ 1 ] present)) |])

    /// An embedding whose padding token, where there is one, is left out by what follows.
    let embedding (padding: int option) (layer: Layer<Embedding>) : Block<Embedding> = {
        ofLayer Drops layer with
            Apply =
                fun phase p inputs ->
                    let tokens = (one layer.Name inputs).Value
                    let y, p = layer.Apply phase p tokens

                    [|
                        {
                            Value = y
                            Mask = padding |> Option.map (fun token -> Embedding.mask token tokens)
                        }
                    |],
                    p
    }
