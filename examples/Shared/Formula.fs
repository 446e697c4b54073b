namespace Examples

// Text that becomes a function of tensors: parsed by NCalc into a tree, which is walked once for each evaluation.

open System
open System.Globalization
open System.Text.RegularExpressions
open System.Threading
open Functional
open NCalc

/// Reading formulas: what stands at each place, and what is wrong there.
[<RequireQualifiedAccess>]
module private Reading =

    let numbers: (string * (Tensor -> Tensor)) list = [
        "sin", sin
        "cos", cos
        "tan", tan
        "asin", asin
        "acos", acos
        "atan", atan
        "sinh", sinh
        "cosh", cosh
        "tanh", tanh
        "exp", exp
        "log", log
        "ln", log
        "log10", log10
        "log2", (fun x -> log x / log 2.0)
        "sqrt", sqrt
        "cbrt", (fun x -> signum x * abs x ** (1.0 / 3.0))
        "abs", abs
        "sign", signum
        "floor", floor
        "ceil", ceil
        "round", round
        "erf", erf
        "erfc", erfc
        "sigmoid", sigmoid
        "relu", relu
    ]

    let pairs: (string * (Tensor -> Tensor -> Tensor)) list = [
        "min", minimum
        "max", maximum
        "pow", (fun a b -> a ** b)
        "hypot", (fun a b -> sqrt (a * a + b * b))
    ]

    let constants = Map [ "pi", Math.PI; "tau", Math.Tau; "e", Math.E ]

    /// The sentence, the text, and an arrow under the place.
    let wrong (text: string) (at: int) (what: string) : exn =
        let at = Math.Clamp(at, 0, text.Length)
        ArgumentException $"{what}\n  {text}\n  {String(' ', at)}^"

    /// What NCalc writes otherwise, and for each character of the result the place in the text that it comes from.
    let translated (text: string) : string * int[] =
        let pieces = [|
            for i in 0 .. text.Length - 1 ->
                match text[i] with
                | '^' -> "**", i
                | '²' -> "**2", i
                | '³' -> "**3", i
                | 'π' -> "pi", i
                | '·'
                | '×' -> "*", i
                | '−' -> "-", i
                | c -> string c, i
        |]

        pieces |> Array.map fst |> String.concat "",
        Array.append (pieces |> Array.collect (fun (piece, i) -> Array.create piece.Length i)) [| text.Length |]

    /// Texts between semicolons, each with the place it begins at.
    let parts (text: string) : (string * int) list =
        let starts =
            0
            :: [
                for i in 0 .. text.Length - 1 do
                    if text[i] = ';' then
                        i + 1
            ]

        let ends = List.tail starts @ [ text.Length + 1 ]
        List.map2 (fun first next -> text[first .. next - 2], first) starts ends

    /// Where a name stands by itself.
    let placeOf (text: string) (name: string) = Regex.Match(text, $@"(?<!\w){Regex.Escape name}(?!\w)").Index

    let parse (whole: string) (part: string, first: int) : LogicalExpression =
        let text, places = translated part
        let fail at what = raise (wrong whole (first + places[Math.Clamp(at, 0, places.Length - 1)]) what)

        if part.Trim() = "" then
            fail (places.Length - 1) "there is nothing to compute here"

        try
            LogicalExpressionParser.Parse(
                text,
                LogicalExpressionParserOptions(),
                CultureInfo.InvariantCulture,
                CancellationToken.None
            )
        with e ->
            let said = Regex.Match(e.Message, @"^(.*?)\.?\s*(?:at position \((\d+):(\d+)\))?$")
            let operators = Regex.Match(text, @"^\s*[*/%<>=&|?:]|[-+*/%<>=&|?:]\s*[*/%<>=&|?:)]|[-+*/%<>=&|?:]\s*$")

            let at =
                if said.Groups[3].Success then int said.Groups[3].Value - 1
                elif operators.Success then operators.Index + operators.Length - 1
                else max 0 (text.IndexOfAny [| '|'; '#'; '{'; '}'; '$'; '@'; '\\' |])

            fail
                at
                (if e.Message.Contains "Parenthesis" then
                     "a parenthesis is not closed"
                 else
                     "this does not parse")

    type Value =
        | Number of Tensor
        | Truth of Tensor

    /// What a tree comes to, given what names stand for. Errors point at the place in the text.
    let rec value (whole: string) (lookup: string -> Tensor option) (tree: LogicalExpression) : Value =
        let value tree = value whole lookup tree
        let fail at what = raise (wrong whole at what)

        let number tree =
            match value tree with
            | Number x -> x
            | Truth _ -> fail 0 "a condition stands where a number is needed"

        let truth tree =
            match value tree with
            | Truth x -> x
            | Number _ -> fail 0 "a number stands where a condition is needed, such as x < 0"

        match tree with
        | :? ValueExpression as v ->
            match v.Value with
            | :? bool as b -> Truth(greater (scalar (if b then 1.0 else 0.0)) (scalar 0.5))
            | :? string as s -> fail (whole.IndexOf s - 1) "a text is no number"
            | x -> Number(scalar (Convert.ToDouble(x, CultureInfo.InvariantCulture)))
        | :? Identifier as name ->
            match lookup name.Name with
            | Some x -> Number x
            | None -> fail (placeOf whole name.Name) $"there is no variable {name.Name}"
        | :? UnaryExpression as u ->
            match u.Type with
            | UnaryExpressionType.Negate -> Number(-(number u.Expression))
            | UnaryExpressionType.Positive -> Number(number u.Expression)
            | UnaryExpressionType.Not -> Truth(logicalNot (truth u.Expression))
            | other -> fail (max 0 (whole.IndexOf '!')) $"{other} is not known here"
        | :? TernaryExpression as t ->
            let mask, yes, no = truth t.LeftExpression, number t.MiddleExpression, number t.RightExpression
            Number(where mask yes no)
        | :? BinaryExpression as b -> binary fail number truth b
        | :? Function as f ->
            let name, arguments = f.Identifier.Name, List.ofSeq f.Parameters
            let at = placeOf whole name

            match List.tryFind (fst >> (=) name) numbers, List.tryFind (fst >> (=) name) pairs, arguments with
            | Some(_, f), _, [ x ] -> Number(f (number x))
            | _, Some(_, f), [ x; y ] -> Number(f (number x) (number y))
            | Some _, _, _ -> fail at $"{name} takes one number; {arguments.Length} are given"
            | _, Some _, _ -> fail at $"{name} takes two numbers; {arguments.Length} are given"
            | _ ->
                let known = List.map fst numbers @ List.map fst pairs |> String.concat ", "
                fail at $"there is no function {name}; there are {known}"
        | _ -> fail 0 "this is not one expression; several are divided by semicolons"

    and private binary fail number truth (b: BinaryExpression) =
        let numbers f = f (number b.LeftExpression) (number b.RightExpression)
        let truths f = Truth(f (truth b.LeftExpression) (truth b.RightExpression))

        match b.Type with
        | BinaryExpressionType.Plus -> Number(numbers (+))
        | BinaryExpressionType.Minus -> Number(numbers (-))
        | BinaryExpressionType.Times -> Number(numbers (*))
        | BinaryExpressionType.Div -> Number(numbers (/))
        | BinaryExpressionType.Modulo -> Number(numbers (fun x y -> x - y * floor (x / y)))
        | BinaryExpressionType.Exponentiation ->
            match b.RightExpression with
            // a square is a product, right for negative numbers to the last digit
            | :? ValueExpression as v when string v.Value = "2" -> Number(square (number b.LeftExpression))
            | _ -> Number(numbers (fun x y -> x ** y))
        | BinaryExpressionType.Lesser -> Truth(numbers less)
        | BinaryExpressionType.LesserOrEqual -> Truth(numbers lessEqual)
        | BinaryExpressionType.Greater -> Truth(numbers greater)
        | BinaryExpressionType.GreaterOrEqual -> Truth(numbers greaterEqual)
        | BinaryExpressionType.Equal -> Truth(numbers equal)
        | BinaryExpressionType.NotEqual -> Truth(numbers notEqual)
        | BinaryExpressionType.And -> truths logicalAnd
        | BinaryExpressionType.Or -> truths logicalOr
        | other -> fail 0 $"{other} is not known here"

    /// The names in a tree that are no constants.
    let rec names (tree: LogicalExpression) : string list =
        match tree with
        | :? Identifier as name -> if constants.ContainsKey name.Name then [] else [ name.Name ]
        | :? UnaryExpression as u -> names u.Expression
        | :? BinaryExpression as b -> names b.LeftExpression @ names b.RightExpression
        | :? TernaryExpression as t -> names t.LeftExpression @ names t.MiddleExpression @ names t.RightExpression
        | :? Function as f -> f.Parameters |> Seq.collect names |> List.ofSeq
        | _ -> []

/// A formula in variables, such as `sin(3*x) + abs(x)`, `x < 0 ? -x : x^2`, `sin(t); cos(t)`.
[<Sealed>]
type Formula private (text: string, trees: LogicalExpression list) =

    /// Reads a formula. One that does not parse is refused with an arrow under the place.
    static member Parse(text: string) : Formula = Formula(text, Reading.parts text |> List.map (Reading.parse text))

    /// The names in it that are no constants, in the order of the alphabet.
    member _.Variables: string list = trees |> List.collect Reading.names |> List.distinct |> List.sort

    /// How many values it has.
    member _.Outputs = trees.Length

    /// The formula as a function of points [n, variables], which gives values [n, outputs].
    member f.Over(variables: string list) : Tensor -> Tensor =
        let evaluate (x: Tensor) =
            let lookup name =
                match List.tryFindIndex ((=) name) variables, Reading.constants.TryFind name with
                | Some k, _ -> Some(narrow 1 k 1 x)
                | None, Some constant -> Some(scalar constant)
                | None, None -> None

            let n = x.Shape[0]

            concat 1 [
                for tree in trees ->
                    match Reading.value text lookup tree with
                    | Reading.Number y -> broadcastTo [| n; 1 |] y
                    | Reading.Truth _ -> raise (Reading.wrong text 0 "a condition is no value; write condition ? 1 : 0")
            ]

        // what is wrong with it shows at the first point
        evaluate (Tensor.zeros [ 1; variables.Length ]) |> ignore
        evaluate

    override _.ToString() = text
