"""How long things take comes in, several times a message; Prometheus' histogram of it goes out."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from itertools import accumulate
from typing import Final

from prometheus_client.core import HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

BOUNDS: Final = (
    *(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5),
    *(1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0),
)
_SHOWN: Final = (*map(floatToGoString, BOUNDS), "+Inf")


class Durations:
    """Seconds, counted by the bucket that they fall into. For the loop's thread alone.

    The library's own histogram takes two locks and a walk through the buckets each time.
    """

    __slots__ = ("counts", "total")

    def __init__(self) -> None:
        self.counts = [0] * len(_SHOWN)
        self.total = 0.0

    def observe(self, seconds: float) -> None:
        """Something took so long."""
        self.counts[bisect_left(BOUNDS, seconds)] += 1
        self.total += seconds


class Timed(Collector):
    """One histogram, with a label or without."""

    def __init__(self, name: str, text: str, label: str = "") -> None:
        self._name = name
        self._text = text
        self._label = label
        self._kept: dict[str, Durations] = {} if label else {"": Durations()}

    def of(self, value: str = "") -> Durations:
        """Those of this value of the label."""
        return self._kept.setdefault(value, Durations())

    def collect(self) -> Iterator[Metric]:
        """All of them, as they stand."""
        labels = [self._label] if self._label else []
        family = HistogramMetricFamily(self._name, self._text, labels=labels)
        for value, kept in self._kept.items():
            buckets = list(zip(_SHOWN, accumulate(kept.counts), strict=True))
            family.add_metric([value] if self._label else [], buckets, kept.total)
        yield family
