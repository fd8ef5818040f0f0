"""What the bridge counts, in Prometheus' terms: a registry a process, nobody's data in labels."""

from __future__ import annotations

import functools

from prometheus_client import CollectorRegistry, Counter, Gauge

from bridge.dispatch.durations import Timed


class Metrics:
    """All metrics of a process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.accepted = self._counter("accepted", "Messages stored", "edge")
        #: Its counter of one edge: to look it up by its label costs twice what counting does.
        self.accepted_by = functools.cache(self.accepted.labels)
        self.repeats = self._counter("repeats", "Submissions that had been stored before", "edge")
        self.refused = self._counter("refused", "Recipients and mails refused", "edge", "reason")
        self.braked = self._counter("braked", "Messages that a brake refused", "rule")
        self.halts = self._gauge("halts", "Kill switches that are thrown")
        self.stopped = self._gauge("stopped", "Ranges and senders that a rule has stopped")
        self.parts = self._counter("parts", "Parts answered by a carrier", "carrier", "verdict")
        self.receipts = self._counter("receipts", "Delivery receipts", "carrier", "state")
        self.callbacks = self._counter(
            "callbacks", "Requests of providers over HTTP", "carrier", "what", "outcome"
        )
        self.replies = self._counter("replies", "SMS from people", "carrier", "verdict")
        self.wishes_overdue = self._counter(
            "wishes_overdue", "Wishes that nobody looked at within a working day"
        )
        self.stop_bursts = self._counter("stop_bursts", "Minutes with too many STOPs")
        self.carrier_optouts = self._counter(
            "carrier_optouts",
            "Opt-outs by which our list and a carrier's differed",
            "carrier",
            "what",
        )
        self.carrier_erasures = self._counter(
            "carrier_erasures",
            "Carriers' records of erased people that were settled",
            "carrier",
            "outcome",
        )
        self.notices = self._counter("notices", "Notices told or given up", "edge", "outcome")
        self.attachments = self._counter("attachments", "Files of messages", "outcome")
        self.expired = self._counter("expired", "Messages whose validity ended while waiting")
        self.released = self._counter("released", "Messages taken back from ended processes")
        self.due = self._gauge("due_messages", "Messages that wait to leave", "lane")
        self.due_age = self._gauge("due_age_seconds", "Age of the oldest due message", "lane")
        self.bind_up = self._gauge("bind_up", "1 while the bind stands", "carrier")
        self.carrier_weight = self._gauge(
            "carrier_weight", "Share of its traffic that a carrier gets, 0 to 1", "carrier"
        )
        self.queue_up = self._gauge("queue_up", "1 while the broker answers")
        self.requests_open = self._gauge(
            "requests_open", "Data subjects' requests not answered yet"
        )
        self.requests_overdue = self._gauge("requests_overdue", "Those past their due date")
        self.store_up = self._gauge("store_up", "1 while the database takes writes")
        accepting = self._timed("accept", "From the end of DATA to its answer")
        self.accept_seconds = accepting.of()
        self.answer_seconds = self._timed(
            "carrier_answer", "From a part's leaving to the carrier's answer", "carrier"
        )
        self.wait_seconds = self._timed("wait", "From stored to handed to a carrier", "lane")

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"bridge_{name}", text, labels, registry=self.registry)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(f"bridge_{name}", text, labels, registry=self.registry)

    def _timed(self, name: str, text: str, label: str = "") -> Timed:
        found = Timed(f"bridge_{name}_seconds", text, label)
        self.registry.register(found)
        return found
