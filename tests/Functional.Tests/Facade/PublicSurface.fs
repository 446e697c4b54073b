/// What C# sees of the facade: no F# type anywhere in a public signature.
module Functional.Tests.Facade.PublicSurface

open System
open System.Reflection
open Expecto

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

        testCase "everything public is documented"
        <| fun () ->
            let xml = IO.Path.ChangeExtension(assembly.Location, ".xml")
            Expect.isTrue (IO.File.Exists xml) "the documentation file is built with the assembly"
            let text = IO.File.ReadAllText xml

            let missing = [
                for t in assembly.GetExportedTypes() do
                    if not (t.Name.StartsWith "<") && not (text.Contains $"\"T:{t.FullName.Replace('+', '.')}\"") then
                        t.FullName
            ]

            Expect.isEmpty missing (String.concat ", " missing)
    ]
