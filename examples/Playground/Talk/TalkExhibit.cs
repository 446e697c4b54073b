// The exhibit of the chat robot: what it says, and which characters of the question it looked at for each of its own.
using ChatRobot;
using Playground.Server;

namespace Playground.Talk;

internal sealed class TalkExhibit(Outbox outbox, Turns turns, Lazy<TalkExhibit.Partner> partner) : Exhibit
{
    private const int LongestQuestion = 200;

    public override async Task Do(Wish wish, CancellationToken cancellation)
    {
        switch (wish.Text("do", 20))
        {
            case "say":
                var text = wish.Text("text", LongestQuestion);
                var said = await turns.Take(() => partner.Value.Answer(text), cancellation);
                outbox.Answer(new { exhibit = "talk", said });
                break;
            case "ideas":
                outbox.Answer(new { exhibit = "talk", ideas = partner.Value.Ideas() });
                break;
            case var other:
                throw new Refusal("wish-unknown", new { given = other });
        }
    }

    /// <summary>The robot, which all pages talk to; it was taught before.</summary>
    internal sealed class Partner
    {
        private readonly Dialogues.Dialogues dialogues = Dialogues.read(null);
        private readonly Robot.Robot robot;

        public Partner() => robot = Robot.load(Path.Combine(AppContext.BaseDirectory, "robot.safetensors"), dialogues);

        public object Answer(string text)
        {
            var reply = Reply.reply(robot, dialogues, text);
            if (reply.Answer is null) return new { reply.Text };
            var answer = reply.Answer.Value.Text;
            var weights = Robot.attention(robot, reply.Question, answer);
            return new
            {
                reply.Text,
                reply.Answer.Value.Probability,
                question = VocabularyModule.characters(reply.Question),
                answer = VocabularyModule.characters(answer),
                attention = Enumerable.Range(0, weights.GetLength(0)).Select(row => Enumerable.Range(0, weights.GetLength(1)).Select(column => (float)weights[row, column])),
            };
        }

        /// <summary>Some of what it has been taught, in both languages.</summary>
        public string[] Ideas() => [.. dialogues.Lines.Select(line => line.Item1)];
    }
}
