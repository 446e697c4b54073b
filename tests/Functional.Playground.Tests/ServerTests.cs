// The server against those who are not its visitors: what is foreign, malformed, huge or endless gets an error, and costs
// nothing.
using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text;

namespace Functional.Playground.Tests;

public sealed class ServerTests(World world)
{
    private string Authority => world.Site.Address.Authority;

    private string Token => world.Site.Address.Query["?token=".Length..];

    public async Task ForeignNamesMethodsAndPathsAreRefused()
    {
        using var client = new HttpClient();
        async Task Answers(HttpStatusCode expected, HttpMethod method, string path, string? host = null)
        {
            using var request = new HttpRequestMessage(method, $"http://{Authority}{path}");
            request.Headers.Host = host;
            using var answer = await client.SendAsync(request);
            Check.Equal(expected, answer.StatusCode, $"{method} {path} of {host ?? "itself"}");
        }

        await Answers(HttpStatusCode.OK, HttpMethod.Get, "/");
        await Answers(HttpStatusCode.OK, HttpMethod.Get, "/main.js", $"localhost:{world.Site.Address.Port}");
        await Answers(HttpStatusCode.MisdirectedRequest, HttpMethod.Get, "/", "evil.example");
        await Answers(HttpStatusCode.MisdirectedRequest, HttpMethod.Get, "/", $"evil.example:{world.Site.Address.Port}");
        await Answers(HttpStatusCode.MethodNotAllowed, HttpMethod.Post, "/");
        await Answers(HttpStatusCode.NotFound, HttpMethod.Get, "/..%2f..%2fetc/passwd");
        await Answers(HttpStatusCode.BadRequest, HttpMethod.Get, $"/live?token={Token}");
    }

    public async Task EveryAnswerTellsTheBrowserToRunNothingElse()
    {
        using var client = new HttpClient();
        using var answer = await client.GetAsync($"http://{Authority}/nothing");
        var policy = answer.Headers.GetValues("Content-Security-Policy").Single();
        Check.That(policy.StartsWith("default-src 'none'; script-src 'self'", StringComparison.Ordinal) && !policy.Contains("unsafe"), policy);
        Check.Equal("nosniff", answer.Headers.GetValues("X-Content-Type-Options").Single(), "sniffing");
        Check.Equal("no-referrer", answer.Headers.GetValues("Referrer-Policy").Single(), "referrer");
    }

    public async Task TheSocketOpensForThePageWithItsTokenOnly()
    {
        async Task<bool> Opens(string token, string? origin)
        {
            using var socket = new ClientWebSocket();
            if (origin is not null) socket.Options.SetRequestHeader("Origin", origin);
            try
            {
                await socket.ConnectAsync(new Uri($"ws://{Authority}/live?token={token}"), default);
                return true;
            }
            catch (WebSocketException)
            {
                return false;
            }
        }

        Check.That(await Opens(Token, $"http://{Authority}"), "the page itself is refused");
        Check.That(!await Opens(Token, "http://evil.example"), "another origin is admitted");
        Check.That(!await Opens(Token, null), "no origin is admitted");
        Check.That(!await Opens("", $"http://{Authority}"), "no token is admitted");
        Check.That(!await Opens(Token[..^1] + "x", $"http://{Authority}"), "another token is admitted");
    }

    public async Task MalformedWishesAreAnsweredAndThePageGoesOn()
    {
        using var socket = await ConnectAsync();
        string[] wishes =
        [
            "", "nonsense", "{", "[]", "42", "null", "\"x\"", "{}", "{\"exhibit\":7}", "{\"exhibit\":\"nowhere\",\"do\":\"x\"}",
            "{\"exhibit\":\"function\"}", "{\"exhibit\":\"function\",\"do\":\"run\"}", "{\"exhibit\":\"function\",\"do\":\"begin\"}",
            "{\"exhibit\":\"function\",\"do\":\"begin\",\"lesson\":{\"kind\":\"formula\",\"formula\":\"x\",\"from\":0,\"to\":1e400}}",
            "{\"exhibit\":\"function\",\"do\":\"begin\",\"lesson\":{\"kind\":\"formula\",\"formula\":\"x\",\"from\":1,\"to\":1}}",
            "{\"exhibit\":\"function\",\"do\":\"begin\",\"lesson\":{\"kind\":\"formula\",\"formula\":\"x\",\"from\":0,\"to\":1},\"network\":{\"hidden\":[1e9],\"activation\":\"tanh\",\"optimizer\":\"adam\",\"seed\":1}}",
            "{\"exhibit\":\"digit\",\"do\":\"read\",\"image\":\"%%%\"}", new string('[', 5000),
        ];
        foreach (var wish in wishes)
        {
            await SendAsync(socket, wish);
            var answer = await ReceiveAsync(socket);
            Check.That(answer.Contains("\"error\""), $"{wish} was answered with {answer}");
        }
        Check.Equal(WebSocketState.Open, socket.State, "the socket");
    }

    public async Task FormulasAsDeepAsTheyAreLongAreRefusedInWords()
    {
        using var socket = await ConnectAsync();
        foreach (var formula in (string[])[new string('(', 300), new string('-', 299) + "x", string.Concat(Enumerable.Repeat("sin(", 74)) + "x" + new string(')', 1), "x" + string.Concat(Enumerable.Repeat("^9", 149))])
        {
            await SendAsync(socket, $"{{\"exhibit\":\"function\",\"do\":\"begin\",\"lesson\":{{\"kind\":\"formula\",\"formula\":\"{formula}\",\"from\":0,\"to\":1}},\"network\":{{\"hidden\":[2],\"activation\":\"tanh\",\"optimizer\":\"adam\",\"seed\":1}}}}");
            await ReceiveAsync(socket);
            Check.Equal(WebSocketState.Open, socket.State, formula[..20]);
        }
    }

    public async Task AMessageThatIsTooLargeOrEndlessEndsItsSocket()
    {
        using var socket = await ConnectAsync();
        var part = Encoding.UTF8.GetBytes(new string(' ', 100_000));
        try
        {
            for (var i = 0; i < 100 && socket.State == WebSocketState.Open; i++)
                await socket.SendAsync(part, WebSocketMessageType.Text, endOfMessage: false, default);
        }
        catch (WebSocketException)
        {
            return; // closed while it was being sent
        }
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        try
        {
            var answer = await socket.ReceiveAsync(new byte[1000], patience.Token);
            Check.Equal(WebSocketMessageType.Close, answer.MessageType, "an endless message");
        }
        catch (WebSocketException)
        {
            // closed
        }
    }

    public async Task AHeaderThatNeverEndsIsNotWaitedFor()
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, world.Site.Address.Port);
        await client.GetStream().WriteAsync("GET / HTTP/1.1\r\nHost: "u8.ToArray());
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(15));
        var buffer = new byte[1000];
        var read = await client.GetStream().ReadAsync(buffer, patience.Token);
        Check.That(read == 0 || Encoding.ASCII.GetString(buffer, 0, read).Contains("408"), "it is waited for");
    }

    public async Task FiftyPagesTrainAtOnceAndStopWhenTheyAreClosed()
    {
        const string begin = """
            {"exhibit":"function","do":"begin","lesson":{"kind":"formula","formula":"sin(9*x)","from":-2,"to":2},"network":{"hidden":[8,8],"activation":"tanh","optimizer":"adam","seed":1},"rate":0.001,"epsilon":0,"speed":0}
            """;
        var sockets = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => ConnectAsync()));
        foreach (var socket in sockets)
        {
            await SendAsync(socket, begin);
            await SendAsync(socket, "{\"exhibit\":\"function\",\"do\":\"run\"}");
        }
        async Task Trains(ClientWebSocket socket)
        {
            for (var i = 0; i < 200; i++)
                if ((await ReceiveAsync(socket)) is var text && text.Contains("\"status\":\"running\"") && !text.Contains("\"steps\":0,")) return;
            throw new InvalidOperationException("a page does not train");
        }

        await Task.WhenAll(sockets.Select(Trains));
        foreach (var socket in sockets) socket.Dispose();
        double Busy()
        {
            var before = Environment.CpuUsage.TotalTime;
            Thread.Sleep(500);
            return (Environment.CpuUsage.TotalTime - before).TotalSeconds / 0.5;
        }

        var busy = Enumerable.Range(0, 10).Select(_ => Busy()).FirstOrDefault(share => share < 0.1, 1);
        Check.That(busy < 0.1, "with all pages closed the server goes on computing");
    }

    private async Task<ClientWebSocket> ConnectAsync()
    {
        var socket = new ClientWebSocket();
        socket.Options.SetRequestHeader("Origin", $"http://{Authority}");
        await socket.ConnectAsync(new Uri($"ws://{Authority}/live?token={Token}"), default);
        return socket;
    }

    private static Task SendAsync(ClientWebSocket socket, string text) =>
        socket.SendAsync(Encoding.UTF8.GetBytes(text), WebSocketMessageType.Text, endOfMessage: true, default);

    private static async Task<string> ReceiveAsync(ClientWebSocket socket)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        var (buffer, message) = (new byte[64 << 10], new MemoryStream());
        while (true)
        {
            var part = await socket.ReceiveAsync(buffer, patience.Token);
            message.Write(buffer, 0, part.Count);
            if (part.EndOfMessage) return Encoding.UTF8.GetString(message.ToArray());
        }
    }
}
