"""Figures in; a line for a person, or the tables of docs/performance.md, out."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

Record = Mapping[str, Any]

#: How each figure is written; what is not here is kept in the results alone.
WORDS = {
    "left_out": "left out: {}",
    "accepted_per_s": "{:,.0f} accepted/s",
    "delivered_per_s": "{:,.0f} delivered/s",
    "share": "{:.0%} of window ÷ 50 ms",
    "most_in_flight": "at most {} in flight",
    "reply_ms_p50": "250 p50 {:.1f} ms",
    "reply_ms_p99": "p99 {:.1f} ms",
    "arrival_ms_p50": "SMSC p50 {:.1f} ms",
    "arrival_ms_p99": "p99 {:.1f} ms",
    "answer_ms_p50": "200 p50 {:.1f} ms",
    "answer_ms_p99": "p99 {:.1f} ms",
    "answer_ms_max": "at most {:.0f} ms",
    "sms_ms_p50": "SMS p50 {:.0f} ms",
    "sms_ms_p99": "p99 {:.0f} ms",
    "card_s_p50": "card right p50 {:.1f} s",
    "card_s_p99": "p99 {:.1f} s",
    "last_card_s": "the last after {:.1f} s",
    "post_s_p50": "post p50 {:.2f} s",
    "post_s_p99": "p99 {:.2f} s",
    "left": "{:,} still queued at the end",
    "cpu_s_per_1000": "{:.2f} s CPU per 1,000",
    "cpu_share": "{:.2%} CPU",
    "added_mb": "{:.0f} MB more",
    "rss_mb": "{:.0f} MB RSS",
    "pss_mb": "{:.0f} MB PSS",
    "lost": "{} lost",
    "doubled": "{} doubled",
    "unmarked": "{} of them not marked",
    "in_doubt": "{} sent again by the client",
    "cards_wrong": "{} cards wrong",
    "cards_twice": "{} twice",
    "elsewhere": "{} elsewhere",
    "disordered": "{} people's out of order",
    "calls": "{:,} calls",
    "limited": "{} of them 429",
    "impatient": "{} came before their time",
    "back_s": "{:.1f} s to the next delivery",
    "foreign_cpu": "{:.0%} foreign CPU",
}
FLOWS = ("end-to-end", "receipts", "split")
FLOW = {
    "accepted/s": ("{:,.0f}", "accepted_per_s"),
    "delivered/s": ("{:,.0f}", "delivered_per_s"),
    "250 p50 / p99 ms": ("{:.0f} / {:.0f}", "reply_ms_p50", "reply_ms_p99"),
    "CPU s per 1,000": ("{:.2f}", "cpu_s_per_1000"),
    "RSS / PSS MB": ("{:.0f} / {:.0f}", "rss_mb", "pss_mb"),
    "lost, doubled": ("{:.0f}, {:.0f}", "lost", "doubled"),
    "foreign CPU": ("{:.0%}", "foreign_cpu"),
}
PEER = {
    **{name: FLOW[name] for name in ("delivered/s", "accepted/s", "CPU s per 1,000")},
    "RSS / PSS MB": FLOW["RSS / PSS MB"],
    "at 10/s: SMSC p50 / p99 ms": ("{:.1f} / {:.1f}", "arrival_ms_p50", "arrival_ms_p99"),
    "kill -9: lost, doubled": FLOW["lost, doubled"],
}
#: Where the peers' harness keeps the same figures: the test, then the keys.
PATHS = {
    "delivered_per_s": "throughput e2e e2e_msgs_per_s",
    "accepted_per_s": "throughput client accepted_per_s",
    "cpu_s_per_1000": "throughput peer_cpu_s_per_1000",
    "rss_mb": "throughput memory total rss_mb",
    "pss_mb": "throughput memory total pss_mb",
    "arrival_ms_p50": "latency e2e e2e_ms_p50",
    "arrival_ms_p99": "latency e2e e2e_ms_p99",
    "lost": "durability e2e lost",
    "doubled": "durability e2e duplicated_ids",
}


def words(record: Record) -> str:
    """The figures in a row."""
    return ", ".join(form.format(record[key]) for key, form in WORDS.items() if key in record)


def line(record: Record) -> str:
    """One measurement, for a person."""
    return f"{record['measure']:<11} {record['case']:<36} {words(record)}"


def table(first: str, columns: Mapping[str, tuple[str, ...]], rows: Mapping[str, Record]) -> str:
    """Markdown; a dash where a record lacks a figure."""
    lines = [[first, *columns], ["---"] * (len(columns) + 1)]
    for name, record in rows.items():
        cells = [(form, [record.get(key) for key in keys]) for form, *keys in columns.values()]
        lines.append([name, *("–" if None in v else form.format(*v) for form, v in cells)])
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def tables(records: Iterable[Record], peers: Path | None) -> str:
    """Markdown of the newest record of each measurement."""
    newest = {(record["measure"], record["case"]): record for record in records}
    flows = {k[1]: r for k, r in newest.items() if k[0] in FLOWS}
    others = {": ".join(k): {"": words(r)} for k, r in newest.items() if k[0] not in FLOWS}
    found = [
        table("end to end", FLOW, flows),
        table("measurement", {"figures": ("{}", "")}, others),
    ]
    if peers is not None:
        theirs = _theirs(peers)
        known = {key for record in theirs.values() for key, value in record.items() if value}
        columns = {name: cell for name, cell in PEER.items() if known.intersection(cell)}
        found.append(table("", columns, {"**sms-bridge**": _ours(newest), **theirs}))
    machines = dict.fromkeys(f"{r['date']}: {r['machine']}" for r in newest.values())
    return "\n\n".join([*found, "Measured " + "; ".join(machines) + "."])


def _ours(newest: Mapping[tuple[str, str], Record]) -> Record:
    """What stands beside the peers: 16 kept connections, the low load, the kill."""
    last = {measure: r for (measure, _), r in reversed(newest.items())}  # its first case stays
    chosen = {
        "end-to-end": ("delivered_per_s", "accepted_per_s", "cpu_s_per_1000", "rss_mb", "pss_mb"),
        "latency": ("arrival_ms_p50", "arrival_ms_p99"),
        "kill": ("lost", "doubled"),
    }
    return {k: last[m][k] for m, keys in chosen.items() if m in last for k in keys}


def _theirs(folder: Path) -> dict[str, Record]:
    """Medians of the peers' results, by peer and label."""
    lines = [text for path in sorted(folder.glob("*.jsonl")) for text in path.open()]
    groups: dict[str, list[Record]] = {}
    for run in map(json.loads, filter(str.strip, lines)):
        label = run["label"] if run["label"] != "compare" else ""
        name = run["peer"].replace("ours", "sms-bridge, in their turn")
        groups.setdefault(f"{name} {label}".strip(), []).append(run)
    return {
        name: {key: _middle(runs, *path.split()) for key, path in PATHS.items()}
        for name, runs in groups.items()
    }


def _middle(runs: list[Record], test: str, *path: str) -> float | None:
    values = []
    for run in runs:
        found: Any = run if run["test"] == test else None
        for key in path:
            found = found and found.get(key)
        values.append(found)
    known = [value for value in values if value is not None]
    return statistics.median(known) if known else None
