/// What programs see: of the facade no F# type anywhere in a public signature, of the F# library nothing without a docstring.
module Functional.Tests.Facade.PublicSurface

open System
open System.Reflection
open System.Text.RegularExpressions
open Expecto
open Microsoft.FSharp

let private assembly = typeof<Functional.CSharp.TensorMath>.Assembly

let private flags =
    BindingFlags.Public
    ||| BindingFlags.NonPublic
    ||| BindingFlags.Static
    ||| BindingFlags.Instance
    ||| BindingFlags.DeclaredOnly

/// A type, its arguments, its elements: everything that is written when the type is.
let rec private parts (t: Type) : Type list = [
    t
    if t.HasElementType then
        yield! parts (t.GetElementType())
    for argument in t.GetGenericArguments() do
        if not argument.IsGenericParameter then
            yield! parts argument
]

let private isFSharp (t: Type) =
    let isFSharpsOwn = not (isNull t.Namespace) && t.Namespace.StartsWith "Microsoft.FSharp"

    // records and unions of the F# library are as foreign to C# as its functions; its tensors are classes
    let isFSharpShaped =
        t.Assembly = typeof<Functional.Tensor>.Assembly
        && (Reflection.FSharpType.IsRecord t
            || Reflection.FSharpType.IsUnion t
            || Reflection.FSharpType.IsModule t)

    isFSharpsOwn || isFSharpShaped

let private isSeen (m: MethodBase) = m.IsPublic || m.IsFamily || m.IsFamilyOrAssembly

let private signatures (t: Type) = [
    if not (isNull t.BaseType) then
        yield $"base of {t.Name}", t.BaseType

    for i in t.GetInterfaces() do
        yield $"interface of {t.Name}", i

    for f in t.GetFields flags do
        if f.IsPublic || f.IsFamily || f.IsFamilyOrAssembly then
            yield $"field {t.Name}.{f.Name}", f.FieldType

    for c in t.GetConstructors flags do
        if isSeen c then
            for p in c.GetParameters() do
                yield $"constructor of {t.Name}, parameter {p.Name}", p.ParameterType

    for m in t.GetMethods flags do
        if isSeen m then
            yield $"{t.Name}.{m.Name}, result", m.ReturnType

            for p in m.GetParameters() do
                yield $"{t.Name}.{m.Name}, parameter {p.Name}", p.ParameterType

    for e in t.GetEvents flags do
        yield $"event {t.Name}.{e.Name}", e.EventHandlerType
]

/// What an assembly's documentation file has a text for: full names without arities and parameters.
let private documented (assembly: Assembly) =
    Regex.Matches(
        IO.File.ReadAllText(IO.Path.ChangeExtension(assembly.Location, ".xml")),
        "<member name=\"[TMP]:([^\"(]*)"
    )
    |> Seq.map (fun m -> Regex.Replace(m.Groups[1].Value, @"`+\d+", ""))
    |> Set.ofSeq

/// The types, and the functions and values of modules, that a program sees without opening the library's insides and
/// that have no docstring. (C#'s compiler sees to the facade.) Indexers and slices are syntax.
let private undocumented (assembly: Assembly) = [
    let texts = documented assembly
    let isMade (m: MemberInfo) = m.IsDefined(typeof<Runtime.CompilerServices.CompilerGeneratedAttribute>, false)
    let isSyntax (name: string) = name.EndsWith ".get_Item" || name.EndsWith ".GetSlice"

    for t in assembly.GetExportedTypes() do
        let inUnion = not (isNull t.DeclaringType) && Reflection.FSharpType.IsUnion t.DeclaringType

        if t.Namespace = "Functional" && not inUnion && not (t.FullName.Contains '<' || isMade t) then
            let name = Regex.Replace(t.FullName.Replace('+', '.'), @"`\d+", "")

            if not (Reflection.FSharpType.IsModule t) then
                if not (texts.Contains name) then
                    name
            else
                let flags = BindingFlags.Public ||| BindingFlags.Static ||| BindingFlags.DeclaredOnly
                let methods = t.GetMethods flags |> Seq.filter (fun m -> not m.IsSpecialName) |> Seq.cast<MemberInfo>

                for m in Seq.append methods (t.GetProperties flags |> Seq.cast) do
                    if not (isMade m || isSyntax m.Name || texts.Contains $"{name}.{m.Name}") then
                        $"{name}.{m.Name}"
]

[<Tests>]
let tests =
    testList "facade" [
        testCase "no F# type appears in a public signature"
        <| fun () ->
            let found = [
                for t in assembly.GetExportedTypes() do
                    for where, used in signatures t do
                        for part in parts used do
                            if isFSharp part then
                                $"{where}: {part}"
            ]

            Expect.isEmpty found (String.concat "\n" found)

        testCase "every layer is read back from a saved model, but those that hold a function"
        <| fun () ->
            let layers =
                Set [
                    for t in assembly.GetExportedTypes() do
                        if t.IsSealed && t.IsSubclassOf typeof<Functional.CSharp.Layer> && not t.IsGenericType then
                            t.Name
                ]
                |> Set.remove (nameof Functional.CSharp.Lambda)

            let makers =
                assembly
                    .GetType("Functional.CSharp.LayerReader")
                    .GetField("Makers", BindingFlags.NonPublic ||| BindingFlags.Static)
                    .GetValue(null)
                :?> Collections.IDictionary

            Expect.equal (Set.ofSeq (Seq.cast<string> makers.Keys)) layers "the lines of LayerReader.cs"

        testCase "everything public of the F# library is documented"
        <| fun () ->
            let missing = undocumented typeof<Functional.Tensor>.Assembly
            Expect.isEmpty missing (String.concat "\n" missing)
    ]
