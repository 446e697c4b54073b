/// The arguments of Keras' layers, and what a layer of a case is.
module Functional.Tests.KerasArguments

open Functional
open Functional.Tests.KerasCases

/// An activation as Keras 2 had it, whose numbers the cases are.
let keras2Activation (name: string) : Tensor -> Tensor =
    match name with
    | "hard_sigmoid" -> fun x -> clamp 0.0 1.0 (0.2 * x + 0.5)
    | name -> Activation.ofName name

/// The arguments of a layer, as Keras' constructor takes them.
type Arguments(items: Python list, named: Map<string, Python>) =
    /// An argument by place or by name.
    member _.TryGet(place: int, name: string) =
        match List.tryItem place items with
        | Some value -> Some value
        | None -> named.TryFind name

    member a.Number(place, name, otherwise: float) =
        match a.TryGet(place, name) with
        | Some(Number n) -> n
        | _ -> otherwise

    member a.Whole(place, name, otherwise: int) = int (a.Number(place, name, float otherwise))

    member a.Wholes(place, name) =
        match a.TryGet(place, name) with
        | Some(Items items) ->
            items
            |> List.map (fun n ->
                match n with
                | Number n -> int n
                | _ -> failwith $"{name} is not whole")
        | Some(Number n) -> [ int n ]
        | _ -> []

    member a.IsTrue(place, name) = a.TryGet(place, name) = Some(Name "True")

    member a.Activation(place) =
        match a.TryGet(place, "activation") with
        | Some(Text name) -> keras2Activation name
        | _ -> linear

/// Takes a layer's weights from the front of a list: what the layer computes of its inputs, and the weights left.
type Reader = Arguments -> Tensor list -> (Tensor list -> Tensor) * Tensor list
