/// Files that are at every moment either the old one or the new one, whole: written beside their place, flushed to the
/// disk, and renamed. A process killed on the way leaves the old file, and a `.partial` one that a later save clears.
module internal Functional.AtomicFile

open System
open System.IO

/// A partial file that nobody has written to for so long belongs to a process that was killed.
let private abandonedAfter = TimeSpan.FromMinutes 10.0

let private clearAbandoned (folder: string) (name: string) =
    for file in Directory.EnumerateFiles(folder, name + ".*.partial") do
        try
            if File.GetLastWriteTimeUtc file < DateTime.UtcNow - abandonedAfter then
                File.Delete file
        with
        | :? IOException
        | :? UnauthorizedAccessException -> ()

/// The file that a path means: where it is a link, the file that the link leads to.
let private target (path: string) =
    let full = Path.GetFullPath path

    if isNull (FileInfo full).LinkTarget then
        full
    else
        File.ResolveLinkTarget(full, true).FullName

/// Lets `fill` write a file's bytes, and puts the file in its place when all of them are on the disk. The folder must
/// exist. A full disk, a missing or read-only folder is an IOException that names the operation, and whatever the file
/// held before it still holds.
let write (operation: string) (path: string) (fill: FileStream -> unit) : unit =
    if String.IsNullOrWhiteSpace path then
        invalidArg "path" $"{operation}: an empty path names no file"

    let full = target path
    let folder = Path.GetDirectoryName full

    if Directory.Exists full then
        raise (IOException $"{operation}: {path} is a folder; name a file in it")

    if not (Directory.Exists folder) then
        raise (
            DirectoryNotFoundException
                $"{operation}: cannot write {path}: the folder {folder} does not exist; create it first"
        )

    let partial = $"{full}.{Guid.NewGuid():N}.partial"

    try
        try
            clearAbandoned folder (Path.GetFileName full)

            using
                (new FileStream(partial, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1 <<< 16))
                (fun stream ->
                    fill stream
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
            try
                File.Delete partial
            with
            | :? IOException
            | :? UnauthorizedAccessException -> ()

/// The same for a text, as UTF-8.
let writeText (operation: string) (path: string) (text: string) : unit =
    write operation path (fun stream -> stream.Write(ReadOnlySpan(Text.UTF8Encoding(false).GetBytes text)))
