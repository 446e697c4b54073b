/// Other people's numbers: reference data that is read where it lies and never copied into the project.
/// A test that needs some says so with `skipWithout` and is skipped, with the reason, where it is absent.
module Functional.Tests.Oracles

open System
open System.IO
open Expecto

/// The folder with Functional.sln, found upwards from the program.
let repositoryRoot =
    let rec up (folder: DirectoryInfo) =
        if isNull folder then
            Directory.GetCurrentDirectory()
        elif File.Exists(Path.Combine(folder.FullName, "Functional.sln")) then
            folder.FullName
        else
            up folder.Parent

    up (DirectoryInfo AppContext.BaseDirectory)

/// Where oracles may lie: `../shared/data` seen from the repository root, then FUNCTIONAL_DATA and its parent
/// (FUNCTIONAL_DATA may name the folder of one data set, such as MNIST, with the others beside it).
let private folders = [
    Path.GetFullPath(Path.Combine(repositoryRoot, "..", "shared", "data"))
    match Environment.GetEnvironmentVariable "FUNCTIONAL_DATA" with
    | null
    | "" -> ()
    | folder ->
        let folder = folder |> Path.GetFullPath |> Path.TrimEndingDirectorySeparator
        folder
        Path.GetDirectoryName folder
]

/// The full path of a file or folder of the oracles ("keras/keras_layers.jsonl.gz", "mnist"), where it exists.
let tryFind (relative: string) =
    folders |> List.map (fun folder -> Path.Combine(folder, relative)) |> List.tryFind Path.Exists

/// A test that reads an oracle: it is given the oracle's full path, and skipped with the reason where that is absent.
///
///     testCase "GMM" <| skipWithout "adbench/gmm/test.txt" (fun path -> File.ReadAllText path |> ...)
let skipWithout (relative: string) (test: string -> unit) () =
    match tryFind relative with
    | Some path -> test path
    | None -> skiptest $"needs {relative}, which is neither in ../shared/data nor under FUNCTIONAL_DATA"
