"""How people may ask: phrasings to learn from, and others that are kept back to measure with."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Phrasings:
    """`paste`: how the question and its options stand in a message, with $question and $options; the options as
    `option_line` writes each, from $letter and $text. `{option}` in a guess is an option's text or its letter.
    """

    pastes: tuple[tuple[str, str], ...]
    asks: tuple[str, ...]
    whys: tuple[str, ...]
    doubts: tuple[str, ...]
    guesses: tuple[str, ...]
    hellos: tuple[str, ...]
    thanks: tuple[str, ...]
    others: tuple[str, ...]


LEARNED = Phrasings(
    pastes=(
        ("$question\n$options", "$letter) $text\n"),
        ("$question\n$options", "($letter) $text\n"),
        ("$question\n\n$options", "$letter. $text\n"),
        ("$question\n$options", "$letter $text\n"),
        ("$question\n$options", "$letter\n$text\n"),
        ("$question $options", "$letter. $text "),
        ("$question $options", "($letter) $text "),
        ("Question: $question\nOptions:\n$options", "$letter: $text\n"),
        ("My question is this: $question\n$options", "$letter] $text\n"),
        ("$question\n$options", "{$letter} $text\n"),
        ("$question\n\n$options", "$letter = $text\n"),
        ("Q: $question\n$options", "<$letter> $text\n"),
        ("$question\n$options", "$letter, $text\n"),
        ("$question\n$options", "- $letter. $text\n"),
        ("Please read this. $question\n$options", "* ($letter) $text\n"),
        ("$question\n$options", "Option $letter: $text\n"),
    ),
    asks=(
        "",
        "",
        "What is the answer?",
        "Which option is right?",
        "Which one should I pick?",
        "Tell me the answer please.",
        "what do you think the answer is",
        "Can you help me with this question?",
        "I don't know this one, help.",
        "Which letter is it?",
        "So what is it?",
        "please give me the correct choice",
        "Do you know the answer?",
        "Which is correct?",
        "What do you think?",
        "Which option is right, and why?",
        "What would you answer?",
        "answer?",
        "Which of these is correct and why?",
        "Could you help me?",
        "Which would you choose?",
        "I need the right answer, please tell me.",
        "no idea, you?",
    ),
    whys=(
        "Why?",
        "Why is that?",
        "Can you explain?",
        "Explain your reasoning.",
        "How do you know?",
        "Why is that the right one?",
        "What is the reason?",
        "tell me why",
        "Give me an explanation.",
        "What makes you say that?",
        "Give me a hint.",
    ),
    doubts=(
        "Are you sure?",
        "How confident are you?",
        "Really?",
        "Is that certain?",
        "are you sure about that",
        "Could you be wrong?",
        "I doubt that.",
        "That sounds wrong.",
    ),
    guesses=(
        "I think it is {option}.",
        "Is it {option}?",
        "What about {option}?",
        "My guess is {option}.",
        "could it be {option}",
        "I would say {option}.",
        "Isn't it {option}?",
        "how about {option}?",
        "Why not {option}?",
    ),
    hellos=("Hello", "Hi", "Hey there", "good morning", "Hi, who are you?", "Hello assistant", "What are you?"),
    thanks=("Thanks", "Thank you!", "ok thanks", "great, thank you", "Cheers", "ok"),
    others=(
        "What is your favourite film?",
        "Tell me a joke.",
        "What's the weather?",
        "Do you like music?",
        "Write me a poem.",
        "Who will win the election?",
        "asdf",
    ),
)

KEPT_BACK = Phrasings(
    pastes=(
        ("$question\n$options", "$letter - $text\n"),
        ("Here is the question: $question\n$options", "$letter) $text\n"),
        ("$question\n\n$options", "[$letter] $text\n"),
    ),
    asks=(
        "Could you tell me which answer is correct?",
        "what should I choose here?",
        "Help me out, which one?",
        "I have no idea. Which one would you go for?",
    ),
    whys=("Could you explain why?", "And the reason is?", "What is your reasoning?"),
    doubts=("Are you certain?", "you sure?"),
    guesses=("Maybe {option}?", "I believe it is {option}."),
    hellos=("hi there",),
    thanks=("thank you very much",),
    others=("Do you like football?",),
)
