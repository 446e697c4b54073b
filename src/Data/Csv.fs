/// Reading CSV: header, quotes, any separator, missing values, a choice of columns. A file is first a table of text;
/// columns become tensors afterwards, and every error says the file, the line and the column.
[<RequireQualifiedAccess>]
module Functional.Csv

open System
open System.Collections.Generic
open System.Globalization
open System.IO
open System.Text

/// What to do where a number is missing.
type Missing =
    /// An error that says where.
    | Refuse
    /// This number stands there instead (NaN, or 0, or a mean).
    | Fill of float

/// How a file is written.
type Options = {
    /// Between fields; None: whichever of comma, semicolon, tab and bar the first line has most of.
    Separator: char option
    /// What its bytes mean, unless they begin with a byte order mark. A byte that is no text in it is an error;
    /// `Encoding.Latin1` reads what older programs of Western Europe wrote.
    Encoding: Encoding
    /// Whether the first line names the columns; without one they are called "1", "2", ….
    HasHeader: bool
    /// Texts that stand for a missing value, besides the empty field; upper and lower case alike.
    MissingTexts: string list
    /// What becomes of missing numbers.
    Missing: Missing
}

/// A header, the separator found out, `NA`, `NaN`, `null` and `?` as missing, and missing numbers refused.
let defaults = {
    Separator = None
    Encoding = Encoding.UTF8
    HasHeader = true
    MissingTexts = [ "NA"; "N/A"; "NaN"; "null"; "?" ]
    Missing = Refuse
}

/// The text of a file: names of the columns, rows of fields, and the line each row begins on.
type Table = {
    Source: string
    Options: Options
    Columns: string[]
    Rows: string[][]
    Lines: int[]
}

let private fail source line message = raise (InvalidDataException $"{source}, line {line}: {message}")

/// A text has at most 2³⁰ characters.
[<Literal>]
let private MostBytes = 0x3FFFFFDF

let private separatorOf (text: string) =
    let firstLine = text |> Seq.takeWhile (fun character -> character <> '\n' && character <> '\r')
    let count separator = firstLine |> Seq.filter ((=) separator) |> Seq.length
    [ ','; ';'; '\t'; '|' ] |> List.maxBy count

/// The rows of a text with the lines they begin on (RFC 4180: a quoted field may hold separators, line ends and doubled
/// quotes). Empty lines are passed over.
let private split source separator (text: string) =
    let rows, fields, field = List<struct (int * string[])>(), List<string>(), StringBuilder()
    let mutable i, line, rowLine = 0, 1, 1

    let endField () =
        fields.Add(field.ToString())
        field.Clear() |> ignore

    let endRow () =
        endField ()

        if fields.Count > 1 || fields[0] <> "" then
            rows.Add(struct (rowLine, fields.ToArray()))

        fields.Clear()

    let atLineEnd () = i < text.Length && (text[i] = '\n' || text[i] = '\r')

    let passLineEnd () =
        i <- i + (if text[i] = '\r' && i + 1 < text.Length && text[i + 1] = '\n' then 2 else 1)
        line <- line + 1

    let quoted () =
        let opened, column = line, fields.Count + 1
        let mutable inside = true
        i <- i + 1

        while inside do
            if i >= text.Length then
                fail source opened $"column {column} opens a quote that is never closed"
            elif text[i] <> '"' then
                if atLineEnd () then
                    line <- line + (if text[i] = '\r' && i + 1 < text.Length && text[i + 1] = '\n' then 0 else 1)

                field.Append text[i] |> ignore
                i <- i + 1
            elif i + 1 < text.Length && text[i + 1] = '"' then
                field.Append '"' |> ignore
                i <- i + 2
            else
                inside <- false
                i <- i + 1

        if i < text.Length && text[i] <> separator && not (atLineEnd ()) then
            fail
                source
                line
                $"column {column} goes on after its closing quote with '{text[i]}'; a quote inside quotes is written twice"

    while i < text.Length do
        if text[i] = '"' && field.Length = 0 then
            quoted ()
        elif text[i] = separator then
            endField ()
            i <- i + 1
        elif atLineEnd () then
            endRow ()
            passLineEnd ()
            rowLine <- line
        else
            field.Append text[i] |> ignore
            i <- i + 1

    if field.Length > 0 || fields.Count > 0 then
        endRow ()

    rows

/// Reads a table from text; the source stands in error messages.
/// <exception cref="T:System.IO.InvalidDataException">A quote is open, a row too short or too long, a name used twice, or nothing there.</exception>
let parse (options: Options) (source: string) (text: string) : Table =
    let separator = options.Separator |> Option.defaultWith (fun () -> separatorOf text)
    let rows = split source separator text

    if rows.Count = 0 then
        raise (InvalidDataException $"{source}: there are no rows in it")

    let struct (headerLine, first) = rows[0]

    let columns =
        if options.HasHeader then
            Array.map (fun (name: string) -> name.Trim()) first
        else
            Array.init first.Length (fun i -> string (i + 1))

    match columns |> Array.countBy id |> Array.tryFind (fun (_, count) -> count > 1) with
    | Some(name, _) -> fail source headerLine $"two columns are called '{name}'"
    | None -> ()

    let body = rows |> Seq.skip (if options.HasHeader then 1 else 0) |> Array.ofSeq

    for struct (line, fields) in body do
        if fields.Length <> columns.Length then
            fail
                source
                line
                $"{fields.Length} fields, where line {headerLine} has {columns.Length} (separator '{separator}')"

    {
        Source = source
        Options = options
        Columns = columns
        Rows = body |> Array.map (fun struct (_, fields) -> fields)
        Lines = body |> Array.map (fun struct (line, _) -> line)
    }

/// The bytes of a file, in memory that grows as they come: some files do not know how long they are.
let private bytesOf path : byte[] =
    use file = RegularFile.openRead "CSV" path
    let mutable bytes = Array.zeroCreate<byte>(int (min file.Length (int64 MostBytes)) + 1)
    let mutable length, read = 0, -1

    while read <> 0 do
        if length = bytes.Length then
            Array.Resize(&bytes, 2 * length)

        read <- file.Read(bytes, length, bytes.Length - length)
        length <- length + read

        if length > MostBytes then
            raise (
                InvalidDataException
                    $"{path}: it has more than {MostBytes} bytes, the most that one text holds; cut it into several files"
            )

    bytes[.. length - 1]

/// The byte order marks, the longer ones first where one begins with another.
let private marked: Encoding list = [
    Encoding.UTF8
    Encoding.UTF32
    UTF32Encoding(true, true)
    Encoding.Unicode
    Encoding.BigEndianUnicode
]

/// The text of a file. What is no text is an error that says on which line it stands.
let private decode (options: Options) path (bytes: byte[]) : string =
    let isMarked (encoding: Encoding) = ReadOnlySpan(bytes).StartsWith(encoding.Preamble)
    let found = marked |> List.tryFind isMarked
    let strict = (defaultArg found options.Encoding).Clone() :?> Encoding
    strict.DecoderFallback <- DecoderFallback.ExceptionFallback
    let start = if found.IsSome then strict.Preamble.Length else 0

    try
        strict.GetString(bytes, start, bytes.Length - start)
    with :? DecoderFallbackException as e ->
        let place = start + max 0 e.Index
        let ends = bytes |> Seq.truncate place |> Seq.filter ((=) (byte '\n')) |> Seq.length
        let shown = Convert.ToHexString(if isNull e.BytesUnknown then [||] else e.BytesUnknown)

        raise (
            InvalidDataException(
                $"{path}, line {ends + 1}: the bytes {shown} are no text in {strict.EncodingName}; save the file as UTF-8, or say what it is: {{ Csv.defaults with Encoding = Encoding.Latin1 }}",
                e
            )
        )

/// Reads a file: UTF-8, or what its byte order mark says, or the encoding of the options.
/// Example: `Csv.read Csv.defaults "iris.csv" |> Csv.numbers [ "width"; "length" ]`.
/// <exception cref="T:System.IO.FileNotFoundException">There is no such file.</exception>
/// <exception cref="T:System.IO.IOException">It is a folder, a device or the like, or may not be read.</exception>
/// <exception cref="T:System.IO.InvalidDataException">A byte is no text, a quote open, a row too short or too long, a name used twice, or nothing there.</exception>
let read (options: Options) (path: string) : Table = bytesOf path |> decode options path |> parse options path

let private columnIndex (table: Table) name =
    match Array.IndexOf(table.Columns, name) with
    | -1 ->
        let known = String.Join(", ", table.Columns)
        invalidArg (nameof name) $"{table.Source}: there is no column '{name}'; the columns are {known}"
    | i -> i

let private isMissing (table: Table) (field: string) =
    let field = field.Trim()

    field = ""
    || table.Options.MissingTexts
       |> List.exists (fun text -> String.Equals(text, field, StringComparison.OrdinalIgnoreCase))

/// The table without the rows in which one of the columns is missing.
let dropMissing (columns: string seq) (table: Table) : Table =
    let chosen = columns |> Seq.map (columnIndex table) |> Array.ofSeq
    let complete (row: string[]) = chosen |> Array.forall (fun i -> not (isMissing table row[i]))
    let kept = Array.zip table.Rows table.Lines |> Array.filter (fst >> complete)
    { table with Rows = Array.map fst kept; Lines = Array.map snd kept }

/// The fields of a column as text.
let texts (column: string) (table: Table) : string[] =
    let i = columnIndex table column
    table.Rows |> Array.map (fun row -> row[i])

/// Columns of numbers, written with a decimal point, as a Float64 tensor of shape rows × columns.
/// <exception cref="T:System.IO.InvalidDataException">A field is not a number, or is missing where that is refused.</exception>
let numbers (columns: string seq) (table: Table) : Tensor =
    let chosen = columns |> Seq.map (columnIndex table) |> Array.ofSeq

    let number row column =
        let field = table.Rows[row][column]

        if isMissing table field then
            match table.Options.Missing with
            | Fill value -> value
            | Refuse ->
                fail
                    table.Source
                    table.Lines[row]
                    $"column {column + 1} ({table.Columns[column]}) is missing; drop such rows (Csv.dropMissing) or fill them (Missing = Fill …)"
        else
            match Double.TryParse(field, NumberStyles.Float, CultureInfo.InvariantCulture) with
            // Infinity can be written as such; digits that come to it are a number that got lost
            | true, value when Double.IsInfinity value && field |> Seq.exists Char.IsAsciiDigit ->
                fail
                    table.Source
                    table.Lines[row]
                    $"column {column + 1} ({table.Columns[column]}): {field} is larger than any number of Float64 (1.8e308)"
            | true, value -> value
            | false, _ ->
                fail
                    table.Source
                    table.Lines[row]
                    $"column {column + 1} ({table.Columns[column]}): '{field}' is not a number"

    let elements =
        Array.init (table.Rows.Length * chosen.Length) (fun i -> number (i / chosen.Length) chosen[i % chosen.Length])

    Tensor.create [ table.Rows.Length; chosen.Length ] elements

/// A column of categories: their names in alphabetical order, and for every row the place of its name there (Int32).
/// <exception cref="T:System.IO.InvalidDataException">A field is missing.</exception>
let categories (column: string) (table: Table) : string[] * Tensor =
    let i = columnIndex table column

    table.Rows
    |> Array.iteri (fun row fields ->
        if isMissing table fields[i] then
            fail
                table.Source
                table.Lines[row]
                $"column {i + 1} ({column}) is missing; drop such rows (Csv.dropMissing)")

    let values = table.Rows |> Array.map (fun row -> row[i].Trim())
    let names = values |> Array.distinct
    Array.Sort(names, StringComparer.Ordinal)
    names, Tensor.ofSeq (values |> Array.map (fun value -> Array.BinarySearch(names, value, StringComparer.Ordinal)))
