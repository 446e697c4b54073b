/// Files that are at every moment either the old one or the new one, whole: written beside their place, flushed to the
/// disk, and renamed. A process killed on the way leaves the old file, and a `.partial` one that a later save clears.
/// A link is followed; who may read and write the file stays as it was. Where a file has several names (hard links), the
/// new one is under the name that was written, and the others keep the old one. Nothing but a regular file is replaced.
module internal Functional.AtomicFile

open System
open System.IO
open System.Runtime.InteropServices
open System.Text

/// A partial file that nobody has written to for so long belongs to a process that was killed.
let private abandonedAfter = TimeSpan.FromMinutes 10.0

/// What partial files end with, after a dot and the 32 digits of a GUID.
[<Literal>]
let private Ending = ".partial"

/// What a name may have in bytes, by nearly every file system.
[<Literal>]
let private LongestName = 255

/// What the partial files of a name begin with: the name, or as much of it as leaves room for what follows.
let private stem (name: string) =
    let room = LongestName - 1 - 32 - Ending.Length
    let mutable bytes, length = 0, 0

    for rune in name.EnumerateRunes() do
        bytes <- bytes + rune.Utf8SequenceLength

        if bytes <= room then
            length <- length + rune.Utf16SequenceLength

    name[.. length - 1]

let private partialOf (name: string) = $"{stem name}.{Guid.NewGuid():N}{Ending}"

/// Whether a file's name is one that `partialOf` gives, to the letter.
let private isPartialOf (name: string) (file: string) =
    let start = stem name + "."

    file.Length = start.Length + 32 + Ending.Length
    && file.StartsWith(start, StringComparison.Ordinal)
    && file.EndsWith(Ending, StringComparison.Ordinal)
    && file[start.Length .. start.Length + 31] |> Seq.forall Char.IsAsciiHexDigitLower

let private unharmed (work: unit -> unit) =
    try
        work ()
    with
    | :? IOException
    | :? UnauthorizedAccessException -> ()

let private clearAbandoned (folder: string) (name: string) =
    unharmed (fun () ->
        for file in Directory.EnumerateFiles folder do
            if
                isPartialOf name (Path.GetFileName file)
                && File.GetLastWriteTimeUtc file < DateTime.UtcNow - abandonedAfter
            then
                unharmed (fun () -> File.Delete file))

/// The path of a partial file, which is not there yet, beside the file that it becomes when it is whole. Those of the same
/// name that killed processes left are cleared.
let partial (path: string) : string =
    let full = Path.GetFullPath path
    let folder, name = Path.GetDirectoryName full, Path.GetFileName full
    clearAbandoned folder name
    Path.Combine(folder, partialOf name)

/// The file that a path means: where it is a link, the file that the link leads to.
let private target (path: string) =
    let full = Path.GetFullPath path

    if isNull (FileInfo full).LinkTarget then
        full
    else
        File.ResolveLinkTarget(full, true).FullName

/// Where a file is written: its folder and its name. Refuses what is no place for one.
let private place (operation: string) (path: string) : struct (string * string) =
    if String.IsNullOrWhiteSpace path then
        invalidArg "path" $"{operation}: an empty path names no file"

    let full =
        try
            target path
        with
        | :? IOException
        | :? UnauthorizedAccessException as e ->
            raise (IOException($"{operation}: cannot write {path} ({e.Message})", e))

    match RegularFile.kind full with
    | RegularFile.Folder -> raise (IOException $"{operation}: {path} is a folder; name a file in it")
    | RegularFile.Other what ->
        raise (
            IOException
                $"{operation}: {path} is {what}, which a file would take the place of; name a regular file, or one that is not there yet"
        )
    | RegularFile.Missing
    | RegularFile.Regular -> ()

    let folder = Path.GetDirectoryName full

    if not (Directory.Exists folder) then
        raise (
            DirectoryNotFoundException
                $"{operation}: cannot write {path}: the folder {folder} does not exist; create it first"
        )

    struct (folder, Path.GetFileName full)

[<DllImport("libc", EntryPoint = "chown")>]
extern int private changeOwner([<MarshalAs(UnmanagedType.LPUTF8Str)>] string path, uint32 owner, uint32 group)

/// −1, which leaves an owner or a group as it is.
[<Literal>]
let private Unchanged = 0xFFFFFFFFu

/// Gives a partial file the owner, the group and the mode of the file it is to replace, as far as this user may. Where the
/// group cannot be kept, what it was allowed is not given to another group.
let private keepRights (before: RegularFile.Rights) (partial: string) (stream: FileStream) =
    let owner owner group =
        try
            changeOwner (partial, owner, group) = 0
        with
        | :? DllNotFoundException
        | :? EntryPointNotFoundException -> false

    let keepsGroup =
        match RegularFile.rights partial with
        | Some mine when mine.Owner = before.Owner && mine.Group = before.Group -> true
        | _ -> owner before.Owner before.Group || owner Unchanged before.Group

    let ofGroup = UnixFileMode.GroupRead ||| UnixFileMode.GroupWrite ||| UnixFileMode.GroupExecute
    File.SetUnixFileMode(stream.SafeFileHandle, (if keepsGroup then before.Mode else before.Mode &&& ~~~ofGroup))

/// A partial file, new. What is to replace a file may be as private as that one: nobody else reads it meanwhile.
let private create (partial: string) (before: RegularFile.Rights option) (options: FileOptions) =
    let settings =
        FileStreamOptions(
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            Share = FileShare.None,
            BufferSize = (1 <<< 16),
            Options = options
        )

    if before.IsSome then
        settings.UnixCreateMode <- UnixFileMode.UserRead ||| UnixFileMode.UserWrite

    new FileStream(partial, settings)

/// Refuses, before work begins, a file that could not be written when it is due.
let requireWritable (operation: string) (path: string) : unit =
    let struct (folder, name) = place operation path

    try
        (create (Path.Combine(folder, partialOf name)) None FileOptions.DeleteOnClose).Dispose()
    with
    | :? IOException
    | :? UnauthorizedAccessException as e ->
        raise (IOException($"{operation}: the folder of {path} cannot be written to ({e.Message})", e))

/// Lets `fill` write a file's bytes, and puts the file in its place when all of them are on the disk. The folder must
/// exist. A full disk, a missing or read-only folder, a device in its place is an IOException that names the operation,
/// and whatever the file held before it still holds.
let write (operation: string) (path: string) (fill: FileStream -> unit) : unit =
    let struct (folder, name) = place operation path
    let full, partial = Path.Combine(folder, name), Path.Combine(folder, partialOf name)
    let before = RegularFile.rights full

    try
        try
            clearAbandoned folder name

            using (create partial before FileOptions.None) (fun stream ->
                fill stream
                before |> Option.iter (fun before -> keepRights before partial stream)
                stream.Flush true)

            File.Move(partial, full, true)
        with
        // the last one is what .NET makes of a file that grows past what its file system holds
        | :? IOException
        | :? UnauthorizedAccessException
        | :? ArgumentOutOfRangeException as e ->
            let kept =
                if File.Exists full then
                    "the file that was there is unchanged"
                else
                    "nothing was written"

            raise (IOException($"{operation}: cannot write {path} ({e.Message}); {kept}", e))
    finally
        if File.Exists partial then
            unharmed (fun () -> File.Delete partial)

/// The same for a text, as UTF-8.
let writeText (operation: string) (path: string) (text: string) : unit =
    write operation path (fun stream -> stream.Write(ReadOnlySpan(UTF8Encoding(false).GetBytes text)))
