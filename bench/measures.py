"""A stage in, figures out: one function for each thing that is measured."""

from __future__ import annotations

import os
import re
import resource
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import procs
import services
from smtp import percentile
from stage import Stage, sent

Figures = dict[str, Any]
APART = "serve, work, tick over PostgreSQL"
NAMED = re.compile(r"^id=([A-Za-z0-9-]+);")


@dataclass(frozen=True)
class Size:
    """How much of each."""

    warm: int = 200
    mails: int = 10_000
    low: int = 300  # at 10/s
    queued: int = 100_000
    urgent: int = 200  # at 10/s
    rounds: int = 100  # of a full window
    idle_s: int = 20
    connections: int = 5_000
    killed: int = 5_000  # at 500/s
    repeat: int = 3
    typed: int = 1_000  # commands, and answers


QUICK = Size(50, 500, 30, 4_000, 30, 30, 5, 500, 600, 1, 100)


@dataclass(frozen=True)
class Bench:
    """What every measurement is given."""

    folder: Path
    size: Size
    postgres: str


Found = Iterator[tuple[str, Figures]]


class Meter:
    """CPU and memory of a stage, from now on."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.smsc_s = stage.smsc.ask("reset")["cpu_s"]
        self.used, self.own = stage.usage(), time.process_time()
        self.busy, self.began = procs.busy(), time.monotonic()

    def read(self, said: Figures) -> Figures:
        """Until now; `said` is what the generator of these mails printed."""
        time.sleep(1)  # what is still written after the last arrival is part of its cost
        now, busy = self.stage.usage(), procs.busy() - self.busy
        cpu, capacity = now.cpu_s - self.used.cpu_s, time.monotonic() - self.began
        known = said["cpu_s"] + self.stage.smsc.ask()["cpu_s"] - self.smsc_s
        known += time.process_time() - self.own
        return {
            "cpu_s_per_1000": cpu / said["accepted"] * 1000,
            "rss_mb": now.rss_mb,
            "pss_mb": now.pss_mb,
            "foreign_cpu": max(0.0, (busy - cpu - known) / capacity / (os.cpu_count() or 1)),
        }


def warm(stage: Stage, size: Size) -> None:
    """Some mails before those that count."""
    stage.send("warm", size.warm, connections=4)
    stage.smsc.wait(size.warm)


def flow(stage: Stage, size: Size, *, receipts: bool = False, **load: float | bool) -> Figures:
    """Mails as fast as they are taken, from the first to the last arrival at the SMSC."""
    warm(stage, size)
    meter = Meter(stage)
    said = stage.send("run", size.mails, **load)
    stats = stage.smsc.wait(said["accepted"])
    if receipts:
        stats = stage.smsc.wait(said["accepted"], "receipts")
    took = (stats["last_receipt" if receipts else "last"] - said["began"]) / 1e9
    return {
        "mails": said["accepted"],
        "lost": said["accepted"] - stats["unique"],
        "doubled": stats["messages"] - stats["unique"],
        "accepted_per_s": said["accepted_per_s"],
        "delivered_per_s": stats["unique"] / took,
        **_reply(said),
        **meter.read(said),
    }


def median(runs: list[Figures]) -> Figures:
    """The run in the middle by what was delivered; loss and doubles of all."""
    runs = sorted(runs, key=lambda run: float(run["delivered_per_s"]))
    spread = [run["delivered_per_s"] for run in runs]
    sums = {key: sum(run[key] for run in runs) for key in ("lost", "doubled")}
    return {**runs[(len(runs) - 1) // 2], **sums, "runs_delivered_per_s": spread}


def end_to_end(bench: Bench) -> Found:
    """All that goes through, for four manners of clients."""
    cases: dict[str, dict[str, float | bool]] = {
        "16 kept connections": {"connections": 16},
        "64 kept connections": {"connections": 64},
        "64 kept, PIPELINING": {"connections": 64, "pipelining": True},
        "16, a connection a mail": {"connections": 16, "fresh": True},
    }
    for case, load in cases.items():
        yield case, median([_flow(bench, load) for _ in range(bench.size.repeat)])


def receipts(bench: Bench) -> Found:
    """The same with a delivery receipt for each, until the last is acknowledged."""
    runs = [_flow(bench, {"connections": 16}, receipts=True) for _ in range(bench.size.repeat)]
    yield "16 kept, with receipts", median(runs)


def _flow(bench: Bench, load: dict[str, float | bool], *, receipts: bool = False) -> Figures:
    with Stage(bench.folder / "flow") as stage:
        stage.centre(receipts=receipts)
        stage.start()
        return flow(stage, bench.size, receipts=receipts, **load)


def split(bench: Bench) -> Found:
    """serve, work and tick apart over PostgreSQL and a Valkey; their cost is counted too."""
    runs = []
    for _ in range(bench.size.repeat):
        try:
            with (
                services.database(bench.postgres) as (url, postmaster),
                services.queue() as (queue, server),
            ):
                parts = ("serve", "work", "tick")
                with Stage(bench.folder / "split", database=url, queue=queue, parts=parts) as stage:
                    stage.others = [server, *postmaster]
                    stage.centre()
                    stage.start()
                    runs.append(flow(stage, bench.size, connections=16))
        except services.Absent as error:
            yield APART, {"left_out": f"PostgreSQL says: {error}"}
            return
    yield APART, median(runs)


def latency(bench: Bench) -> Found:
    """10 mails a second, each at its time."""
    with Stage(bench.folder / "latency") as stage:
        stage.centre()
        stage.start()
        warm(stage, bench.size)
        meter = Meter(stage)
        said = stage.send("run", bench.size.low, rate=10)
        stage.smsc.wait(said["accepted"])
        foreign = meter.read(said)["foreign_cpu"]
        yield "10/s", {**_reply(said), **_arrival(stage, "run"), "foreign_cpu": foreign}


def _reply(said: Figures) -> Figures:
    return {key: said[key] for key in ("reply_ms_p50", "reply_ms_p99")}


def _arrival(stage: Stage, run: str) -> Figures:
    """From due to the SMSC."""
    due = stage.accepted(run)
    arrived: dict[str, int] = {}
    for name, at, _ in stage.smsc.rows(stage.folder):
        arrived.setdefault(name, at)
    waits = [(arrived[name] - when) / 1e6 for name, (when, _) in due.items() if name in arrived]
    shares = {"arrival_ms_p50": 0.5, "arrival_ms_p99": 0.99}
    found = {key: percentile(waits, share) for key, share in shares.items()}
    return {"mails": len(due), "lost": len(due) - len(waits), **found}


def urgent(bench: Bench) -> Found:
    """Urgent mails while a paced SMSC is busy with bulk ones that came before."""
    with Stage(bench.folder / "urgent") as stage:
        stage.start()  # nobody answers at the SMSC's port yet, so everything waits
        stage.send("bulk", bench.size.queued, connections=64, pipelining=True)
        stage.centre(rate=500)
        stage.smsc.wait(200)
        to = "+420602{:06d}.urgent@sms.example"
        before, meter = stage.smsc.ask()["unique"], Meter(stage)
        said = stage.send("now", bench.size.urgent, rate=10, to=to)
        foreign = meter.read(said)["foreign_cpu"]
        found = {**_reply(said), **_arrival(stage, "now"), "foreign_cpu": foreign}
        sent_by_now = before + stage.smsc.ask()["unique"]
        left = bench.size.queued + said["accepted"] - sent_by_now
        yield f"behind {bench.size.queued:,} at 500/s", {**found, "left": left}


def window(bench: Bench) -> Found:
    """A carrier that answers after 50 ms lets out window ÷ 50 ms at most."""
    for size in (10, 100):
        with Stage(bench.folder / "window", window=size) as stage:
            stage.centre(latency=0.05)
            stage.start()
            warm(stage, bench.size)
            meter = Meter(stage)
            said = stage.send("run", size * bench.size.rounds, connections=64)
            stats = stage.smsc.wait(said["accepted"])
            rate = stats["unique"] / ((stats["last"] - said["began"]) / 1e9 + 0.05)
            yield (
                f"window {size}",
                {
                    "delivered_per_s": rate,
                    "share": rate / (size / 0.05),
                    "most_in_flight": stats["most_in_flight"],
                    "lost": said["accepted"] - stats["unique"],
                    "foreign_cpu": meter.read(said)["foreign_cpu"],
                },
            )


def idle(bench: Bench) -> Found:
    """What it costs to wait, alone and with connections that say nothing."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    with Stage(bench.folder / "idle") as stage:
        stage.centre()
        stage.start()
        warm(stage, bench.size)
        time.sleep(3)
        before, began = stage.usage(), time.monotonic()
        time.sleep(bench.size.idle_s)
        after = stage.usage()
        cpu = (after.cpu_s - before.cpu_s) / (time.monotonic() - began)
        yield "idle", {"cpu_share": cpu, "rss_mb": after.rss_mb, "pss_mb": after.pss_mb}
        clients = [_greeted(stage.port) for _ in range(bench.size.connections)]
        time.sleep(1)
        added = stage.usage().rss_mb - after.rss_mb
        for client in clients:
            client.close()
        yield f"{len(clients):,} idle connections", {"added_mb": added}


def _greeted(port: int) -> socket.socket:
    client = socket.create_connection(("127.0.0.1", port), timeout=20)
    client.recv(512)
    client.sendall(b"EHLO bench.example\r\n")
    client.recv(2048)
    return client


def kill(bench: Bench) -> Found:
    """Kill -9 of the whole tree while mails come faster than they leave."""
    with Stage(bench.folder / "kill") as stage:
        stage.centre(rate=300)
        stage.start()
        load = stage.load("run", bench.size.killed, rate=500)
        stage.smsc.wait(bench.size.killed * 3 // 10)
        stage.kill()
        binds, began = stage.smsc.ask()["binds"], time.monotonic_ns()
        stage.start()
        said = sent(load)
        stage.smsc.wait(said["accepted"])
        rows = stage.smsc.rows(stage.folder)
        times = Counter(name for name, _, _ in rows)
        doubled = {name for name, count in times.items() if count > 1}
        marked = _marked(stage)
        figures = {
            "mails": said["accepted"],
            "lost": len(stage.accepted("run").keys() - times.keys()),
            "doubled": len(doubled),
            "unmarked": len(doubled - marked),
            "in_doubt": said["in_doubt"],
            "back_s": (min((at for _, at, bind in rows if bind > binds), default=0) - began) / 1e9,
        }
        yield "bridge up, its whole tree", figures


def _marked(stage: Stage) -> set[str]:
    """Ids that the log says may have been sent twice."""
    names = ((NAMED.match(row["text"] or ""), row["resent"]) for row in stage.log())
    return {found[1] for found, resent in names if found and resent}


MEASURES: dict[str, Callable[[Bench], Found]] = {
    "end-to-end": end_to_end,
    "receipts": receipts,
    "split": split,
    "latency": latency,
    "urgent": urgent,
    "window": window,
    "idle": idle,
    "kill": kill,
}
