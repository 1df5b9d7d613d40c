"""How people may ask: phrasings to learn from, and others that are kept back to measure with."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Phrasings:
    """`pastes`: how a question and its options stand in a message, with $question and $options, and how each option
    is written, with $letter and $text. `{option}` in a guess is an option's text or its letter. `asides` are what
    people say besides, before or after, which the model has to look past.
    """

    pastes: tuple[tuple[str, str], ...]
    asks: tuple[str, ...]
    whys: tuple[str, ...]
    doubts: tuple[str, ...]
    guesses: tuple[str, ...]
    hellos: tuple[str, ...]
    thanks: tuple[str, ...]
    others: tuple[str, ...]
    asides: tuple[str, ...] = ()


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
        ("$question\n\n$options", "$letter: $text\n\n"),
        ("$question\n$options", " $letter $text\n"),
        ("Q: $question\n$options", "$letter = $text\n"),
        ("The question is: $question The options are: $options", "($letter) $text; "),
        ("$question\n$options", "- $letter. $text\n"),
        ('"$question"\n$options', "* $letter: $text\n"),
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
    asides=(
        "This one looks hard.",
        "I have to hurry a little.",
        "We had this at school, but that was long ago.",
        "My brother says one thing and my sister another.",
        "I have read it twice now.",
        "Hmm, let me see.",
        "I am not good at this subject at all.",
        "You were right the last time.",
        "There are five minutes left on the clock.",
        "No clue, honestly.",
        "I would like to get all of them right.",
        "It is a bit strange, I think.",
        "Two of them seem possible to me.",
        "Take your time.",
        "Be honest with me, please.",
        "Could you have a look at it?",
        "Sorry, here it is again.",
        "Look at this one.",
        "The next question:",
        "Now this:",
        "Question four of six.",
        "Copied from the page:",
        "I want to be sure before I submit.",
        "One of them must be right.",
        "I always mix these up.",
        "If you do not know, say so.",
        "Somebody told me that it is easy.",
        "Give me your best guess, then.",
        "You can be brief.",
        "I need a letter from you.",
        "What would an expert say to that?",
        "Would you mind helping me here?",
        "Let us go on.",
        "All right, another one:",
        "To me they all look the same.",
        "I had a different idea, but I forgot it.",
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
