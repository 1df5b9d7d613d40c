"""Mistakes about who takes part and who counts: check questions, exclusions, looks, previews; each must be noticed."""

from tests.bench.mutations.mutation import Mutation

CHECKED = ("tests/runtime/test_screening.py",)
CHECK_PAGE = ("tests/participant/test_check.py",)
EXCLUDED = ("tests/runtime/test_exclusions.py", "tests/reports/test_exclusions.py")
LOOKED = ("tests/reports/test_looks.py",)
PREVIEWED = ("tests/console/test_preview.py",)


def _in(file: str, name: str, old: str, new: str, tests: tuple[str, ...]) -> Mutation:
    return Mutation(f"{file}: {name}", f"studies/{file}.py", old, new, tests)


PEOPLE = (
    _in(
        "runtime/screening",
        "a second window uses up an attempt",
        "if attempt != session.check_attempts + 1:",
        "if attempt < 1:",
        CHECKED,
    ),
    _in("runtime/screening", "sent twice, counted twice", "if made.is_repeated:", "if False:", CHECKED),
    _in("runtime/screening", "one attempt too many", "attempt >= spec.screening", "attempt > spec.screening", CHECKED),
    _in(
        "runtime/screening",
        "any answer is right",
        "return check.options[option] == check.correct",
        "return True",
        CHECKED,
    ),
    _in(
        "runtime/screening",
        "the place stays taken",
        "    design_operations.give_back_slot(slot_id=session.slot_id)\n",
        "",
        CHECKED,
    ),
    _in(
        "runtime/screening",
        "a missing answer is none",
        "if len(options) != len(checks):",
        "if len(options) > len(checks):",
        CHECKED,
    ),
    _in("runtime/sessions", "the check is left out", "if not spec_of(session).checks:", "if session.pk:", CHECKED),
    _in(
        "participant/present",
        "the page tells which option is right",
        'is_chosen": check.name not in last.wrong and last.chosen.get(check.name) == index',
        'is_chosen": option == check.correct',
        CHECK_PAGE,
    ),
    _in(
        "analysis/flow",
        "people who were screened out count as attrition",
        "left_out = under_way | ",
        "left_out = under_way & ",
        ("tests/analysis/test_checked.py",),
    ),
    _in(
        "runtime/exclusions",
        "another reason takes the place of the first",
        "if session.is_excluded:\n",
        "if False:\n",
        EXCLUDED,
    ),
    _in(
        "runtime/exclusions",
        "whoever withdrew can be excluded",
        "if session.state == ParticipantSession.State.WITHDRAWN:",
        "if False:",
        EXCLUDED,
    ),
    _in(
        "reports/exclusions",
        "outcomes that were computed are forgotten",
        "is_post_hoc=is_computed or looks.may_show_outcomes(study),",
        "is_post_hoc=False,",
        EXCLUDED,
    ),
    _in(
        "reports/looks",
        "an open study's outcomes need no reason",
        "if look is None or not look.reason.strip():",
        "if look is None:",
        LOOKED,
    ),
    _in(
        "reports/looks",
        "a look is not recorded",
        "    Look.objects.create(study=study, by=look.by, at=look.at, how=look.how, reason=look.reason.strip())\n",
        "",
        LOOKED,
    ),
    _in(
        "participant/preview",
        "scripts run in a preview",
        "        \"script-src 'none'\",\n",
        "        \"script-src 'self'\",\n",
        PREVIEWED,
    ),
    _in(
        "participant/imagined",
        "another slot's trials",
        "plans = plans_of(slot)",
        "plans = plans_of(slot)[::-1]",
        PREVIEWED,
    ),
)
