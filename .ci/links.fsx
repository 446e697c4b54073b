// links.fsx FOLDER: follows every link within a site to a file and, where it names one, to a place in it.
open System
open System.IO
open System.Net
open System.Text.RegularExpressions

let folder = Path.GetFullPath(fsi.CommandLineArgs[1])

let pages =
    dict [
        for path in Directory.GetFiles(folder, "*.html", SearchOption.AllDirectories) -> path, File.ReadAllText path
    ]

let places =
    dict [
        for page in pages ->
            page.Key,
            set [ for m in Regex.Matches(page.Value, @"\s(?:id|name)=[""']([^""']*)[""']") -> m.Groups[1].Value ]
    ]

/// The file that a link leads to from a page, and the place in it.
let target (page: string) (link: string) =
    let link = WebUtility.HtmlDecode link

    let path, place =
        link.Split('#', 2)
        |> fun parts -> parts[0], (if parts.Length > 1 then Uri.UnescapeDataString parts[1] else "")

    let path = Uri.UnescapeDataString(path.Split('?')[0])

    let file =
        if path = "" then page
        elif path.StartsWith '/' then Path.Combine(folder, path[1..])
        else Path.GetFullPath(Path.Combine(Path.GetDirectoryName page, path))

    (if Directory.Exists file then Path.Combine(file, "index.html") else file), place

let mutable followed = 0

let broken =
    [
        for page in pages do
            for m in Regex.Matches(page.Value, @"<(?:a|img|link|script)\s[^>]*?(?:href|src)=[""']([^""']*)[""']") do
                let link = m.Groups[1].Value

                if not (Regex.IsMatch(link, @"^[a-z]+:")) then
                    followed <- followed + 1
                    let file, place = target page.Key link
                    let from = Path.GetRelativePath(folder, page.Key)

                    if not (File.Exists file) then
                        $"{from}: there is no {link}"
                    elif place <> "" && places.ContainsKey file && not (places[file].Contains place) then
                        $"{from}: {link} is no place in it"
    ]
    |> List.distinct

List.iter (printfn "%s") broken
printfn $"{pages.Count} pages, {followed} links, {broken.Length} of them broken"
exit (if broken.IsEmpty then 0 else 1)
