/// CSV: what the format allows, what tensors come of it, and that every error names its line and column.
module Functional.Tests.Data.CsvTests

open System.IO
open Expecto
open Functional
open Functional.Tests.Data.Files

let private people = "name,age,height\nAnn,31,1.70\nBob,,1.82\n\"Carl, Jr.\",NA,1.65\nDora,28,1.6e0\n"
let private parse = Csv.parse Csv.defaults "people.csv"

let private wrong name text parts (useIt: Csv.Table -> unit) =
    testCase name
    <| fun () -> failsWith<InvalidDataException> ("people.csv" :: parts) (fun () -> parse text |> useIt)

[<Tests>]
let tests =
    testList "csv" [
        testCase "a header, chosen columns, missing rows dropped"
        <| fun () ->
            let table = parse people
            Expect.equal table.Columns [| "name"; "age"; "height" |] "columns"
            let x = table |> Csv.dropMissing [ "age" ] |> Csv.numbers [ "height"; "age" ]
            Expect.equal x.Shape [| 2; 2 |] "shape"
            Expect.sequenceEqual (Tensor.toFloats x) [ 1.70; 31.0; 1.6; 28.0 ] "numbers"
            Expect.equal (Csv.texts "name" table) [| "Ann"; "Bob"; "Carl, Jr."; "Dora" |] "texts"

        testCase "missing numbers filled"
        <| fun () ->
            let table = Csv.parse { Csv.defaults with Missing = Csv.Fill 0.0 } "people.csv" people
            Expect.sequenceEqual (Tensor.toFloats (Csv.numbers [ "age" ] table)) [ 31.0; 0.0; 0.0; 28.0 ] "filled"

        testCase "quotes hold separators, line ends and quotes; lines end in three ways; empty ones are passed over"
        <| fun () ->
            let table = parse "a;b\r\n\"x;1\";\"say \"\"no\"\"\"\r\n\r\n\"two\r\nlines\";\r3;\"\"\n4;5"

            Expect.equal
                table.Rows
                [| [| "x;1"; "say \"no\"" |]; [| "two\r\nlines"; "" |]; [| "3"; "" |]; [| "4"; "5" |] |]
                "rows"

            Expect.equal table.Lines [| 2; 4; 6; 7 |] "lines"

        testCase "the separator is found out, or given"
        <| fun () ->
            for separator in [ ","; ";"; "\t"; "|" ] do
                Expect.equal (parse $"a{separator}b\n1{separator}2").Rows [| [| "1"; "2" |] |] separator

            let table = Csv.parse { Csv.defaults with Separator = Some ' '; HasHeader = false } "points" "1 2\n3 4"

            Expect.sequenceEqual
                (Tensor.toFloats (Csv.numbers [ "2"; "1" ] table))
                [ 2.0; 1.0; 4.0; 3.0 ]
                "numbered columns"

        testCase "categories"
        <| fun () ->
            let names, codes = parse "sign\nlion\nfish\nlion\nbull" |> Csv.categories "sign"
            Expect.equal names [| "bull"; "fish"; "lion" |] "names"
            Expect.equal (Tensor.toArray<int> codes) [| 2; 1; 2; 0 |] "codes"

        testCase "a file, with a byte order mark"
        <| inFolder (fun folder ->
            let path = write folder "a.csv" (Array.append [| 0xEFuy; 0xBBuy; 0xBFuy |] "x\n5"B)

            Expect.sequenceEqual
                (Csv.read Csv.defaults path |> Csv.numbers [ "x" ] |> Tensor.toFloats)
                [ 5.0 ]
                "number"

            failsWith<FileNotFoundException> [ "none.csv" ] (fun () -> Csv.read Csv.defaults "none.csv" |> ignore))

        wrong
            "not a number"
            "a,b\n1,2\n3,x"
            [ "line 3"; "column 2 (b)"; "'x' is not a number" ]
            (Csv.numbers [ "b" ] >> ignore)
        wrong "a missing number" people [ "line 3"; "column 2 (age)"; "missing" ] (Csv.numbers [ "age" ] >> ignore)
        wrong "a missing category" "a\tb\n1\t\n" [ "line 2"; "column 2 (b)" ] (Csv.categories "b" >> ignore)
        wrong "a short row" "a,b\n1,2\n\n3" [ "line 4"; "1 fields"; "has 2" ] ignore
        wrong "an open quote" "a,b\n1,\"2\n3,4" [ "line 2"; "column 2"; "never closed" ] ignore
        wrong "text after a quote" "a,b\n\"1\"2,3" [ "line 2"; "column 1"; "'2'" ] ignore
        wrong "a name twice" "a,a\n1,2" [ "line 1"; "'a'" ] ignore
        wrong "nothing" "\n\n" [ "no rows" ] ignore

        testCase "an unknown column"
        <| fun () ->
            failsWith<System.ArgumentException> [ "people.csv"; "'size'"; "name, age, height" ] (fun () ->
                parse people |> Csv.numbers [ "size" ] |> ignore)
    ]
