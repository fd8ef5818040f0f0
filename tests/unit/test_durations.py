"""The histograms say what the library's would."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Histogram, generate_latest

from bridge.dispatch.durations import BOUNDS, Timed

_SECONDS = st.floats(0, 1e6) | st.sampled_from(BOUNDS)


def _shown(registry: CollectorRegistry) -> list[str]:
    text = generate_latest(registry).decode()
    return [line for line in text.splitlines() if "_created" not in line]


@given(st.lists(_SECONDS), st.sampled_from(["", "lane"]))
@example([*BOUNDS], "lane")
def test_as_the_library_has_them(seconds: list[float], label: str) -> None:
    theirs, ours = CollectorRegistry(), CollectorRegistry()
    labels = [label] if label else []
    library = Histogram("bridge_x_seconds", "X", labels, buckets=BOUNDS, registry=theirs)
    timed = Timed("bridge_x_seconds", "X", label)
    ours.register(timed)
    for value in ("a", "b") if label else ("",):
        of_library, of_ours = library.labels(value) if label else library, timed.of(value)
        for each in seconds:
            of_library.observe(each)
            of_ours.observe(each)
    assert _shown(ours) == _shown(theirs)
