// The server: on this machine only, configured by nothing but its options, with three kinds of answers: the page's files,
// the one socket that each page talks through, and refusals.
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Playground.Server;

/// <summary>What a server may be told.</summary>
public sealed record SiteOptions
{
    /// <summary>The port; 0 is any that is free.</summary>
    public int Port { get; init; }

    /// <summary>What the page's address has to say before anything is changed; null draws one that nobody guesses.</summary>
    public string? Token { get; init; }

    /// <summary>A folder with MNIST; null looks where the library looks.</summary>
    public string? Data { get; init; }
}

/// <summary>The running server.</summary>
public sealed class Site : IAsyncDisposable
{
    private readonly WebApplication app;
    private readonly CancellationTokenSource closing;

    private Site(WebApplication app, CancellationTokenSource closing, Uri address)
    {
        this.app = app;
        this.closing = closing;
        Address = address;
    }

    /// <summary>Where the page is, with the token that lets it change things.</summary>
    public Uri Address { get; }

    /// <summary>Starts a server.</summary>
    /// <param name="options">Port and data.</param>
    /// <exception cref="IOException">The port is taken.</exception>
    public static async Task<Site> StartAsync(SiteOptions options)
    {
        if (options.Port is < 0 or > 65535)
            throw new ArgumentException($"a port is a number from 0 to 65535; {options.Port} was given");
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(2));
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Listen(IPAddress.Loopback, options.Port);
            Bound(kestrel.Limits);
        });
        var app = builder.Build();
        var (token, closing) = (options.Token ?? Guard.NewToken(), new CancellationTokenSource());
        var (guard, files, halls) = (new Guard(token), new Files(), new Halls(options.Data));
        app.UseWebSockets(new WebSocketOptions { KeepAliveInterval = TimeSpan.FromSeconds(10), KeepAliveTimeout = TimeSpan.FromSeconds(20) });
        app.Run(context => Answer(context, guard, files, halls, closing.Token));
        await app.StartAsync();
        return new Site(app, closing, new Uri($"{app.Urls.Single()}/?token={token}"));
    }

    /// <summary>Until the program is told to end.</summary>
    public Task WaitAsync() => app.WaitForShutdownAsync();

    /// <summary>Ends the server; pages that are open are told.</summary>
    public async ValueTask DisposeAsync()
    {
        await closing.CancelAsync();
        await app.DisposeAsync();
        closing.Dispose();
    }

    /// <summary>Requests have no bodies here, and headers that never end are not waited for.</summary>
    private static void Bound(KestrelServerLimits limits)
    {
        limits.MaxRequestBodySize = 0;
        limits.MaxRequestHeadersTotalSize = 16 << 10;
        limits.RequestHeadersTimeout = TimeSpan.FromSeconds(5);
        limits.KeepAliveTimeout = TimeSpan.FromSeconds(30);
        limits.MaxConcurrentConnections = 500;
        limits.MaxConcurrentUpgradedConnections = 200;
    }

    private static async Task Answer(HttpContext context, Guard guard, Files files, Halls halls, CancellationToken closing)
    {
        if (guard.Refuses(context)) return;
        if (context.Request.Path == "/live")
        {
            if (!guard.Admits(context)) return;
            using var socket = await context.WebSockets.AcceptWebSocketAsync();
            using var ended = CancellationTokenSource.CreateLinkedTokenSource(closing, context.RequestAborted);
            await new Page(socket, halls).Serve(ended.Token);
            return;
        }
        await files.Answer(context);
    }
}
