// Who may ask for what. The server listens on this machine only, but every page that its browser has open can reach it too:
// so the name it is called by is checked (a foreign name that leads here is a DNS rebinding), and for the socket, which
// alone changes anything, the page that asks and the token that the program printed.
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace Playground.Server;

internal sealed class Guard(string token)
{
    private static readonly string[] OwnNames = ["localhost", "127.0.0.1"];

    private readonly byte[] token = Encoding.ASCII.GetBytes(token);

    /// <summary>A token that nobody guesses.</summary>
    public static string NewToken() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));

    /// <summary>Whether a request is not answered; it then has its refusal.</summary>
    public bool Refuses(HttpContext context)
    {
        Harden(context.Response.Headers);
        var request = context.Request;
        if (!OwnNames.Contains(request.Host.Host) || request.Host.Port is { } port && port != context.Connection.LocalPort)
            return Refuse(context, StatusCodes.Status421MisdirectedRequest);
        if (request.Method != "GET")
            return Refuse(context, StatusCodes.Status405MethodNotAllowed);
        return false;
    }

    /// <summary>Whether a request for the socket comes from the page itself, with the token; otherwise it has its refusal.</summary>
    public bool Admits(HttpContext context)
    {
        var request = context.Request;
        if (!context.WebSockets.IsWebSocketRequest)
            return !Refuse(context, StatusCodes.Status400BadRequest);
        var given = Encoding.UTF8.GetBytes(request.Query["token"].ToString());
        var isOwn = request.Headers.Origin.ToString() == $"http://{request.Host}";
        return isOwn && CryptographicOperations.FixedTimeEquals(given, token) || !Refuse(context, StatusCodes.Status403Forbidden);
    }

    /// <summary>The browser is told to run nothing that is not the page's own, and to tell nobody the address.</summary>
    private static void Harden(IHeaderDictionary headers)
    {
        headers.ContentSecurityPolicy =
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
            + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "no-referrer";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
    }

    private static bool Refuse(HttpContext context, int status)
    {
        context.Response.StatusCode = status;
        return true;
    }
}
