/// The public names of the two libraries with their types, as text: what programs are written against. The text stands beside
/// this file, so that a change shows in the change that makes it.
module Functional.Tests.Surface

open System
open System.IO
open System.Reflection
open System.Text.RegularExpressions
open Expecto
open Microsoft.FSharp.Reflection
open Functional.Tests.Oracles

let private command = "dotnet run -c Release --project tests/Functional.Tests -- --surface"

/// What each language calls the types that have a word of their own.
let private words isFSharp =
    dict [
        typeof<bool>, "bool"
        typeof<int>, "int"
        typeof<int64>, (if isFSharp then "int64" else "long")
        typeof<uint64>, (if isFSharp then "uint64" else "ulong")
        typeof<float>, (if isFSharp then "float" else "double")
        typeof<float32>, (if isFSharp then "float32" else "float")
        typeof<string>, "string"
        typeof<obj>, (if isFSharp then "obj" else "object")
        typeof<unit>, "unit"
        typeof<Void>, (if isFSharp then "unit" else "void")
    ]

let private fsharp, private csharp = words true, words false

let private plain (name: string) = Regex.Replace(name, @"`\d+", "")

/// A type without its namespace: `Tensor -> int list`, `Func<Tensor, Tensor>`.
let rec private show (words: Collections.Generic.IDictionary<Type, string>) (t: Type) : string =
    let show = show words
    let isOf (definition: Type) = t.IsGenericType && t.GetGenericTypeDefinition() = definition
    let argument i = t.GetGenericArguments()[i]

    let bracketed (t: Type) = if FSharpType.IsFunction t then $"({show t})" else show t

    match words.TryGetValue t with
    | true, word -> word
    | _ when t.IsGenericParameter -> if obj.ReferenceEquals(words, fsharp) then "'" + t.Name else t.Name
    | _ when t.IsByRef -> "ref " + show (t.GetElementType())
    | _ when t.IsArray -> bracketed (t.GetElementType()) + "[" + String(',', t.GetArrayRank() - 1) + "]"
    | _ when FSharpType.IsFunction t ->
        let from, result = FSharpType.GetFunctionElements t
        $"{bracketed from} -> {show result}"
    | _ when FSharpType.IsTuple t && obj.ReferenceEquals(words, fsharp) ->
        "(" + (FSharpType.GetTupleElements t |> Seq.map bracketed |> String.concat " * ") + ")"
    | _ when isOf typedefof<_ option> -> bracketed (argument 0) + " option"
    | _ when isOf typedefof<_ list> -> bracketed (argument 0) + " list"
    | _ when isOf typedefof<Nullable<_>> -> show (argument 0) + "?"
    | _ ->
        let outer =
            if isNull t.DeclaringType || t.IsGenericParameter then
                ""
            else
                plain t.DeclaringType.Name + "."

        outer
        + plain t.Name
        + match t.GetGenericArguments() with
          | [||] -> ""
          | arguments -> "<" + (arguments |> Seq.map show |> String.concat ", ") + ">"

let private isMade (m: MemberInfo) =
    m.IsDefined(typeof<Runtime.CompilerServices.CompilerGeneratedAttribute>, false)
    || m.Name.Contains '<'
    || m.Name.Contains '@'

/// A function of a module, one argument after the other where they are so.
let private curried (m: MethodInfo) =
    let parameters = [ for p in m.GetParameters() -> $"{p.Name}: {show fsharp p.ParameterType}" ]

    let counts =
        if m.IsDefined typeof<CompilationArgumentCountsAttribute> then
            List.ofSeq (m.GetCustomAttribute<CompilationArgumentCountsAttribute>().Counts)
        else
            [ parameters.Length ]

    let groups, _ =
        counts |> List.mapFold (fun rest count -> List.truncate count rest, List.skip count rest) parameters

    [
        for group in groups do
            match group with
            | [ one ] -> $"({one})"
            | several -> "(" + String.concat ", " several + ")"
    ]
    |> String.concat " "
    |> fun arguments -> $"{m.Name} {arguments}: {show fsharp m.ReturnType}"

let private call words (name: string) (m: MethodBase) =
    let parameters = [
        for p in m.GetParameters() do
            let otherwise =
                if not p.HasDefaultValue then
                    ""
                elif isNull p.DefaultValue then
                    " = default"
                else
                    " = " + String.Format(Globalization.CultureInfo.InvariantCulture, "{0}", p.DefaultValue)

            $"{p.Name}: {show words p.ParameterType}{otherwise}"
    ]

    name + "(" + String.concat ", " parameters + ")"

let private lines words (t: Type) : string seq =
    let flags =
        BindingFlags.Public
        ||| BindingFlags.NonPublic
        ||| BindingFlags.Instance
        ||| BindingFlags.Static
        ||| BindingFlags.DeclaredOnly

    let isSeen (m: MethodBase) = not (isNull m) && (m.IsPublic || m.IsFamily || m.IsFamilyOrAssembly)
    let isModule = FSharpType.IsModule t

    seq {
        if t.IsEnum then
            for f in t.GetFields(BindingFlags.Public ||| BindingFlags.Static) do
                $"{f.Name} = {f.GetRawConstantValue()}"
        elif FSharpType.IsUnion t then
            for case in FSharpType.GetUnionCases t do
                "| "
                + case.Name
                + (case.GetFields() |> Seq.map (fun f -> $" {f.Name}: {show words f.PropertyType}") |> String.concat "")

        if not t.IsEnum then
            for c in t.GetConstructors flags do
                if isSeen c && not (isMade c) && not (FSharpType.IsRecord t) then
                    call words "new" c

            for p in t.GetProperties flags do
                if (isSeen p.GetMethod || isSeen p.SetMethod) && not (isMade p) then
                    let set = if isSeen p.SetMethod then ", settable" else ""
                    $"{p.Name}: {show words p.PropertyType}{set}"

            for m in t.GetMethods flags do
                let isAccessor = m.IsSpecialName && not (m.Name.StartsWith "op_")
                let isOverride = m.GetBaseDefinition().DeclaringType <> t

                if isSeen m && not (isMade m || isAccessor || isOverride) then
                    if isModule then
                        curried m
                    else
                        call words m.Name m + ": " + show words m.ReturnType

            for f in t.GetFields flags do
                if f.IsPublic && not (isMade f) then
                    $"{f.Name}: {show words f.FieldType}"

            for e in t.GetEvents flags do
                $"event {e.Name}: {show words e.EventHandlerType}"
    }
    |> Seq.distinct
    |> Seq.sortWith (fun a b -> String.CompareOrdinal(a, b))

let private kind (t: Type) =
    if FSharpType.IsModule t then "module"
    elif t.IsEnum then "enum"
    elif FSharpType.IsUnion t then "union"
    elif FSharpType.IsRecord t then "record"
    elif t.IsInterface then "interface"
    elif t.IsValueType then "struct"
    else "class"

/// Everything public in a namespace, type by type.
let private surface (assembly: Assembly) (space: string) words : string =
    let isOfUnion (t: Type) = not (isNull t.DeclaringType) && FSharpType.IsUnion t.DeclaringType

    assembly.GetExportedTypes()
    |> Seq.filter (fun t -> t.Namespace = space && not (isMade t || isOfUnion t))
    |> Seq.map (fun t -> $"{kind t} {show words t}", lines words t)
    |> Seq.sortWith (fun (a, _) (b, _) -> String.CompareOrdinal(a, b))
    |> Seq.collect (fun (head, members) -> Seq.append (Seq.append [ head ] (members |> Seq.map ((+) "    "))) [ "" ])
    |> String.concat "\n"

let private surfaces = [
    "Functional", typeof<Functional.Tensor>.Assembly, fsharp
    "Functional.CSharp", typeof<Functional.CSharp.TensorMath>.Assembly, csharp
]

let private path (name: string) = Path.Combine(repositoryRoot, "tests/Functional.Tests/Surface", name + ".txt")

/// Writes the texts anew.
let (|Child|_|) (args: string[]) =
    match args with
    | [| "--surface" |] ->
        Some(fun () ->
            for name, assembly, words in surfaces do
                File.WriteAllText(path name, surface assembly name words))
    | _ -> None

[<Tests>]
let tests =
    testList "public surface" [
        for name, assembly, words in surfaces do
            testCase name
            <| fun () ->
                let lines (text: string) = text.ReplaceLineEndings("\n").Split '\n' |> Set.ofArray
                let was, now = lines (File.ReadAllText(path name)), lines (surface assembly name words)
                let gone = was - now |> Seq.map ((+) "- ")
                let come = now - was |> Seq.map ((+) "+ ")
                let changes = Seq.append gone come |> String.concat "\n"
                Expect.equal changes "" $"public names have changed; if they are meant to, run `{command}`"
    ]
