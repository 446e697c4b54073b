/// The robot: an encoder that reads a question, character by character, a decoder that writes an answer, and attention
/// between them, which tells at every character that is written which ones of the question it looks at.
module ChatRobot.Robot

open System
open Functional
open ChatRobot.Dialogues

/// What the robot is: the characters it knows, and its parameters.
type Robot = {
    Letters: Vocabulary
    Signs: Vocabulary
    Net: EncoderDecoder<Gru>
    /// The most characters of an answer, its end included.
    Limit: int
}

let private cell = Gru.cell
let private plain = Recurrent.defaults

/// Not taught yet: the vocabularies of questions and answers, and parameters drawn from a key.
let create (dialogues: Dialogues) : Robot =
    // some made-up names among them, so that their letters are known
    let lines = Array.append dialogues.Lines (fill (Random 1) 200 dialogues)
    let characters pick = lines |> Seq.collect (pick >> Vocabulary.characters) |> Vocabulary.create
    let letters, signs = characters fst, characters snd

    {
        Letters = letters
        Signs = signs
        Net =
            EncoderDecoder.init
                cell
                {
                    EncoderDecoder.settings letters.Size signs.Size 128 with
                        Embedding = 32
                        // large enough that attention can tell characters apart from the beginning
                        Vectors = Initializer.uniform -0.5 0.5
                        Attention = Some 64
                }
                (Key.create 5L)
        Limit = 1 + (lines |> Array.map (fun (_, answer) -> (Vocabulary.characters answer).Length) |> Array.max)
    }

/// A robot that was taught before these dialogues, from its file.
let load (path: string) (dialogues: Dialogues) : Robot =
    let fresh = create dialogues
    { fresh with Net = Checkpoint.load path fresh.Net }

let private read robot (question: string) = Vocabulary.numbers robot.Letters (Vocabulary.characters question)

/// The characters of a text that the robot has never seen.
let unknown robot (text: string) = Vocabulary.unknown robot.Letters (Vocabulary.characters text)

let private encode net (source: Tensor) =
    EncoderDecoder.encode cell { plain with Mask = Some(Sequences.mask source) } net source

/// An answer, and how sure the robot is of it: the probability of all its characters.
type Answer = { Text: string; Probability: float }

/// The answers to questions: of everything that it might say, what a search with four beginnings finds likeliest.
let answer (robot: Robot) (questions: string[]) : Answer[] =
    let known = encode robot.Net (questions |> Array.map (read robot) |> Sequences.pad)
    let beam = { Width = 4; LengthPenalty = 0.0 }

    Decode.beam beam (Decode.upTo robot.Limit) (EncoderDecoder.step cell robot.Net) known
    |> Array.map (fun found -> {
        Text = Vocabulary.text robot.Signs found[0].Tokens
        Probability = exp found[0].LogProbability
    })

/// The attention while an answer is written: for every character of it, and its end, the weights of the question's.
let attention (robot: Robot) (question: string) (answer: string) : float[,] =
    let known = encode robot.Net (Sequences.batch [ read robot question ])
    let inputs, _ = Vocabulary.numbers robot.Signs (Vocabulary.characters answer) |> Sequences.teaching

    EncoderDecoder.attention cell robot.Net known (Sequences.batch [ inputs ])
    |> index 0 0
    |> Tensor.toArray2D

// ---- learning

/// A slip of the keyboard: one character left out, typed twice, or exchanged with the next.
let private slip (dice: Random) (question: int[]) =
    if question.Length < 6 || dice.Next 2 = 0 then
        question
    else
        let place = dice.Next(question.Length - 1)

        match dice.Next 3 with
        | 0 -> Array.removeAt place question
        | 1 -> Array.insertAt place question[place] question
        | _ -> question |> Array.updateAt place question[place + 1] |> Array.updateAt (place + 1) question[place]

/// How learning goes: after so many rounds, the loss of a character, and the lines that are answered exactly and with a
/// probability of more than a half, if they were tried.
type Progress = { Round: int; Loss: float; Exact: int option }

/// Lines ready to be taught, padded to the widths of questions and answers: the questions, what the decoder reads, and what it
/// has to say.
let private batch (asked: int, said: int) (questions: int[][]) (answers: int[][]) =
    let inputs, outputs = answers |> Array.map Sequences.teaching |> Array.unzip
    Sequences.padTo asked questions, Sequences.padTo said inputs, Sequences.padTo said outputs

/// Teaches all lines until each is answered exactly and surely and the loss is next to nothing, or the rounds are over: teacher forcing, by Adam, a compiled
/// step. Lines of similar length are one batch, padded; a mask keeps the padding out of reading, attention and loss. Half of
/// the longer questions have a slip, a new one each time, so that the robot understands people who type fast; and patterns
/// have new names, so that it learns to copy.
let teach (rounds: int) (report: Progress -> unit) (dialogues: Dialogues) (robot: Robot) : Robot =
    let dice = Random 3

    let numbers (lines: (string * string)[]) =
        lines
        |> Array.map (fun (question, answer) ->
            read robot question, Vocabulary.numbers robot.Signs (Vocabulary.characters answer))

    // a slip in a name would be another name, whose answer is another one
    let maySlip = dialogues.Lines |> Array.map (fst >> isNamed dialogues >> not)

    let known =
        Array.zip maySlip (numbers dialogues.Lines)
        |> Array.sortBy (fun (_, (_, answer)) -> answer.Length)
        |> Array.splitInto (max 1 (dialogues.Lines.Length / 18))

    let longest (sequences: int[][]) = sequences |> Array.map Array.length |> Array.max

    /// Known lines with new slips.
    let slips (lines: (bool * (int[] * int[]))[]) =
        let questions, answers = lines |> Array.map snd |> Array.unzip

        let typed =
            lines |> Array.map (fun (may, (question, _)) -> if may then slip dice question else question)

        batch (1 + longest questions, 1 + longest answers) typed answers

    let named =
        let longest pick =
            dialogues.Patterns
            |> Array.map (fun line -> (Vocabulary.characters (pick line)).Length + longestName)
            |> Array.fold max 0

        longest fst, longest snd

    /// Batches of names in a round: copying takes more practice than lines that are always the same.
    let practice = if dialogues.Patterns.Length > 0 then 8 else 0

    /// The batches of a round.
    let round () = [|
        yield! Array.map slips known
        for _ in 1..practice do
            fill dice 32 dialogues |> numbers |> Array.unzip ||> batch named
    |]

    let optimizer =
        Adam.create {
            Adam.defaults with
                Rate = Schedule.cosine 0.008 (rounds * (known.Length + practice)) 0.02
        }
        |> Optimizer.clipByGlobalNorm 1.0

    let step (net, memory) (source, inputs, outputs) =
        let loss, gradient =
            valueAndGrad (fun net -> EncoderDecoder.loss cell plain net source inputs outputs) net

        Optimizer.step optimizer gradient memory net, loss

    use stepper = new Stepper<_, _, _>(step, (robot.Net, Optimizer.init optimizer robot.Net))
    let taught () = { robot with Net = fst (stepper.Snapshot()) }

    let exact robot =
        Array.map2
            (fun (_, text) found -> found.Text = text && found.Probability > 0.5)
            dialogues.Lines
            (answer robot (Array.map fst dialogues.Lines))
        |> Array.filter id
        |> Array.length

    let rec learn count =
        let losses =
            round ()
            |> Array.randomShuffleWith dice
            |> Array.map (fun batch ->
                stepper.Step batch
                Tensor.toFloat stepper.Result)

        let loss = Array.average losses

        let tried =
            if count % 10 = 0 && loss < 0.05 || count = rounds then
                Some(exact (taught ()))
            else
                None

        report { Round = count; Loss = loss; Exact = tried }

        if count < rounds && (tried <> Some dialogues.Lines.Length || loss > 0.0015) then
            learn (count + 1)

    learn 1
    taught ()
