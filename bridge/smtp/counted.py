"""What listeners counted comes in; Prometheus' metrics of it go out."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from bridge.smtp.service import Counters


class Counted(Collector):
    """Reads the counters when somebody asks: nothing is counted twice, nor slower, for it."""

    def __init__(self, counters: Counters) -> None:
        self._counters = counters

    def collect(self) -> Iterator[Metric]:
        """SMTP and LMTP together; no label tells who a client is."""
        counters = self._counters
        yield GaugeMetricFamily(
            "bridge_smtp_open_connections", "SMTP connections that are open", counters.open
        )
        for name, text, count in (
            ("connections", "SMTP connections since the start", counters.connections),
            ("accepted", "Mails accepted for at least one recipient", counters.accepted),
            ("logins", "SMTP logins", counters.logins),
            ("auth_failures", "SMTP logins that failed", counters.auth_failures),
            ("tls_failures", "TLS handshakes that failed", counters.tls_failures),
        ):
            yield CounterMetricFamily(f"bridge_smtp_{name}", text, count)
        refused = CounterMetricFamily(
            "bridge_smtp_refused", "Connections, recipients and mails refused", labels=["reason"]
        )
        for reason, count in sorted(counters.refused.items()):
            refused.add_metric([reason], count)
        yield refused
