"""README.md is current."""

from studies.analysis.readme import README, with_ids


def test_the_table_of_ids_is_made_from_the_registry() -> None:
    text = README.read_text(encoding="utf-8")
    assert text == with_ids(text), "run python -m studies.analysis.readme"
