/// Types in messages: as one writes them in F#.
[<RequireQualifiedAccess>]
module internal Functional.TypeName

/// A type as one writes it in F#, without namespaces: `Dictionary<string, Tensor>`, `Tensor list`, `float * int`.
let rec show (t: System.Type) : string =
    let names =
        dict [
            typeof<float>, "float"
            typeof<float32>, "float32"
            typeof<int>, "int"
            typeof<string>, "string"
            typeof<bool>, "bool"
            typeof<unit>, "unit"
        ]

    match names.TryGetValue t with
    | true, name -> name
    | _ when t.IsArray -> $"{show (t.GetElementType())}[{System.String(',', t.GetArrayRank() - 1)}]"
    | _ when t.IsGenericType ->
        let arguments = t.GetGenericArguments() |> Array.map show

        match t.GetGenericTypeDefinition() with
        | d when d = typedefof<_ list> -> arguments[0] + " list"
        | d when d = typedefof<_ option> -> arguments[0] + " option"
        | _ when FSharp.Reflection.FSharpType.IsTuple t -> String.concat " * " arguments
        | d ->
            let arguments = String.concat ", " arguments
            $"{d.Name.Split('`')[0]}<{arguments}>"
    | _ -> t.Name
