// The chat robot, as a visitor talks to it.
using ChatRobot;

namespace Functional.Playground.Tests;

public sealed class TalkTests(World world)
{
    public async Task NamesThatItWasNeverTaughtAreCopiedLetterByLetter()
    {
        await using var visit = await world.OpenAsync("talk");
        foreach (var name in Dialogues.heldOut)
        {
            await Say(visit, $"my name is {name}");
            await visit.Until($"document.querySelector('#t-log p:last-child').textContent === 'Nice to meet you, {char.ToUpperInvariant(name[0])}{name[1..]}!'");
        }
    }

    public async Task ItKnowsItsDialoguesAndSaysWhatItDoesNotKnow()
    {
        await using var visit = await world.OpenAsync("talk");
        foreach (var (question, answer) in Dialogues.read(null).Lines.Select(line => (line.Item1, line.Item2)).Where((_, i) => i % 5 == 0))
        {
            await Say(visit, question);
            await visit.Until($"document.querySelector('#t-log p:last-child').textContent === {System.Text.Json.JsonSerializer.Serialize(answer)}");
        }
        await Say(visit, "привет");
        await visit.Until("document.querySelector('#t-log p:last-child').textContent.startsWith('I have not learnt')");
    }

    public async Task WhatItLookedAtIsDrawn()
    {
        await using var visit = await world.OpenAsync("talk");
        await visit["#t-ideas button >> nth=0"].ClickAsync();
        await visit.Until("document.getElementById('t-sure').textContent.includes('% sure')");
        await visit.Until("document.getElementById('t-attention').getContext('2d').getImageData(50, 40, 200, 200).data.some(value => value > 0)");
    }

    private static async Task Say(Visit visit, string text)
    {
        await visit["#t-text"].FillAsync(text);
        await visit["#t-text"].PressAsync("Enter");
    }
}
