// The page's files, which lie in this assembly.
using System.Reflection;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;

namespace Playground.Server;

internal sealed class Files
{
    private const string Folder = "page/";

    private static readonly Dictionary<string, string> Kinds = new()
    {
        [".html"] = "text/html; charset=utf-8",
        [".css"] = "text/css; charset=utf-8",
        [".js"] = "text/javascript; charset=utf-8",
        [".svg"] = "image/svg+xml",
        [".txt"] = "text/plain; charset=utf-8",
    };

    private readonly Dictionary<string, (byte[] Content, string Kind, string Tag)> files = Read();

    /// <summary>The file of a path, or that there is none; a browser that has it already is told so.</summary>
    public async Task Answer(HttpContext context)
    {
        var path = context.Request.Path.Value is null or "/" ? "index.html" : context.Request.Path.Value[1..];
        if (!files.TryGetValue(path, out var file))
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }
        var headers = context.Response.Headers;
        headers.CacheControl = "no-cache";
        headers.ETag = file.Tag;
        if (context.Request.Headers.IfNoneMatch == file.Tag)
        {
            context.Response.StatusCode = StatusCodes.Status304NotModified;
            return;
        }
        headers.ContentType = file.Kind;
        context.Response.ContentLength = file.Content.Length;
        await context.Response.Body.WriteAsync(file.Content, context.RequestAborted);
    }

    private static Dictionary<string, (byte[], string, string)> Read()
    {
        var assembly = Assembly.GetExecutingAssembly();
        var found = new Dictionary<string, (byte[], string, string)>();
        foreach (var name in assembly.GetManifestResourceNames().Where(name => name.StartsWith(Folder, StringComparison.Ordinal)))
        {
            using var stream = assembly.GetManifestResourceStream(name)!;
            var content = new byte[stream.Length];
            stream.ReadExactly(content);
            var kind = Kinds.GetValueOrDefault(Path.GetExtension(name), "text/plain; charset=utf-8");
            found[name[Folder.Length..]] = (content, kind, $"\"{Convert.ToHexStringLower(SHA256.HashData(content))[..16]}\"");
        }
        return found;
    }
}
