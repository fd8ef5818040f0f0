"""Whoever adds a column says how long it is kept, in which role, and what an export says of it."""

from __future__ import annotations

from collections import Counter

import pytest
from sqlalchemy import Table

from bridge.privacy.retention import rules
from bridge.store.classes import TABLES
from bridge.store.kept import WALKS
from bridge.store.purges import LETS_GO, needs
from tests.stores import whole_metadata

metadata = whole_metadata()
ALL = sorted(metadata.tables.values(), key=lambda table: table.name)
#: What ends by itself: `tidy` and its like drop it within days, or it has no end.
WITHOUT_A_WALK = {"working", "invitation", "export", "suppression", "system"}


def name_of(table: Table) -> str:
    return table.name


@pytest.mark.parametrize("table", ALL, ids=name_of)
def test_p12_every_column_has_a_class_a_role_and_an_export_rule(table: Table) -> None:
    assert table.name in TABLES, f"classify the table {table.name} in bridge/store/classes.py"
    listed = Counter(name for name, _ in TABLES[table.name].columns())
    real = {column.name for column in table.columns}
    assert not real - listed.keys(), f"classify these columns of {table.name}"
    assert not listed.keys() - real, f"{table.name} has no such columns"
    assert max(listed.values()) == 1, "a column stands in one list"


def test_p12_no_table_is_classified_that_does_not_exist() -> None:
    assert TABLES.keys() <= metadata.tables.keys()


@pytest.mark.parametrize("table", ALL, ids=name_of)
def test_p12_every_class_is_a_rule_and_is_purged(table: Table) -> None:
    klass = TABLES[table.name].klass
    assert klass in rules()
    assert klass in WALKS or klass in WITHOUT_A_WALK


@pytest.mark.parametrize("table", ALL, ids=name_of)
def test_who_adds_a_reference_to_a_person_says_whether_it_keeps_them(table: Table) -> None:
    if "subject_id" in table.c:
        assert needs(table) is not None, f"decide it in bridge/store/purges.py: {table.name}"


def test_what_lets_a_person_go_exists() -> None:
    assert metadata.tables.keys() >= LETS_GO


def test_sealed_columns_are_personal() -> None:
    plain = {
        (table.name, name)
        for table in ALL
        for name, column in TABLES[table.name].columns()
        if column.export == "not-personal" and type(table.c[name].type).__name__ == "Sealed"
    }
    assert not plain
