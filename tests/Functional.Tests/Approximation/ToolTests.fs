/// The function generator's command line, and its networks as programs that depend on nothing.
module Functional.Tests.Approximation.ToolTests

open System
open System.Diagnostics
open System.IO
open System.Reflection
open Expecto
open Microsoft.CodeAnalysis
open Microsoft.CodeAnalysis.CSharp
open Functional
open Functional.Tests.Folders
open Examples
open Generator

let private wish (arguments: string list) =
    let formula, rest = Asked.arranged arguments
    let known = [ "on"; "csv"; "target"; "epsilon"; "activation"; "optimiser" ]
    let command = Command("Approximate", [ for name in known -> struct (name, "") ], Array.ofList rest)
    Asked.wish formula command, Asked.options command

let private refused = ApproximateTests.refused

/// A network whose numbers are all there is to it, of two layers, two inputs and two outputs.
let private some kind =
    let keys = Key.split 3 (Key.create 5L)

    let settings = {
        Dense.defaults with
            DType = DType.Float64
            BiasInitializer = Some(Initializer.uniform -1.0 1.0)
    }

    let init i inputs outputs = Dense.initWith settings keys[i] inputs outputs

    {
        Network = { Hidden = [ init 0 2 3; init 1 3 3 ]; Output = init 2 3 2 }
        Activation = kind
        Box = [ -1.0, 1.0; 0.0, 1.0 ]
        Epsilon = 1.0
        Width = 3
        Sup = 0.5
        SupOnGrid = 0.5
        L2 = 0.1
        Worst = [| 0.0; 0.0 |]
        Points = 1
        TrainingPoints = 1
        Steps = 0
        Seconds = 0.0
        Trials = []
    }

let private kinds = [
    HiddenActivation.Sigmoid
    HiddenActivation.Tanh
    HiddenActivation.Relu
    HiddenActivation.Gaussian
    HiddenActivation.Sin
]

let private points = [ [| 0.3; 0.7 |]; [| -0.9; 0.1 |] ]

let private isSame (name: string) (a: Approximation) (found: float[] list) =
    for point, values in List.zip points found do
        let wanted = a.Apply(Tensor.ofRows [ List.ofArray point ]) |> Tensor.toFloats

        for w, v in Array.zip wanted values do
            Expect.isLessThan (abs (w - v)) 4e-15 name

let private compiled (source: string) : Assembly =
    let references =
        (AppContext.GetData "TRUSTED_PLATFORM_ASSEMBLIES" :?> string).Split Path.PathSeparator
        |> Array.filter (fun path -> (Path.GetFileName path).StartsWith "System.")
        |> Array.map (fun path -> MetadataReference.CreateFromFile path :> MetadataReference)

    let options = CSharpCompilationOptions OutputKind.DynamicallyLinkedLibrary
    use file = new MemoryStream()

    let result =
        CSharpCompilation.Create("Network", [ CSharpSyntaxTree.ParseText source ], references, options).Emit file

    Expect.isTrue result.Success (String.Join("\n", result.Diagnostics) + "\n" + source)
    Assembly.Load(file.ToArray())

[<Tests>]
let tests =
    testList "function generator" [
        testCase "a network as C# gives the same numbers"
        <| fun () ->
            for kind in kinds do
                let a = some kind
                let f = (compiled (NetworkSource.csharp a)).GetType("Network").GetMethod "F"
                isSame $"{kind}" a [ for point in points -> f.Invoke(null, [| point |]) :?> float[] ]

        testCase "a network as F# gives the same numbers"
        <| inFolder (fun folder ->
            // all in one script, each a module of its own
            let script =
                String.concat "\n" [
                    for i, kind in List.indexed kinds do
                        $"module N{i} ="

                        for line in (NetworkSource.fsharp (some kind)).Split '\n' do
                            "  " + line.Replace("module Network", "")
                    for i in 0 .. kinds.Length - 1 do
                        for point in points do
                            $"N{i}.f [| {point[0]}; {point[1]} |] |> Array.map string |> String.concat \" \" |> printfn \"%%s\""
                ]

            let path = Path.Combine(folder, "networks.fsx")
            File.WriteAllText(path, script)

            let info =
                ProcessStartInfo(
                    "dotnet",
                    [ "fsi"; "--quiet"; path ],
                    RedirectStandardOutput = true,
                    RedirectStandardError = true
                )

            use fsi = Process.Start info
            let errors = fsi.StandardError.ReadToEndAsync()

            let numbers = [|
                for line in fsi.StandardOutput.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries) ->
                    line.Split ' ' |> Array.map (fun x -> Double.Parse(x, Globalization.CultureInfo.InvariantCulture))
            |]

            fsi.WaitForExit()
            Expect.equal numbers.Length (2 * kinds.Length) (errors.Result + script)

            for i, kind in List.indexed kinds do
                isSame $"{kind}" (some kind) [ numbers[2 * i]; numbers[2 * i + 1] ])

        testCase "the command line says what is wanted"
        <| fun () ->
            match wish [ "x*y"; "--on"; "x=-1..1"; "y=0..2"; "--epsilon"; "1e-2"; "--activation"; "relu" ] with
            | Asked.Function(_, variables, box), options ->
                Expect.equal (variables, box) ([ "x"; "y" ], [ -1.0, 1.0; 0.0, 2.0 ]) "the box"
                Expect.equal (options.Epsilon, options.Activation) (1e-2, HiddenActivation.Relu) "options"
            | _ -> failtest "a function"

            match wish [ "--on"; "-2..2"; "sin(3*t)" ] with
            | Asked.Function(_, variables, box), _ ->
                Expect.equal (variables, box) ([ "t" ], [ -2.0, 2.0 ]) "one variable"
            | _ -> failtest "a function"

        testCase "variables and intervals that do not go together are named"
        <| fun () ->
            let asks arguments () = wish arguments |> ignore

            refused
                "has the variables x, y; --on gives 1 intervals without all their names"
                (asks [ "x*y"; "--on"; "-1..1" ])

            refused
                "has the variables x, y, and --on gives intervals for x, z"
                (asks [ "x*y"; "--on"; "x=0..1"; "z=0..1" ])

            refused "an interval is written -2..2" (asks [ "x"; "--on"; "1" ])
            refused "over what?" (asks [ "x" ])
            refused "what is to be approximated?" (asks [])
            refused "--activation is one of tanh" (asks [ "x"; "--on"; "0..1"; "--activation"; "swish" ])

        testCase "a table's cells without a number are named by row and column"
        <| inFolder (fun folder ->
            let path = Path.Combine(folder, "data.csv")

            let asks (text: string) target () =
                File.WriteAllText(path, text)
                wish [ "--csv"; path; "--target"; target ] |> ignore

            let invalid (words: string) f =
                let message =
                    (try
                        f ()
                        "nothing"
                     with :? InvalidDataException as e ->
                         e.Message)

                Expect.stringContains message words "the error"

            invalid "line 3: column 2 (b) is missing" (asks "a,b,y\n1,2,3\n4,,6\n" "y")
            invalid "line 2: column 1 (a): 'one' is not a number" (asks "a,b,y\none,2,3\n" "y")
            refused "has no column 'z'; there are a, b, y" (asks "a,b,y\n1,2,3\n" "z")

            File.WriteAllText(path, "a,b,y\n1,2,3\n4,5,6\n")

            match wish [ "--csv"; path; "--target"; "y" ] with
            | Asked.Table(_, variables, x, y), _ ->
                Expect.equal variables [ "a"; "b" ] "columns"
                Expect.equal (x, y) ([| [| 1.0; 2.0 |]; [| 4.0; 5.0 |] |], [| [| 3.0 |]; [| 6.0 |] |]) "rows"
            | _ -> failtest "a table")
    ]
