// Reading a model's description, which may say anything: a file is not believed.
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Functional.CSharp;

/// <summary>Values of a description. What is not as it should be is an <see cref="InvalidDataException"/> that says what was
/// found, and what was expected.</summary>
internal static class Described
{
    public static InvalidDataException Damaged(string what) => new($"load: the model's description is damaged: {what}");

    public static string Text(JsonNode? node, string what) =>
        node is JsonValue value && value.TryGetValue(out string? text) ? text : throw Wrong(node, what, "a text");

    public static string Text(JsonObject from, string name) => Text(from[name], name);

    public static int Whole(JsonNode? node, string what) =>
        node is JsonValue value && value.GetValueKind() == JsonValueKind.Number && value.TryGetValue(out int number) ? number : throw Wrong(node, what, "a whole number");

    public static int Whole(JsonObject from, string name) => Whole(from[name], name);

    public static double Number(JsonNode? node, string what) =>
        node is JsonValue value && value.GetValueKind() == JsonValueKind.Number && value.TryGetValue(out double number) && double.IsFinite(number) ? number : throw Wrong(node, what, "a number");

    public static double Number(JsonObject from, string name) => Number(from[name], name);

    public static bool Switch(JsonNode? node, string what) =>
        node is JsonValue value && value.TryGetValue(out bool truth) ? truth : throw Wrong(node, what, "true or false");

    public static JsonObject Object(JsonNode? node, string what) => node as JsonObject ?? throw Wrong(node, what, "an object");

    public static JsonArray Array(JsonNode? node, string what) => node as JsonArray ?? throw Wrong(node, what, "an array");

    public static JsonArray Array(JsonObject from, string name) => Array(from[name], name);

    public static int[] Wholes(JsonNode? node, string what) => [.. Array(node, what).Select(one => Whole(one, what))];

    public static double[] Numbers(JsonNode? node, string what) => [.. Array(node, what).Select(one => Number(one, what))];

    /// <summary>One of some things by its number.</summary>
    public static T At<T>(IReadOnlyList<T> all, int number, string what) => number >= 0 && number < all.Count
        ? all[number]
        : throw Damaged($"{what} number {number} is named, there are {all.Count}");

    private static InvalidDataException Wrong(JsonNode? node, string what, string expected) =>
        Damaged(node is null ? $"{what} is missing" : $"{what} is {Short(node.ToJsonString())}, expected {expected}");

    private static string Short(string text) => text.Length > 60 ? text[..60] + "…" : text;
}
