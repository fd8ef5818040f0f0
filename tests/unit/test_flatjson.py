"""Octet for octet what the library writes, whatever is in it."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from bridge import flatjson
from bridge.store.sql import Values

_VALUE = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
_SURROGATES = st.text(st.characters(codec=None))


@given(st.lists(st.integers()) | st.lists(_SURROGATES) | st.lists(_VALUE))
@example([True, False])
@example([])
@example(['"', "\\", "\0", "\u2028", "\udcff"])
def test_lists(values: list[Any]) -> None:
    assert flatjson.array(Values(values)) == json.dumps(values)


@given(st.dictionaries(_SURROGATES, _SURROGATES) | st.dictionaries(st.text(), _VALUE))
@example({})
@example({"references": "", "to": ["a"], "told": {"text": "b"}})
def test_facts(named: dict[str, Any]) -> None:
    assert flatjson.facts(named) == json.dumps(named)
