"""The contract: the dictionary lists every column, and a real file keeps to it."""

from studies.analysis.schema import INPUTS, RESULTS, TABLES, TRIALS, data_dictionary


def test_dictionary_has_every_declared_column_with_a_meaning() -> None:
    rows = data_dictionary()
    assert len(rows) == sum(len(table.columns) for table in TABLES)
    assert all(row["meaning"] and row["type"] and row["missing"] for row in rows)
    assert {"table", "name", "type", "unit", "levels", "required", "missing", "meaning"} == set(rows[0])


def test_columns_are_declared_once() -> None:
    for table in TABLES:
        names = [column.name for column in table.columns]
        assert len(names) == len(set(names)), table.name


def test_required_trial_columns_are_the_five_of_the_specification() -> None:
    assert [column.name for column in TRIALS.columns if column.required] == ["participant", "question", "condition"]
    assert [column.name for column in TRIALS.columns[3:7]] == ["answer", "gold", "correct", "confidence"]


def test_results_have_the_long_form_column_for_column() -> None:
    expected = (
        "id, condition, arm, baseline, subset, timeouts, exclusions, population, estimate, se, df, low, high, p, p_adj,"
        " method, n_trials, P, Q, flags, reason"
    )
    assert ", ".join(column.name for column in RESULTS.columns) == expected


def test_every_input_table_says_what_a_row_is() -> None:
    assert all(table.meaning.endswith(".") for table in INPUTS)
