"""How somebody comes in: from a recruitment platform with an id, as a bot with a signed pass, or just by the link."""

from dataclasses import dataclass

from django.core import signing
from django.http import QueryDict

from studies.design.models import Study
from studies.runtime.platforms import PLATFORMS, is_id

_SALT = "studies.bot"


@dataclass(frozen=True)
class Entry:
    """`identity` is (platform, id). `bot_slot` is the slot that a bot's pass names."""

    identity: tuple[str, str] | None
    bot_slot: int | None
    carried: dict[str, str]


def bot_pass(study: Study, slot_number: int) -> str:
    """A pass that lets `simulate_participants` in as a bot; only this server can make one."""
    return signing.dumps({"study": study.join_code, "slot": slot_number}, salt=_SALT)


def read(study: Study, given: QueryDict) -> Entry:
    """What the link (or the consent form that carries it on) says. An unknown or stale pass is just ignored."""
    carried: dict[str, str] = {}
    identity = None
    for platform in PLATFORMS:
        value = given.get(platform.parameter, "").strip()
        if is_id(value):
            identity, carried[platform.parameter] = (platform.source, value), value
            break
    bot_slot = None
    if "bot" in given:
        try:
            allowed = signing.loads(str(given["bot"]), salt=_SALT, max_age=86_400)
        except signing.BadSignature:
            allowed = {}
        if allowed.get("study") == study.join_code:
            bot_slot, carried["bot"] = int(allowed["slot"]), str(given["bot"])
    return Entry(identity, bot_slot, carried)
