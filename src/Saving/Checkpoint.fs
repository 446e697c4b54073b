namespace Functional

// Parameter trees on disk: one tensor per leaf, named by its path, in files that other tools can read too.

open System
open System.IO
open System.Text.RegularExpressions
open Functional.Kernels
open Functional.Operations

/// Saving parameter trees and loading them into trees of the same structure.
[<RequireQualifiedAccess>]
module Checkpoint =

    /// What else a training checkpoint holds lies under this prefix, so that the same file is also one of parameters.
    let internal trainingPrefix = "training/"

    /// A name for each leaf: its path, and `value` for a bare tensor, whose path is empty.
    let internal names (tree: 'P) : string[] = Tree.paths tree |> Array.map (fun p -> if p = "" then "value" else p)

    /// A tensor that an optimiser remembers: `Optimizer.Memory[2].VelocityHat`, `Optimizer.Memory.MomentumProduct`,
    /// `Optimizer.Memory[2][own]` of a rule of one's own.
    let private remembered = Regex @"^Optimizer\.Memory(?:\.Each)?(?:\[(\d+)\])?(?:\.(\w+)|\[(.+)\])$"

    /// The name in a file of a part of a training. What an optimiser remembers lies there under its words and the number of
    /// the parameter: `Optimizer.Slots[velocity hat][2]`.
    let internal trainingName (path: string) : string =
        let found = remembered.Match path

        if found.Success then
            let words = Regex.Replace(found.Groups[2].Value, "(?<=.)(?=[A-Z])", " ").ToLowerInvariant()
            let parameter = if found.Groups[1].Success then found.Groups[1].Value else "0"
            $"{trainingPrefix}Optimizer.Slots[{words}{found.Groups[3].Value}][{parameter}]"
        else
            trainingPrefix + path

    /// Writes a tree with texts beside it (`Map ["model", json]`).
    let saveWith (metadata: Map<string, string>) (path: string) (tree: 'P) : unit =
        Formats.write path metadata (Array.zip (names tree) (Tree.leaves tree))

    /// Writes a tree: one tensor per leaf, named by its path. Only tensors are written: numbers, texts and cases that are
    /// settings of the tree stay in the program, and `load` takes them from the tree it is given. The file appears whole or not
    /// at all; what it held before stays until then. Errors: a tree without a tensor.
    /// Example: `Checkpoint.save "net.safetensors" net`.
    let save (path: string) (tree: 'P) : unit =
        if (Tree.leaves tree).Length = 0 then
            invalidArg
                "tree"
                $"save: a {TypeName.show typeof<'P>} without tensors: there is nothing to write to {path}; settings that are no tensors are not saved"

        saveWith Map.empty path tree

    let private describe (dtype: DType) (shape: int[]) = $"{dtype} {Shape.show shape}"

    let private describeStored (t: StoredTensor) =
        match t.DType with
        | Some dtype when t.IsConverted -> $"{describe dtype t.Shape} ({t.Stored})"
        | Some dtype -> describe dtype t.Shape
        | None -> $"{t.Stored} {Shape.show t.Shape}"

    let private few (items: string[]) =
        let shown = items |> Array.truncate 8 |> String.concat ", "
        if items.Length > 8 then $"{shown} and {items.Length - 8} more" else shown

    /// How the tensors of a file differ from those that a tree expects; empty where they agree.
    let private differences (expected: (string * Tensor)[]) (found: Map<string, StoredTensor>) =
        let wanted = expected |> Array.map fst |> Set.ofArray

        let missing = [|
            for name, t in expected do
                if not (found.ContainsKey name) then
                    $"{name} ({describe t.DType t.Shape})"
        |]

        let extra = [|
            for KeyValue(name, e) in found do
                if not (wanted.Contains name) then
                    $"{name} ({describeStored e})"
        |]

        let different = [|
            for name, t in expected do
                match found.TryFind name with
                | Some e when e.DType <> Some t.DType || not (Shape.same e.Shape t.Shape) ->
                    $"{name} is {describeStored e} in the file and {describe t.DType t.Shape} in the model"
                | _ -> ()
        |]

        [
            if missing.Length > 0 then
                $"not in the file: {few missing}"
            if extra.Length > 0 then
                $"only in the file: {few extra}"
            if different.Length > 0 then
                $"different: {few different}"
        ]

    /// The tree with the tensors of the entries that are called as its leaves; `nameOf` makes their names of the leaves'.
    let internal read (path: string) (nameOf: string -> string) (entries: StoredTensor[]) (tree: 'P) : 'P =
        let found = entries |> Array.map (fun e -> e.Name, e) |> Map.ofArray
        let expected = Array.zip (names tree |> Array.map nameOf) (Tree.leaves tree)

        match differences expected found with
        | [] -> expected |> Array.map (fun (name, _) -> found[name].Read()) |> Tree.rebuild tree
        | differences ->
            let lines = differences |> List.map (fun line -> "\n  " + line) |> String.concat ""
            raise (InvalidDataException $"load: {path} is a checkpoint of another model:{lines}")

    let internal ofTraining (e: StoredTensor) = e.Name.StartsWith(trainingPrefix, StringComparison.Ordinal)

    /// Reads the tensors of a file into a tree of the structure it was saved from; the tree given is not changed. What is no
    /// tensor is as it is in the tree given.
    /// Where names, shapes or element types differ, the error lists every leaf that is missing, extra or different.
    /// Example: `let net = Checkpoint.load "net.safetensors" (init key)`.
    let load (path: string) (tree: 'P) : 'P =
        use file = Formats.openFile path
        read path id (file.Tensors |> Array.filter (ofTraining >> not)) tree

    // ---- what an optimiser remembers

    /// Under the names that it has in a whole training.
    let private inTraining (state: OptimizerState) = {| Optimizer = state |}

    let private damaged path what : exn = InvalidDataException $"load: the training in {path} is damaged: {what}"

    /// Refuses a state in which no optimiser can be.
    let internal requirePossible (path: string) (state: OptimizerState) : unit =
        let step, scale = Tensor.toArray<int64> state.Step, Tensor.toFloat state.RateScale

        if step[0] < 0L then
            raise (damaged path $"its optimiser has done {step[0]} steps")

        if not (scale >= 0.0 && Double.IsFinite scale) then
            raise (damaged path $"its learning rate is multiplied by {scale}")

    /// Writes parameters with what their optimiser remembers, and texts beside them: a training of both goes on bit for bit as
    /// it would have. `load` reads the parameters, `loadOptimizer` the rest.
    let saveTrained (metadata: Map<string, string>) (path: string) (tree: 'P) (state: OptimizerState) : unit =
        Formats.write
            path
            metadata
            (Array.append
                (Array.zip (names tree) (Tree.leaves tree))
                (Array.zip (names (inTraining state) |> Array.map trainingName) (Tree.leaves state)))

    /// What an optimiser remembers of parameters in a file of `saveTrained` or of a whole training; None where it holds no
    /// optimiser's memory. Errors: it is another optimiser's, or of other parameters; the tensors that differ are listed.
    /// Example: `Checkpoint.loadOptimizer "run.safetensors" optimizer net`.
    let loadOptimizer (path: string) (optimizer: Optimizer) (parameters: 'P) : OptimizerState option =
        use file = Formats.openFile path
        let prefix = trainingPrefix + "Optimizer."

        match file.Tensors |> Array.filter (fun e -> e.Name.StartsWith(prefix, StringComparison.Ordinal)) with
        | [||] -> None
        | entries ->
            let expected = inTraining (Optimizer.init optimizer parameters)
            let state = (read path trainingName entries expected).Optimizer
            requirePossible path state
            Some state

    /// The texts saved beside the tensors.
    let metadata (path: string) : Map<string, string> =
        use file = Formats.openFile path
        file.Texts

    /// The names and shapes of a file's tensors, without reading their numbers.
    let shapes (path: string) : (string * int[])[] =
        use file = Formats.openFile path
        file.Tensors |> Array.map (fun t -> t.Name, t.Shape)
