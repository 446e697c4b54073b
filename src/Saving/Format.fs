namespace Functional

// What a format of files has to do: hold tensors and texts by name. A format is one file that ends with a `Format`, and one
// line in `Formats`; trees, optimisers, trainings and models are saved and loaded through it.

open System
open Functional.Kernels

/// A tensor of an open file.
type internal StoredTensor = {
    Name: string
    /// The element type that reading gives; None where this library has none that could hold the numbers.
    DType: DType option
    /// The element type in the file, by the format's name.
    Stored: string
    /// Whether reading changes the element type.
    IsConverted: bool
    Shape: int[]
    /// Reads the numbers, while the file is open.
    Read: unit -> Tensor
}

/// An open file, of which only its tensors' numbers are not read yet. What it says of them has been checked.
type internal StoredFile = {
    Tensors: StoredTensor[]
    Texts: Map<string, string>
    Close: unit -> unit
} with

    interface IDisposable with
        member f.Dispose() = f.Close()

/// A format of files.
type internal Format = {
    /// What its files end with: ".safetensors".
    Ending: string
    /// Writes texts and tensors to a path; the file appears whole or not at all.
    Write: string -> Map<string, string> -> (string * Tensor)[] -> unit
    /// Opens a file and believes what it says of itself only when all of it fits.
    Open: string -> StoredFile
}
