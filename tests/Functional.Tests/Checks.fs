/// What the tests know of checked kernels (see docs/building.md): ordinary kernels have no such type, so it is looked up by name.
module Functional.Tests.Checks

open System
open System.Collections
open System.Collections.Generic
open System.Reflection
open Functional.Kernels

let private checks = typeof<NDArray>.Assembly.GetType "Functional.Kernels.Checked" |> Option.ofObj

let private call (name: string) (arguments: obj[]) =
    checks.Value.GetMethod(name, BindingFlags.Public ||| BindingFlags.Static).Invoke(null, arguments)

/// In how many places the kernels check their accesses: 0 says that these are ordinary ones.
let places =
    match checks with
    | None -> 0
    | Some c -> c.GetProperty("Places").GetValue null :?> int

let isOn = places > 0

let private found () = checks.Value.GetProperty("Violations").GetValue null :?> IDictionary

/// What the kernels did wrong, but for what a test provoked.
let violations () : string list =
    if isOn then
        [
            for e in found().Keys do
                (e :?> exn).Message
        ]
    else
        []

/// The message of the access that was stopped, if one was. No other test may run meanwhile: what several threads did wrong
/// is forgotten.
let violationOf (work: unit -> unit) : string option =
    let before = Seq.cast<obj>(found().Keys) |> HashSet

    try
        work ()
        None
    with e when e.GetType().Name = "KernelAccessException" ->
        for provoked in Seq.cast<obj>(found().Keys) |> Seq.filter (before.Contains >> not) |> List.ofSeq do
            found().Remove provoked

        Some e.Message

/// The pointer that kernels take for the first byte of a storage, which lies still at an address; good until `forget`.
let point (storage: Storage) (address: nativeint) : nativeint =
    if isOn then call "Point" [| storage |] :?> nativeint else address

let forget () =
    if isOn then
        call "Leave" [| 0 |] |> ignore
