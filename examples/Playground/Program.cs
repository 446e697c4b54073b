// A page to see networks learn and to try what they have learnt: `dotnet run -c Release --project examples/Playground`.
using System.Diagnostics;
using Examples;
using Playground.Server;

var command = new Command(
    "Playground",
    [
        ("port", "port on this machine (default: any that is free)"),
        ("data", "folder with MNIST (default: FUNCTIONAL_DATA, then the user's cache, else drawn digits)"),
    ],
    [("no-open", "do not open the browser")],
    args);

await using var site = await Site.StartAsync(new SiteOptions { Port = command.Number("port", 0), Data = command.Text("data") });
Console.WriteLine($"The playground is at {site.Address}");
Console.WriteLine("It can be reached from this machine only. Ctrl-C ends it.");
if (!command.IsSet("no-open")) Open(site.Address);
await site.WaitAsync();

// The user's browser; where there is none, the address above has to do.
static void Open(Uri address)
{
    try
    {
        using var browser = Process.Start(new ProcessStartInfo(address.AbsoluteUri) { UseShellExecute = true });
    }
    catch (Exception e) when (e is InvalidOperationException or System.ComponentModel.Win32Exception or PlatformNotSupportedException)
    {
    }
}
