/// The MNIST database of handwritten digits: found in a folder, in the user's cache, or downloaded; and where none of
/// this works, digits drawn by a generator, which the result says plainly.
namespace Functional

open System
open System.IO
open System.Net.Http
open System.Security.Cryptography
open System.Threading
open System.Threading.Tasks
open Functional.Kernels

/// Where digits came from.
[<RequireQualifiedAccess>]
type DigitSource =
    /// MNIST, from files in this folder.
    | Folder of path: string
    /// MNIST, kept in this cache folder since an earlier download.
    | Cache of path: string
    /// MNIST, just downloaded from this address.
    | Download of address: string
    /// Not MNIST: drawn by the generator with this seed, for the reason given.
    | Drawn of seed: int64 * reason: string

    /// One plain sentence.
    override source.ToString() =
        match source with
        | DigitSource.Folder path -> $"MNIST from {path}"
        | DigitSource.Cache path -> $"MNIST from the cache {path}"
        | DigitSource.Download address -> $"MNIST downloaded from {address}"
        | DigitSource.Drawn(seed, reason) ->
            $"not MNIST but digits drawn by a generator (seed {seed}), because {reason}; accuracy on them says nothing about MNIST"

/// Digits to learn from and digits to be tested on.
type DigitData = {
    /// 60,000 of MNIST.
    Train: LabelledImages
    /// 10,000 of MNIST.
    Test: LabelledImages
    /// Which data this is.
    Source: DigitSource
}

/// How far the download of one file is.
[<Struct>]
type DownloadProgress = {
    File: string
    Received: int64
    /// Bytes in all; −1 when the server does not say.
    Total: int64
}

/// Where digits are looked for.
type MnistOptions = {
    /// A folder with the four files, or with a subfolder `mnist` that has them; null: the environment variable FUNCTIONAL_DATA.
    Directory: string
    /// The folder downloads are kept in; null: the user's cache folder, `Mnist.cacheFolder`.
    Cache: string
    /// Whether files that are nowhere may be downloaded.
    AllowDownload: bool
    /// Addresses of folders that have the four gzipped files; tried in order.
    Mirrors: string[]
    /// Called during a download; null for silence.
    Progress: Action<DownloadProgress>
    /// How many digits are drawn to learn from where MNIST cannot be had.
    DrawnTrain: int
    /// How many are drawn for testing.
    DrawnTest: int
    /// The generator's seed.
    Seed: int64
} with

    static member Default = {
        Directory = null
        Cache = null
        AllowDownload = true
        Mirrors = [|
            "https://ossci-datasets.s3.amazonaws.com/mnist/"
            "https://storage.googleapis.com/cvdf-datasets/mnist/"
        |]
        Progress = null
        DrawnTrain = 60_000
        DrawnTest = 10_000
        Seed = 1L
    }

/// The MNIST database (LeCun, Cortes, Burges; CC BY-SA 3.0).
[<RequireQualifiedAccess>]
module Mnist =

    /// The files, and the MD5 sums of the originals.
    let private files = [
        "train-images-idx3-ubyte", "f68b3c2dcbeaaa9fbdd348bbdeb94873"
        "train-labels-idx1-ubyte", "d53e105ee54ea40749a09fcbcd1e9432"
        "t10k-images-idx3-ubyte", "9fb629c4189551a2d022fa330f9573f3"
        "t10k-labels-idx1-ubyte", "ec29112dd5afa0611ce80d1b7f02629c"
    ]

    /// The folder downloads are kept in: the user's cache folder, by the system's own convention.
    let cacheFolder =
        let home = Environment.GetFolderPath Environment.SpecialFolder.UserProfile

        let root =
            match Environment.GetEnvironmentVariable "XDG_CACHE_HOME" with
            | path when not (String.IsNullOrEmpty path) -> path
            | _ when OperatingSystem.IsWindows() ->
                Environment.GetFolderPath Environment.SpecialFolder.LocalApplicationData
            | _ when OperatingSystem.IsMacOS() -> Path.Combine(home, "Library", "Caches")
            | _ -> Path.Combine(home, ".cache")

        Path.Combine(root, "functional", "mnist")

    /// A file of the data set in a folder, gzipped or not.
    let private tryFile folder name =
        [ name + ".gz"; name ]
        |> List.map (fun file -> Path.Combine(folder, file))
        |> List.tryFind File.Exists

    let private isComplete folder = files |> List.forall (fun (name, _) -> (tryFile folder name).IsSome)

    /// The folder itself, its subfolder `mnist`, or where torchvision puts the files.
    let private within (folder: string) =
        [ folder; Path.Combine(folder, "mnist"); Path.Combine(folder, "MNIST", "raw") ]
        |> List.tryFind isComplete

    /// Pixels as they come from the file, written where they stay: all of MNIST is 188 MB, which nobody wants twice.
    let private readImages path =
        let images = ref Unchecked.defaultof<NDArray>

        Idx.readPieces path (fun elementType shape ->
            match elementType, shape with
            | Idx.UnsignedByte, [| count; rows; columns |] ->
                images.Value <- NDArray.Allocate([| count; rows * columns |], DType.Float32)
                let filled = ref 0

                fun piece length ->
                    let pixels = images.Value.Storage.Span<float32>().Slice(filled.Value, length)

                    for i in 0 .. length - 1 do
                        pixels[i] <- float32 piece[i] / 255f

                    Storage.KeepAlive images.Value.Storage
                    filled.Value <- filled.Value + length
            | _ ->
                raise (
                    InvalidDataException
                        $"{path}: images are unsigned bytes of three axes (images, rows, columns); this file has {elementType} of shape {Shape.show shape}"
                ))

        Tensor.ofArrayValue images.Value

    let private readLabels path count =
        let file = Idx.readContents path

        match file with
        | { Type = Idx.UnsignedByte; Shape = [| labels |] } when labels = count ->
            match Array.tryFindIndex (fun label -> label > 9uy) file.Bytes with
            | Some i -> raise (InvalidDataException $"{path}: label {file.Bytes[i]} of image {i} is not one of 0 to 9")
            | None -> Tensor.create [ labels ] (Array.map int file.Bytes)
        | _ ->
            raise (
                InvalidDataException
                    $"{path}: expected {count} labels (unsigned bytes), one for every image; this file has {file.Type} of shape {Shape.show file.Shape}"
            )

    let private readFolder source folder =
        let path index = (tryFile folder (fst files[index])).Value
        let trainImages, testImages = readImages (path 0), readImages (path 2)

        {
            Train = { Images = trainImages; Labels = readLabels (path 1) trainImages.Shape[0] }
            Test = { Images = testImages; Labels = readLabels (path 3) testImages.Shape[0] }
            Source = source
        }

    /// Downloads a file beside its place and renames it when it is whole and its MD5 is right.
    let private fetch
        (client: HttpClient)
        (address: string)
        (target: string)
        (sum: string)
        (progress: Action<DownloadProgress>)
        (cancel: CancellationToken)
        =
        task {
            let temporary = $"{target}.{Guid.NewGuid():N}.part"

            try
                // A server that falls silent is given up.
                use silence = CancellationTokenSource.CreateLinkedTokenSource cancel
                let patience () = silence.CancelAfter(TimeSpan.FromSeconds 20.0)
                patience ()
                use! response = client.GetAsync(address, HttpCompletionOption.ResponseHeadersRead, silence.Token)
                response.EnsureSuccessStatusCode() |> ignore
                let total = response.Content.Headers.ContentLength |> Option.ofNullable |> Option.defaultValue -1L
                use hash = IncrementalHash.CreateHash HashAlgorithmName.MD5

                do!
                    task {
                        use! input = response.Content.ReadAsStreamAsync silence.Token
                        use output = File.Create temporary
                        let buffer = Array.zeroCreate<byte>(1 <<< 16)
                        let mutable received = 0L
                        let! first = input.ReadAsync(Memory buffer, silence.Token)
                        let mutable got = first

                        while got > 0 do
                            hash.AppendData(buffer, 0, got)
                            do! output.WriteAsync(ReadOnlyMemory(buffer, 0, got), cancel)
                            received <- received + int64 got
                            patience ()

                            if not (isNull progress) then
                                progress.Invoke { File = Path.GetFileName target; Received = received; Total = total }

                            let! more = input.ReadAsync(Memory buffer, silence.Token)
                            got <- more

                        output.Flush true
                    }

                let found = Convert.ToHexStringLower(hash.GetHashAndReset())

                if found <> sum then
                    raise (InvalidDataException $"{address}: the MD5 sum is {found}, expected {sum}")

                File.Move(temporary, target, overwrite = true)
            finally
                File.Delete temporary
        }

    /// Downloads what the cache lacks from the first mirror that has it; the mirror, or why there is none.
    let private download (options: MnistOptions) (cache: string) (cancel: CancellationToken) =
        task {
            use handler = new SocketsHttpHandler(ConnectTimeout = TimeSpan.FromSeconds 5.0)
            use client = new HttpClient(handler, Timeout = Timeout.InfiniteTimeSpan)
            let mutable result = Error "MNIST is not on this machine and no mirror was given"
            let mutable left = List.ofArray options.Mirrors

            while not left.IsEmpty && result.IsError do
                let mirror = left.Head
                left <- left.Tail

                try
                    Directory.CreateDirectory cache |> ignore

                    for name, sum in files do
                        let target = Path.Combine(cache, name + ".gz")

                        if not (File.Exists target) then
                            do! fetch client $"{mirror}{name}.gz" target sum options.Progress cancel

                    result <- Ok mirror
                with
                // No network, no such file, a damaged one, a folder that cannot be written: the next mirror, or drawn digits.
                | :? HttpRequestException
                | :? InvalidDataException
                | :? IOException
                | :? UnauthorizedAccessException as error ->
                    result <- Error $"MNIST could not be downloaded ({error.Message.TrimEnd '.'})"
                | :? OperationCanceledException when not cancel.IsCancellationRequested ->
                    result <- Error $"MNIST could not be downloaded ({mirror} did not answer in time)"

            return result
        }

    let private drawn (options: MnistOptions) reason = {
        Train = Digits.series options.Seed 0 options.DrawnTrain
        Test = Digits.series options.Seed options.DrawnTrain options.DrawnTest
        Source = DigitSource.Drawn(options.Seed, reason)
    }

    /// Digits drawn by the generator, whatever data there is.
    let draw (options: MnistOptions) : DigitData = drawn options "they were asked for"

    /// Loads the digits: from the given folder (or FUNCTIONAL_DATA), else from the cache, else by download, else drawn.
    /// `Source` says which; `string data.Source` is a sentence for the user.
    /// <exception cref="T:System.IO.DirectoryNotFoundException">The folder that was given does not exist.</exception>
    /// <exception cref="T:System.IO.InvalidDataException">A file that was found is cut off or damaged.</exception>
    let loadAsync (options: MnistOptions) (cancel: CancellationToken) : Task<DigitData> =
        task {
            let cache = if String.IsNullOrEmpty options.Cache then cacheFolder else options.Cache
            let given = if String.IsNullOrEmpty options.Directory then None else Some options.Directory

            match given with
            | Some folder when not (Directory.Exists folder) ->
                raise (DirectoryNotFoundException $"{folder}: there is no such folder to take MNIST from")
            | _ -> ()

            let folders =
                Option.toList given
                @ Option.toList (Option.ofObj (Environment.GetEnvironmentVariable "FUNCTIONAL_DATA"))

            match folders |> List.filter (String.IsNullOrEmpty >> not) |> List.tryPick within with
            | Some folder -> return readFolder (DigitSource.Folder folder) folder
            | None when isComplete cache -> return readFolder (DigitSource.Cache cache) cache
            | None when not options.AllowDownload ->
                return drawn options "MNIST is not on this machine and downloads are switched off"
            | None ->
                match! download options cache cancel with
                | Ok mirror -> return readFolder (DigitSource.Download mirror) cache
                | Error reason -> return drawn options reason
        }

    /// Loads the digits, as `loadAsync` does, and waits for them.
    let load (options: MnistOptions) : DigitData = (loadAsync options CancellationToken.None).GetAwaiter().GetResult()
