"""The links that people are sent, one for each way of recruiting them."""

from dataclasses import dataclass

# As Prolific's documentation writes the three; only PROLIFIC_PID is read, the others are stored nowhere.
PROLIFIC = "PROLIFIC_PID={{%PROLIFIC_PID%}}&STUDY_ID={{%STUDY_ID%}}&SESSION_ID={{%SESSION_ID%}}"


@dataclass(frozen=True)
class Link:
    """A link to paste: where it goes, and what happens with it. `key` is its place on the page."""

    key: str
    title: str
    url: str
    help: str


def recruitment_links(join: str) -> tuple[Link, ...]:
    """`join` is the study's join link in full."""
    return (
        Link(
            "prolific",
            "Prolific",
            f"{join}?{PROLIFIC}",
            "Paste it as the study's URL and choose to record ids by URL parameters: Prolific puts each person's id "
            "into it. It knows one completion code for all, and this server gives each person their own: approve "
            "people by their ids on People and payment.",
        ),
        Link(
            "cloudresearch",
            "CloudResearch",
            join,
            "Paste it as it is: Connect adds participantId=… to it, the MTurk Toolkit workerId=…, unless you switch "
            "that off there.",
        ),
        Link(
            "mturk",
            "MTurk, with a link that you make for each worker",
            f"{join}?workerId=",
            "The worker's id goes behind the =. Without one the link is no more than the join link.",
        ),
        Link(
            "list",
            "A list of your own",
            f"{join}?entry=",
            "Each person's own code goes behind the =, at most 200 characters. Whoever knows a code gets its "
            "session: make codes that nobody can guess.",
        ),
    )
