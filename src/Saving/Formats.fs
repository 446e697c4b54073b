/// The formats that trees are saved in and loaded from.
module internal Functional.Formats

open System

/// All that there are; the first is that of files whose ending says nothing.
let known: Format list = [ Safetensors.format ]

let private ofPath (path: string) =
    known
    |> List.tryFind (fun format ->
        not (isNull path) && path.EndsWith(format.Ending, StringComparison.OrdinalIgnoreCase))
    |> Option.defaultValue known.Head

/// Writes texts and tensors to a file.
let write (path: string) (texts: Map<string, string>) (tensors: (string * Tensor)[]) : unit =
    (ofPath path).Write path texts tensors

/// Opens a file.
let openFile (path: string) : StoredFile = (ofPath path).Open path
