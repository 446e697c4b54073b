namespace Functional

// The history of a training as a file of comma-separated values that grows a line an epoch.

open System
open System.IO
open System.Text
open System.Threading

/// The log of one training. The file is at every moment the history of one training, whole lines only: where it is not as
/// this log left it (another process wrote it, it is gone, a disk was full), it is written anew, which takes its place at
/// once; where it is, the next line is added under a lock, and taken back if it could not be written to its end.
[<Sealed>]
type internal CsvLog(name: string, path: string) =
    /// What the file has to be for a line to be added: its names, how long it is, and its last line.
    let mutable columns: string list = []
    let mutable length = -1L
    let mutable last: byte[] = [||]
    let mutable hasWarned = false

    let bytes (line: string) = Encoding.UTF8.GetBytes(line + "\n")

    let wrote (history: History) newLength newLast =
        columns <- history.Columns
        length <- newLength
        last <- newLast

    let writeWhole (history: History) =
        let text = Encoding.UTF8.GetBytes(History.toCsv history)
        length <- -1L
        AtomicFile.write name path (fun stream -> stream.Write(ReadOnlySpan text))
        let ending = Array.LastIndexOf(text, byte '\n', text.Length - 2) + 1
        wrote history text.Length text[ending..]

    /// The file, to this log alone: two processes that write one log wait for each other.
    let rec openAlone patience =
        try
            // without a buffer: what could not be written is not tried again when the file is cut or closed
            new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None, 0)
        with
        | :? FileNotFoundException
        | :? DirectoryNotFoundException -> reraise ()
        | :? IOException when patience > 0 ->
            Thread.Sleep 10
            openAlone (patience - 1)

    let isAsLeft (stream: FileStream) =
        stream.Length = length
        && (let ending = Array.zeroCreate<byte> last.Length
            stream.Position <- length - int64 last.Length
            stream.ReadExactly(Span ending)
            ReadOnlySpan(ending).SequenceEqual(ReadOnlySpan last))

    /// Adds a line where the file is as this log left it; whether it was.
    let append (history: History) (line: byte[]) =
        length >= 0L
        && history.Columns = columns
        && RegularFile.kind path = RegularFile.Regular
        && (use stream = openAlone 50

            isAsLeft stream
            && (try
                    stream.Position <- length
                    stream.Write(ReadOnlySpan line)
                    stream.Flush()
                with _ ->
                    // no half line stays
                    stream.SetLength length
                    reraise ()

                wrote history (length + int64 line.Length) line
                true))

    /// The names, and the epochs that there are.
    member _.Begin(history: History) : unit = writeWhole history

    /// The history with one more epoch. What fails is told once; the next time that it succeeds, all of it is there.
    member _.Add(epoch: int, history: History) : Signal =
        try
            if not (append history (bytes (History.csvLine epoch history.Rows.Head))) then
                writeWhole history

            Continue
        with
        // the last one is what .NET makes of a file that grows past what its file system holds
        | :? IOException
        | :? UnauthorizedAccessException
        | :? ArgumentOutOfRangeException as e ->
            let isFirst = not hasWarned
            hasWarned <- true

            if isFirst then
                Warn $"{name}: {e.Message}; training goes on, and this is said once"
            else
                Continue
