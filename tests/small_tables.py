"""Tables to append to a study file, for tests and benches: check questions, and a survey with an item of each kind."""

CHECKS = """
[checks.reliability]
text = "Is the assistant always right?"
options = ["Yes, always.", "No, it can be wrong."]
correct = "No, it can be wrong."

[checks.colour]
text = "Which colour was not named?"
options = ["Red", "Green", "None was named."]
correct = "None was named."
"""

SURVEY = """
[survey.trust]
text = "How much did you trust the assistant?"
kind = "scale"
labels = ["not at all", "", "somewhat", "", "completely"]
is_required = true

[survey.used-before]
text = "How often do you use <chat> assistants?"
kind = "choice"
options = ["never", "some days", "every day"]

[survey.comments]
text = "What else should we know?"
kind = "text"
"""
