/// The facade's layers called as Keras' are: the Python of Keras' cases makes them by their constructors, argument by argument
/// and name by name, and they give Keras' numbers.
module Functional.Tests.KerasFacadeTests

open System
open System.Reflection
open Expecto
open Functional
open Functional.CSharp
open Functional.Tests.Oracles
open Functional.Tests.KerasCases

let private layers =
    typeof<Layer>.Assembly.GetExportedTypes()
    |> Seq.filter (fun t -> typeof<Layer>.IsAssignableFrom t && not t.IsAbstract && not t.IsGenericType)
    |> Seq.map (fun t -> t.Name, t)
    |> Map.ofSeq

/// `kernel_size` as C# writes it: kernelSize.
let private camel (name: string) =
    name.Split '_'
    |> Array.mapi (fun i word -> if i = 0 then word else string (Char.ToUpperInvariant word[0]) + word[1..])
    |> String.concat ""

let private whole (value: Python) =
    match value with
    | Number n when n = Math.Floor n -> int n
    | other -> failwith $"%A{other} is not whole"

let private pair (value: Python) =
    match value with
    | Items [ a; b ] -> struct (whole a, whole b)
    | other -> failwith $"%A{other} is no pair"

/// What a Python value may be in C#.
let private readings (value: Python) : obj list =
    match value with
    | Number n when n = Math.Floor n -> [ box (int n); box n ]
    | Number n -> [ box n ]
    | Text "hard_sigmoid" -> [ box (ActivationFunction(Func<_, _>(KerasArguments.keras2Activation "hard_sigmoid"))) ]
    | Text text -> [ box text ]
    | Name "True" -> [ box true ]
    | Name "False" -> [ box false ]
    | Items [ Items _ as first; Items _ as second ] -> [ box (struct (pair first, pair second)) ]
    | Items items -> [
        if items.Length = 2 then
            box (pair value)
        box (items |> List.map whole |> Array.ofList)
      ]
    | other -> failwith $"%A{other} is no argument of a layer"

/// A value as a parameter of a type takes it: itself, or by an implicit conversion.
let private converted (target: Type) (value: obj) : obj option =
    let core =
        match Nullable.GetUnderlyingType target with
        | null -> target
        | inner -> inner

    if core.IsInstanceOfType value then
        Some value
    else
        core.GetMethods(BindingFlags.Public ||| BindingFlags.Static)
        |> Seq.tryFind (fun m ->
            m.Name = "op_Implicit"
            && m.ReturnType = core
            && m.GetParameters().[0].ParameterType = value.GetType())
        |> Option.map (fun m -> m.Invoke(null, [| value |]))

/// A layer that Python makes, by whichever constructor takes its arguments.
let rec private make (name: string) (items: Python list) (named: Map<string, Python>) : Layer =
    // Keras 2 applies a GRU's reset gate before the product
    let named =
        (if name = "GRU" then Map.add "reset_after" (Name "False") named else named)
        |> Map.filter (fun _ value -> value <> Name "None")

    let argument (p: ParameterInfo) (value: Python) =
        match value with
        | Call(Name inner, items, named) -> Some(box (make inner items named))
        | value -> readings value |> List.tryPick (converted p.ParameterType)

    let fill (c: ConstructorInfo) =
        let parameters = c.GetParameters()
        let byName = named |> Map.toList |> List.map (fun (name, value) -> camel name, value) |> Map.ofList
        let knows name = parameters |> Array.exists (fun p -> p.Name = name)

        if items.Length > parameters.Length || byName |> Map.exists (fun name _ -> not (knows name)) then
            None
        else
            let values =
                parameters
                |> Array.mapi (fun i p ->
                    match List.tryItem i items |> Option.orElse (byName.TryFind p.Name) with
                    | Some value -> argument p value
                    | None when p.IsOptional -> Some(if p.HasDefaultValue then p.DefaultValue else Type.Missing)
                    | None -> None)

            if Array.forall Option.isSome values then
                Some(c, Array.map Option.get values)
            else
                None

    match layers[name].GetConstructors() |> Array.tryPick fill with
    | Some(c, values) ->
        let standard (p: ParameterInfo) (value: obj) =
            // a struct's default value stands in the metadata as null
            if isNull value && p.ParameterType.IsValueType && isNull (Nullable.GetUnderlyingType p.ParameterType) then
                Activator.CreateInstance p.ParameterType
            else
                value

        c.Invoke(Array.map2 standard (c.GetParameters()) values) :?> Layer
    | None -> failwith $"no constructor of {name} takes %A{items}, %A{Map.toList named}"

/// The outermost layer of an expression that the facade has.
let rec private layerOf (expression: Python) : (string * Python list * Map<string, Python>) option =
    match expression with
    | Call(Name name, items, named) when layers.ContainsKey name -> Some(name, items, named)
    | Call(callee, items, _) -> layerOf callee |> Option.orElse (List.tryPick layerOf items)
    | _ -> None

/// Whether Python's variables, which the case does not give, stand among the arguments.
let rec private isOpen (value: Python) =
    match value with
    | Name("True" | "False" | "None") -> false
    | Name _ -> true
    | Items items -> List.exists isOpen items
    | Call(_, items, named) -> List.exists isOpen items || Map.exists (fun _ value -> isOpen value) named
    | _ -> false

/// The numbers of the only layer of a case; None where its lines make none, or several, or do not say all of it.
let private run (case: Case) : Tensor option =
    match case.Lines |> List.map snd |> List.choose layerOf |> List.distinct with
    | [ name, items, named ] when name = case.Name.Split('.')[1] && not (isOpen (Call(Name name, items, named))) ->
        let layer = make name items named

        let inputs = [|
            for x in case.Inputs -> if layer :? Embedding then cast DType.Int32 x else cast DType.Float32 x
        |]

        let nodes = inputs |> Array.map (fun x -> Model.Input x.Shape)

        let model =
            Model(Nodes.op_Implicit nodes, Nodes.op_Implicit (layer.Apply(Nodes.op_Implicit nodes)), "case")

        model.Weights <- case.Weights |> List.map (cast DType.Float32) |> Array.ofList
        let answer () = model.Predict(TensorLike.op_Implicit (inputs |> Array.map (expandDims 0)))

        // the numbers of stateful layers are those of a second run, which begins where the first ended
        if named.TryFind "stateful" = Some(Name "True") then
            answer () |> ignore

        Some(answer ())
    | _ -> None

[<Tests>]
let tests =
    testList "facade" [
        testCase "Keras"
        <| skipWithout "keras/keras_layers.jsonl.gz" (fun path ->
            let mutable agreed = 0

            for case in read path do
                match run case with
                | None -> ()
                | Some y ->
                    let expected, found = Tensor.toFloats case.Expected, Tensor.toFloats y
                    Expect.equal found.Length expected.Length $"{case.Name}: as many numbers"

                    for i in 0 .. found.Length - 1 do
                        if abs (found[i] - expected[i]) > 1e-5 * max 1.0 (abs expected[i]) then
                            failtest $"{case.Name}: number {i} is {found[i]}, Keras' is {expected[i]}"

                    agreed <- agreed + 1

            printfn $"Keras, by the facade's constructors: {agreed} cases agree"
            Expect.isGreaterThanOrEqual agreed 81 "cases that one layer of the facade makes")
    ]
