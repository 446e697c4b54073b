/// Where digits come from: a folder, the cache, a download, the generator; and that the result says which.
module Functional.Tests.Data.DigitsTests

open System
open System.IO
open System.Net
open System.Net.Sockets
open System.Security.Cryptography
open System.Threading
open System.Threading.Tasks
open Expecto
open Functional
open Functional.Kernels
open Functional.Tests.Data.Files
open Functional.Tests.Oracles

/// A small data set in MNIST's files: three 28×28 images to learn from, two to test on.
let private smallFiles = [
    "train-images-idx3-ubyte", idx [ 3; 28; 28 ] (Array.init (3 * 784) (fun i -> byte (i % 256)))
    "train-labels-idx1-ubyte", idx [ 3 ] [| 3uy; 1uy; 4uy |]
    "t10k-images-idx3-ubyte", idx [ 2; 28; 28 ] (Array.create (2 * 784) 255uy)
    "t10k-labels-idx1-ubyte", idx [ 2 ] [| 9uy; 0uy |]
]

let private place folder =
    for name, bytes in smallFiles do
        write folder (name + ".gz") (gzip bytes) |> ignore

/// Options that look nowhere but in a test's own folder. A folder that lacks the files keeps FUNCTIONAL_DATA out.
let private options folder = {
    Mnist.defaults with
        Cache = Some(Path.Combine(folder, "cache"))
        AllowDownload = false
        DrawnTrain = 20
        DrawnTest = 10
}

/// The small data set as if it were the original one, byte for byte.
let private smallOriginals: Mnist.Original list = [
    for name, bytes in smallFiles do
        let zipped = gzip bytes

        {
            Mnist.Name = name
            Mnist.Bytes = zipped.LongLength
            Mnist.Sum = Convert.ToHexStringLower(SHA256.HashData zipped)
        }
]

let private loadSmall options =
    (Mnist.loadOriginals smallOriginals options CancellationToken.None).GetAwaiter().GetResult()

let private withoutVariable (test: unit -> unit) =
    let before = Environment.GetEnvironmentVariable "FUNCTIONAL_DATA"
    Environment.SetEnvironmentVariable("FUNCTIONAL_DATA", null)

    try
        test ()
    finally
        Environment.SetEnvironmentVariable("FUNCTIONAL_DATA", before)

/// Serves answers by file name on an address of this machine while a test runs.
let private serving (answer: string -> byte[] option) (test: string -> unit) =
    let port =
        let probe = new TcpListener(IPAddress.Loopback, 0)
        probe.Start()
        let port = (probe.LocalEndpoint :?> IPEndPoint).Port
        probe.Stop()
        port

    let address = $"http://127.0.0.1:{port}/"
    use listener = new HttpListener()
    listener.Prefixes.Add address
    listener.Start()

    let serve () =
        try
            while true do
                let context = listener.GetContext()

                match answer (Path.GetFileName context.Request.Url.AbsolutePath) with
                | Some bytes ->
                    context.Response.ContentLength64 <- bytes.Length
                    context.Response.OutputStream.Write(bytes, 0, bytes.Length)
                | None -> context.Response.StatusCode <- 404

                context.Response.Close()
        with
        | :? HttpListenerException
        | :? ObjectDisposedException -> ()

    let server = Task.Run serve
    test address
    listener.Stop()
    server.Wait()

let private isDrawn (data: DigitData) =
    match data.Source with
    | DigitSource.Drawn _ -> true
    | _ -> false

[<Tests>]
let tests =
    testSequenced
    <| testList "digits" [
        testCase "found in a folder, or in its subfolder mnist"
        <| inFolder (fun folder ->
            let inner = Directory.CreateDirectory(Path.Combine(folder, "mnist")).FullName
            place inner

            for given in [ folder; inner ] do
                let data = Mnist.load { options folder with Directory = Some given }
                Expect.equal data.Source (DigitSource.Folder inner) "source"
                Expect.equal data.Train.Images.Shape [| 3; 784 |] "images"
                Expect.equal data.Train.Images.DType DType.Float32 "element type"
                Expect.equal (Tensor.toArray<int> data.Train.Labels) [| 3; 1; 4 |] "labels"
                Expect.floatClose Accuracy.medium (Array.item 255 (Tensor.toFloats data.Train.Images)) 1.0 "white is 1"
                Expect.equal data.Test.Images.Shape [| 2; 784 |] "test images")

        testCase "found through FUNCTIONAL_DATA, else in the cache"
        <| inFolder (fun folder ->
            withoutVariable (fun () ->
                let cache = Directory.CreateDirectory(Path.Combine(folder, "cache")).FullName
                place cache
                Expect.equal (loadSmall (options folder)).Source (DigitSource.Cache cache) "cache"
                let other = Directory.CreateDirectory(Path.Combine(folder, "other")).FullName
                place other
                Environment.SetEnvironmentVariable("FUNCTIONAL_DATA", other)
                Expect.equal (Mnist.load (options folder)).Source (DigitSource.Folder other) "variable first"))

        testCase "damaged files are errors, not another data set"
        <| inFolder (fun folder ->
            let given = { options folder with Directory = Some folder }

            let refused name bytes parts =
                place folder
                let path = write folder (name + ".gz") bytes
                failsWith<InvalidDataException> (path :: parts) (fun () -> Mnist.load given |> ignore)

            refused "train-labels-idx1-ubyte" (idx [ 3 ] [| 3uy; 10uy; 4uy |]) [ "label 10 of image 1" ]
            refused "train-labels-idx1-ubyte" (idx [ 2 ] [| 3uy; 1uy |]) [ "expected 3 labels" ]
            refused "t10k-images-idx3-ubyte" (idx [ 2; 784 ] (Array.create (2 * 784) 1uy)) [ "three axes" ]
            refused "t10k-images-idx3-ubyte" (idx [ 2; 28; 28 ] [| 1uy |]) [ "truncated" ]

            failsWith<DirectoryNotFoundException> [ "nowhere" ] (fun () ->
                Mnist.load { given with Directory = Some(Path.Combine(folder, "nowhere")) } |> ignore))

        testCase "nowhere: drawn, and said so"
        <| inFolder (fun folder ->
            withoutVariable (fun () ->
                let data = Mnist.load (options folder)
                Expect.isTrue (isDrawn data) "drawn"
                Expect.stringContains (string data.Source) "not MNIST" "the sentence says it"
                Expect.equal data.Train.Images.Shape [| 20; 784 |] "to learn from"
                Expect.equal data.Test.Labels.Shape [| 10 |] "to test on"))

        testCase "a mirror that sends something else, or nothing, leaves no file"
        <| inFolder (fun folder ->
            withoutVariable (fun () ->
                serving (fun name -> if name.StartsWith "train-images" then Some "garbage"B else None) (fun address ->
                    let asked = {
                        options folder with
                            AllowDownload = true
                            Mirrors = [| address; address + "missing/" |]
                    }

                    let data = Mnist.load asked
                    Expect.isTrue (isDrawn data) "drawn"
                    Expect.stringContains (string data.Source) "SHA-256" "the reason is given"
                    Expect.isEmpty (Directory.GetFiles asked.Cache.Value) "nothing is kept"

                    let offline = Mnist.load { asked with Mirrors = [| "http://127.0.0.1:1/" |] }
                    Expect.stringContains (string offline.Source) "could not be downloaded" "no network")))

        testCase "downloaded from a mirror, with progress, and found in the cache afterwards"
        <| skipWithout "mnist" (fun mnist ->
            inFolder
                (fun folder ->
                    withoutVariable (fun () ->
                        let answer name =
                            let path = Path.Combine(mnist, name)
                            if File.Exists path then Some(File.ReadAllBytes path) else None

                        serving answer (fun address ->
                            let reports = ResizeArray<DownloadProgress>()

                            let asked = {
                                options folder with
                                    AllowDownload = true
                                    Mirrors = [| "http://127.0.0.1:1/"; address |]
                                    Progress = Some reports.Add
                            }

                            let data = Mnist.load asked
                            Expect.equal data.Source (DigitSource.Download address) "source"
                            Expect.equal data.Train.Images.Shape [| 60_000; 784 |] "to learn from"
                            Expect.equal data.Test.Images.Shape [| 10_000; 784 |] "to test on"
                            let files = reports |> Seq.groupBy _.File |> Seq.map (snd >> Seq.last) |> Array.ofSeq
                            Expect.hasLength files 4 "every file is reported"

                            Expect.isTrue
                                (files |> Array.forall (fun file -> file.Received = file.Total))
                                "to its end"

                            Expect.equal (Mnist.load asked).Source (DigitSource.Cache asked.Cache.Value) "kept")))
                ())

        testCase "what is in the cache is compared with the original each time, and fetched again where it differs"
        <| inFolder (fun folder ->
            withoutVariable (fun () ->
                let cache = Directory.CreateDirectory(Path.Combine(folder, "cache")).FullName

                let serve (name: string) =
                    smallFiles |> List.tryPick (fun (n, bytes) -> if name = n + ".gz" then Some(gzip bytes) else None)

                serving serve (fun address ->
                    for name, bytes in smallFiles do
                        place cache
                        // of the same length, and a file of its kind: nothing but the sum tells it
                        let other = bytes |> Array.mapi (fun i b -> if i = bytes.Length - 1 then b ^^^ 1uy else b)
                        write cache (name + ".gz") (gzip other) |> ignore
                        let offline = loadSmall (options folder)
                        Expect.isTrue (isDrawn offline) "without a mirror it is not believed"
                        Expect.stringContains (string offline.Source) "not those of MNIST" "the reason is given"

                        let asked = { options folder with AllowDownload = true; Mirrors = [| address |] }

                        Expect.equal (loadSmall asked).Source (DigitSource.Download address) "fetched"
                        Expect.equal (loadSmall asked).Source (DigitSource.Cache cache) "kept")))

        testCase "what a killed download left is cleared by the next one, and nothing else"
        <| inFolder (fun folder ->
            withoutVariable (fun () ->
                let cache = Directory.CreateDirectory(Path.Combine(folder, "cache")).FullName
                let name = fst smallFiles.Head + ".gz"

                let old (name: string) =
                    let path = write cache name "part"B
                    File.SetLastWriteTimeUtc(path, DateTime.UtcNow.AddHours -1.0)
                    path

                let ours = old $"{name}.{Guid.NewGuid():N}.partial"
                let others = [ old $"{name}.notes.partial"; old $"mine.{Guid.NewGuid():N}.partial" ]
                let running = write cache $"{name}.{Guid.NewGuid():N}.partial" "part"B

                serving (fun _ -> None) (fun address ->
                    loadSmall { options folder with AllowDownload = true; Mirrors = [| address |] } |> ignore)

                Expect.isFalse (File.Exists ours) "left by a process that is gone"

                for path in running :: others do
                    Expect.isTrue (File.Exists path) path))

        testCase "a mirror that sends without end is left when the original would have ended"
        <| inFolder (fun folder ->
            withoutVariable (fun () ->
                let listener = new TcpListener(IPAddress.Loopback, 0)
                listener.Start()
                let port = (listener.LocalEndpoint :?> IPEndPoint).Port
                let mutable sent = 0L

                let server =
                    Task.Run(fun () ->
                        use client = listener.AcceptTcpClient()
                        use stream = client.GetStream()
                        stream.Write(ReadOnlySpan("HTTP/1.1 200 OK\r\n\r\n"B))
                        let piece = Array.zeroCreate<byte> 65536

                        try
                            while true do
                                stream.Write(ReadOnlySpan piece)
                                sent <- sent + piece.LongLength
                        with :? IOException ->
                            ())

                let data =
                    loadSmall {
                        options folder with
                            AllowDownload = true
                            Mirrors = [| $"http://127.0.0.1:{port}/" |]
                    }

                Expect.isTrue (isDrawn data) "drawn"
                Expect.stringContains (string data.Source) "the original has" "the reason is given"
                Expect.isTrue (server.Wait 10_000) "the mirror was left"
                // what the sockets of both ends hold was on its way
                Expect.isLessThan sent (64L <<< 20) "bytes"
                Expect.isEmpty (Directory.GetFiles(Path.Combine(folder, "cache"))) "nothing is kept"
                listener.Stop()))

        testCase "a cancelled download is cancelled, not replaced"
        <| inFolder (fun folder ->
            withoutVariable (fun () ->
                let asked = {
                    options folder with
                        AllowDownload = true
                        Mirrors = [| "http://127.0.0.1:1/" |]
                }

                Expect.throwsT<TaskCanceledException>
                    (fun () -> (Mnist.loadAsync asked (CancellationToken true)).GetAwaiter().GetResult() |> ignore)
                    "cancelled"))

        testCase "drawn digits belong to their seed and number, on any number of threads"
        <| fun () ->
            let all = Digits.series 5L 0 200
            let pixels, labels = Tensor.toArray<float32> all.Images, Tensor.toArray<int> all.Labels
            let part = Functional.Tests.Selection.withThreads 1 (fun () -> Digits.series 5L 100 50)
            Expect.equal (Tensor.toArray<float32> part.Images) pixels[100 * 784 .. 150 * 784 - 1] "images"
            Expect.equal (Tensor.toArray<int> part.Labels) labels[100..149] "labels"
            let other = Digits.series 6L 0 200
            Expect.notEqual (Tensor.toArray<float32> other.Images) pixels "another seed"
            Expect.equal (Digits.series 5L 0 0).Images.Shape [| 0; 784 |] "none"

        testCase "drawn digits look like digits: ink in the middle, all classes, and nearest means tell them apart"
        <| fun () ->
            let read (x: LabelledImages) =
                Array.zip (Tensor.toArray<float32> x.Images |> Array.chunkBySize 784) (Tensor.toArray<int> x.Labels)

            let learn, test = read (Digits.series 1L 0 4000), read (Digits.series 1L 4000 1000)

            Expect.isTrue
                (learn |> Array.forall (fst >> Array.forall (fun pixel -> pixel >= 0f && pixel <= 1f)))
                "in [0, 1]"

            Expect.hasLength (learn |> Array.countBy snd) 10 "classes"

            for image, label in learn do
                let ink = Array.sum image
                Expect.isTrue (ink > 15f && ink < 300f) $"a {label} with ink {ink}"

                let rim =
                    Seq.init 28 (fun i -> [ image[i]; image[27 * 28 + i]; image[i * 28]; image[i * 28 + 27] ])
                    |> Seq.concat

                Expect.isLessThan (Seq.sum rim) 6f "hardly any at the rim"

            let means =
                learn
                |> Array.groupBy snd
                |> Array.map (fun (label, images) ->
                    label, Array.init 784 (fun i -> images |> Array.averageBy (fun (image, _) -> image[i])))

            let nearest (image: float32[]) =
                means
                |> Array.minBy (fun (_, mean) -> Array.fold2 (fun sum a b -> sum + (a - b) * (a - b)) 0f image mean)
                |> fst

            let right = test |> Array.filter (fun (image, label) -> nearest image = label) |> Array.length
            // MNIST itself gives 820 of 1000 this way: these should be neither trivial nor illegible.
            Expect.isTrue (right > 650 && right < 980) $"{right} of 1000 recognised by the nearest mean"
    ]
