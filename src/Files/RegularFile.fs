/// What a path leads to, looked at before it is opened: a FIFO would wait for ever, a device never end, and writing would
/// put a file in the place of either. Everything that reads a file opens it here.
module internal Functional.RegularFile

open System
open System.IO
open System.Runtime.InteropServices

/// What is found at a path, behind links.
type Kind =
    | Missing
    | Regular
    | Folder
    /// Something else, in words: "a FIFO".
    | Other of what: string

/// Whose a file is and who may do what with it, as Unix counts it.
[<Struct>]
type Rights = { Owner: uint32; Group: uint32; Mode: UnixFileMode }

/// What the runtime itself asks: the same fields in the same places on every Unix (Flags, Mode, Uid, Gid, ...).
[<DllImport("libSystem.Native", EntryPoint = "SystemNative_Stat")>]
extern int private systemStat([<MarshalAs(UnmanagedType.LPUTF8Str)>] string path, byte[] status)

/// The mode with its kind of file, owner and group; None where there is nothing, or nobody to ask.
let private stat (path: string) =
    // more than the structure has, and than it will ever have
    let status = Array.zeroCreate<byte> 512

    try
        if systemStat (path, status) = 0 then
            Some(
                struct (BitConverter.ToInt32(status, 4),
                        BitConverter.ToUInt32(status, 8),
                        BitConverter.ToUInt32(status, 12))
            )
        else
            None
    with
    | :? DllNotFoundException
    | :? EntryPointNotFoundException -> None

let private byExistence (path: string) =
    if Directory.Exists path then Folder
    elif File.Exists path then Regular
    else Missing

/// What a path leads to.
let kind (path: string) : Kind =
    if OperatingSystem.IsWindows() || OperatingSystem.IsBrowser() then
        byExistence path
    else
        match stat path with
        | None -> byExistence path
        | Some struct (mode, _, _) ->
            match mode &&& 0o170000 with
            | 0o100000 -> Regular
            | 0o040000 -> Folder
            | 0o010000 -> Other "a FIFO"
            | 0o140000 -> Other "a socket"
            | _ -> Other "a device"

/// Whose a file is, and who may read and write it; None where the system does not know such rights.
let rights (path: string) : Rights option =
    if OperatingSystem.IsWindows() || OperatingSystem.IsBrowser() then
        None
    else
        stat path
        |> Option.map (fun (struct (mode, owner, group)) -> {
            Owner = owner
            Group = group
            Mode = enum<UnixFileMode>(mode &&& 0o777)
        })

/// Opens a file to be read from its beginning. What is no regular file, or may not be read, is an IOException; a missing
/// one a FileNotFoundException.
let openRead (operation: string) (path: string) : FileStream =
    if String.IsNullOrWhiteSpace path then
        invalidArg "path" $"{operation}: an empty path names no file"

    match kind path with
    | Folder -> raise (IOException $"{operation}: {path} is a folder; name a file in it")
    | Other what ->
        raise (
            IOException
                $"{operation}: {path} is {what}, not a regular file; write what comes out of it to a file and name that"
        )
    | Missing
    | Regular ->
        try
            new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read ||| FileShare.Delete, 1)
        with
        | :? FileNotFoundException
        | :? DirectoryNotFoundException ->
            raise (
                FileNotFoundException($"{operation}: there is no file {path} (looked in {Path.GetFullPath path})", path)
            )
        | :? UnauthorizedAccessException as e -> raise (IOException($"{operation}: cannot read {path}: {e.Message}", e))
