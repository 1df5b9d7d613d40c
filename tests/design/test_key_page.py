"""The page of all keys is made from the code and committed as it is."""

from io import StringIO

from django.core.management import call_command

from studies.design.key_page import PAGE, keys_page
from studies.design.keys import key_of, keys_of
from studies.design.spec import NAMED_TABLES, TABLES


def test_the_committed_page_is_current():
    said = "run `manage.py create_study --keys > studies/design/KEYS.md` and commit it"
    assert PAGE.read_text(encoding="utf-8") == keys_page(), said


def test_the_command_prints_the_page():
    out = StringIO()
    call_command("create_study", "--keys", stdout=out)
    assert out.getvalue() == keys_page()


def test_every_key_is_on_the_page_with_its_sentence():
    page = keys_page()
    for table in (*TABLES.values(), *NAMED_TABLES.values()):
        for name, each in keys_of(table).items():
            doc = key_of(each).doc
            assert f"| `{name}` |" in page
            assert f"| {doc} |" in page
            assert doc.endswith("."), f"{table.__name__}.{name}: end the sentence"
            assert "|" not in doc
