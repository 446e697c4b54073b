/// What the robot says to anything that a person may type: its answer, or that it is guessing, or what it does not know.
module ChatRobot.Reply

open System
open ChatRobot.Dialogues
open ChatRobot.Robot

/// Below the one probability the robot says that it is guessing, below the other it asks back.
let private sure, lost = 0.3, 0.03

/// What is said, the question as the robot read it, and its answer to that; None where it has none.
type Reply = { Text: string; Question: string; Answer: Answer option }

/// The answer to anything that a person may type.
let reply (robot: Robot) (dialogues: Dialogues) (line: string) : Reply =
    let question = simplify line
    let chinese = isChinese line

    match unknown robot question with
    | [||] when question = "" -> {
        Text = if chinese then "请说点什么吧。" else "Say something!"
        Question = question
        Answer = None
      }
    | [||] ->
        let found = (answer robot [| question |])[0]

        let text =
            match chinese with
            | _ when found.Probability >= sure -> found.Text
            | true when found.Probability >= lost -> $"我不太确定…… {found.Text}"
            | false when found.Probability >= lost -> $"I am not sure, but: {found.Text}"
            | true -> $"我没听懂。你是想说“{nearest dialogues question}”吗？"
            | false -> $"I did not understand that. Did you mean \"{nearest dialogues question}\"?"

        { Text = text; Question = question; Answer = Some found }
    | strange ->
        let list = String.Join(" ", strange)

        let text =
            if chinese then
                $"我还没学过 {list} 。请换个说法吧。"
            else
                $"I have not learnt {list} yet. Could you say it in other words?"

        { Text = text; Question = question; Answer = None }
