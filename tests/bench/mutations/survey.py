"""Mistakes in the survey at the end: what may be sent, what is kept of it, and who gets to see it."""

from tests.bench.mutations.mutation import Mutation

SURVEY, RULES, TABLES = "studies/runtime/survey.py", "studies/runtime/survey_rules.py", "studies/reports/survey.py"
TEST_RUNTIME, TEST_REPORTS = ("tests/runtime/test_survey.py",), ("tests/reports/test_survey.py",)

SURVEYS = (
    Mutation(
        "a survey before the last question",
        SURVEY,
        "if session.stage != Stage.SURVEY:",
        "if False:",
        TEST_RUNTIME,
    ),
    Mutation(
        "a survey that was sent is refused when it comes again",
        SURVEY,
        "if session.stage == Stage.DEBRIEF:",
        "if False:",
        TEST_RUNTIME,
    ),
    Mutation(
        "what people wrote is in the log",
        SURVEY,
        "each.item: len(each.text) for",
        "each.item: each.text for",
        TEST_RUNTIME,
    ),
    Mutation(
        "the session ends without its survey",
        "studies/runtime/sessions.py",
        "if not spec_of(session).survey:",
        "if True:",
        TEST_RUNTIME,
    ),
    Mutation(
        "an erasure leaves the survey",
        "studies/runtime/erasure.py",
        "    SurveyAnswer.objects.filter(session=session).delete()\n",
        "",
        TEST_RUNTIME,
    ),
    Mutation(
        "the verifier does not look at the survey",
        "studies/runtime/verify.py",
        "        *_survey(session, rows),\n",
        "",
        TEST_RUNTIME,
    ),
    Mutation("nothing is required", RULES, "if item.is_required:", "if False:", TEST_RUNTIME),
    Mutation(
        "a scale has one point more",
        RULES,
        "range(1, len(item.labels) + 1)",
        "range(1, len(item.labels) + 2)",
        TEST_RUNTIME,
    ),
    Mutation("a text of any length", RULES, "len(sent) > MAX_SURVEY_CHARACTERS", "False", TEST_RUNTIME),
    Mutation(
        "what was chosen is forgotten when something is missing",
        "studies/participant/views.py",
        "survey_page.shown(items, form, problems)",
        "survey_page.shown(items, {}, problems)",
        ("tests/participant/test_survey.py",),
    ),
    Mutation(
        "staff sees outcomes of an open study in the admin",
        "studies/admin.py",
        'hidden = ("number", "option", "text")',
        "hidden = ()",
        ("tests/console/test_admin.py",),
    ),
    Mutation(
        "the bundle has the survey of whoever withdrew",
        TABLES,
        "if session.state == ParticipantSession.State.COMPLETED",
        "if True",
        TEST_REPORTS,
    ),
    Mutation(
        "the bundle has what people wrote, asked for or not",
        TABLES,
        "given.text if with_text else None",
        "given.text",
        TEST_REPORTS,
    ),
    Mutation(
        "the release has what people wrote, asked for or not",
        "studies/reports/release.py",
        "(*INSTANTS, *NAMES) if with_text else (*INSTANTS, *NAMES, *TEXTS)",
        "(*INSTANTS, *NAMES)",
        TEST_REPORTS,
    ),
    Mutation(
        "the check does not compare the survey with the log",
        "studies/analysis/check_log.py",
        ", *survey_log.differences(_survey(source), by_name)",
        "",
        TEST_REPORTS,
    ),
    Mutation(
        "the report counts excluded people in the survey",
        "studies/analysis/sections/survey.py",
        'survey.answers["excluded"] == 1',
        'survey.answers["excluded"] == 2',
        ("tests/analysis/test_survey.py",),
    ),
    Mutation(
        "a standard deviation over n",
        "studies/analysis/survey.py",
        "given.std(ddof=1)",
        "given.std()",
        ("tests/analysis/test_survey.py",),
    ),
    Mutation(
        "answers to what was not asked are read",
        "studies/analysis/data.py",
        "    problems += survey.contradictions(typed) if not problems else []\n",
        "",
        ("tests/analysis/test_survey.py",),
    ),
)
