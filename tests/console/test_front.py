"""The server's front page: only studies that say so are on it, people's before those of bots, as they were made."""

from django.test import Client

from tests.small_study import make_study


def names(page: str) -> list[str]:
    lines = page.split('<p class="quiet">')[1:]
    return [line.split(" · ")[0] for line in lines if " · " in line]


def test_only_listed_studies_are_shown_in_the_order_they_were_made(client: Client):
    for name, is_listed in (("zebra", True), ("hidden", False), ("ant", True)):
        make_study(study__name=name, study__is_listed=is_listed)
    assert names(client.get("/").content.decode()) == ["zebra", "ant"]
