"""A bridge with Slack in; out what its people wait for, what they see, and what Slack costs."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from measures import Bench, Figures, Found, Meter, flow
from people import CHANNELS, OWN, SECRET, command
from smtp import percentile
from stage import HERE, Helper, Stage, free_port, options_of, sent, until

CONFIG = """\
data_dir = "{folder}/var"
region = "CZ"
[smtp]
listen = "127.0.0.1:0"
domains = ["sms.example"]
[http]
listen = "127.0.0.1:0"
{slack}
[[tenants]]
name = "bench"
countries = ["CZ"]
inbox = ["slack:{channel}"]
show_texts_in = ["slack"]
"""
SLACK = """\
[slack]
bot_token = "xoxb-bench"
signing_secret = "{secret}"
api_url = "http://127.0.0.1:{port}/api/"
"""
USERS = 10
PEOPLE = 100
COUNT = 1000
REFUSE = 0.03
IDLE = 1.5  # of what the other measurement of an idle bridge takes


class Office(Stage):
    """A bridge on its defaults, a Slack, and people who may use it."""

    def __init__(self, folder: Path, **options: float) -> None:
        super().__init__(folder)
        self.slack_port = free_port()
        slack = SLACK.format(secret=SECRET, port=self.slack_port)
        text = CONFIG.format(folder=folder, slack=slack, channel=CHANNELS[0])
        self.config.write_text(text)
        self.smsc = Helper("slack.py", self.slack_port, **options)

    @property
    def http(self) -> int:
        """The port of the web edge."""
        found = re.search(r"http=http://127\.0\.0\.1:(\d+)$", self.out, re.MULTILINE)
        assert found is not None
        return int(found[1])

    @property
    def out(self) -> str:
        """What the bridge has printed."""
        return (self.folder / "up.out").read_text()

    def enrol(self) -> None:
        """Everybody redeems a code."""
        respond = f"http://127.0.0.1:{self.slack_port}/respond"
        for number in range(USERS):
            words = ("--role", "agent", "--name", f"Person {number}", "--json")
            out, _ = self._run("staff", "invite", *words, stdout=subprocess.PIPE).communicate()
            text, user = f"enrol {json.loads(out)['code']}", f"U{number:02d}"
            self.post(*command(text, user, OWN, f"trigger-enrol-{number}", respond))
        answered = lambda: self.smsc.ask()["by_method"].get("response_url", 0) >= USERS  # noqa: E731
        until(answered, "the answers to codes")

    def post(self, path: str, body: bytes, headers: Any) -> None:
        """One request to the web edge."""
        url = f"http://127.0.0.1:{self.http}{path}"
        urllib.request.urlopen(urllib.request.Request(url, body, dict(headers))).close()

    def people(self, kind: str, run: str, **options: float | str) -> dict[str, Any]:
        """Have people do something; what the generator says of it."""
        given = {"port": self.http, "slack": self.slack_port, "users": USERS, "run": run, **options}
        words = [kind, *options_of(given), "--out", str(self.folder / f"{run}.tsv")]
        return sent(
            subprocess.Popen(
                [sys.executable, str(HERE / "people.py"), *words], stdout=subprocess.PIPE, text=True
            )
        )

    def posts(self) -> list[list[str]]:
        """What the Slack has seen, as its dump tells it."""
        self.smsc.ask(f"dump {self.folder / 'slack.tsv'}")
        lines = (self.folder / "slack.tsv").read_text().splitlines()
        return [line.split("\t") for line in lines]

    def received(self) -> list[tuple[str, float]]:
        """What came to the phones: id, and when, on the clock of the generators."""
        url = f"http://127.0.0.1:{self.http}/sandbox/api/messages"
        ahead = time.time() - time.monotonic()
        with urllib.request.urlopen(url) as answer:
            found = json.load(answer)
        return [
            (
                sms["text"][3:].partition(";")[0],
                datetime.fromisoformat(sms["at"]).timestamp() - ahead,
            )
            for sms in found
        ]


def _commands(bench: Bench, count: int, seconds: float, refuse: float) -> Figures:
    with Office(bench.folder / "chats", refuse=refuse) as office:
        office.start()
        office.enrol()
        office.people("commands", "warm", count=bench.size.warm // 4, seconds=2)
        office.smsc.wait(bench.size.warm // 4, "delivered")
        meter = Meter(office)
        said = office.people("commands", "run", count=count, seconds=seconds)
        stats = office.smsc.wait(said["accepted"], "delivered")
        figures = meter.read(said)
        due, received, posts = office.accepted("run"), office.received(), office.posts()
        return {
            **_answered(said),
            **_phones(due, received),
            **_cards(due, posts, said),
            **_limits(stats),
            **figures,
        }


def _answered(said: Figures) -> Figures:
    return {key: said[key] for key in said if key.startswith("answer_")} | {
        "taken": said["accepted"],
        "refused": said["refused"],
    }


def _phones(due: dict[str, tuple[int, int]], received: list[tuple[str, float]]) -> Figures:
    times = Counter(name for name, _ in received)
    waits = [(at - due[name][0] / 1e9) * 1000 for name, at in received if name in due]
    return {
        "sms_ms_p50": percentile(waits, 0.5),
        "sms_ms_p99": percentile(waits, 0.99),
        "lost": sum(times[name] == 0 for name in due),
        "doubled": sum(times[name] > 1 for name in due),
    }


def _cards(due: dict[str, tuple[int, int]], posts: list[list[str]], said: Figures) -> Figures:
    """When each card first said what was true in the end, and whether it still does."""
    right: dict[str, int] = {}
    last: dict[str, str] = {}
    stands: dict[str, set[str]] = {}
    for name, at, post, _, _, is_delivered in posts:
        if name in due:
            last[name] = is_delivered
            stands.setdefault(name, set()).add(post)
            if is_delivered == "1":
                right.setdefault(name, int(at))
    waits = [(at - due[name][0]) / 1e9 for name, at in right.items()]
    ended = max(at for _, at in due.values())
    return {
        "card_s_p50": percentile(waits, 0.5),
        "card_s_p99": percentile(waits, 0.99),
        "last_card_s": (max(right.values(), default=ended) - said["began"]) / 1e9,
        "cards_wrong": sum(last.get(name) != "1" for name in due),
        "cards_twice": sum(len(found) > 1 for found in stands.values()),
    }


def _limits(stats: dict[str, Any]) -> Figures:
    return {key: stats[key] for key in ("calls", "limited", "impatient")} | {
        "by_method": stats["by_method"]
    }


def _answers(bench: Bench, count: int, seconds: float, refuse: float) -> Figures:
    """SMS from people who were written to, each to be posted below the card that they answer."""
    with Office(bench.folder / "chats", refuse=refuse) as office:
        office.start()
        office.enrol()
        office.people("commands", "card", count=PEOPLE, seconds=5)
        office.smsc.wait(PEOPLE, "delivered")
        cards = {name: post for name, _, post, _, kind, _ in office.posts() if kind == "post"}
        meter = Meter(office)
        said = office.people("phones", "sms", count=count, seconds=seconds, people=PEOPLE)
        stats = office.smsc.wait(said["accepted"])
        figures = meter.read(said)
        posts = [row for row in office.posts() if row[0].startswith("sms-")]
        return {
            **_answered(said),
            **_posted(office.accepted("sms"), posts, cards),
            **_limits(stats),
            **figures,
        }


def _posted(
    due: dict[str, tuple[int, int]], posts: list[list[str]], cards: dict[str, str]
) -> Figures:
    times = Counter(row[0] for row in posts)
    waits = [(int(row[1]) - due[row[0]][0]) / 1e9 for row in posts if row[0] in due]
    threads: dict[str, list[str]] = {}
    for name, _, _, thread, _, _ in posts:
        person = name.split("-")[1]
        threads.setdefault(person, []).append(name)
        threads[person] += [] if thread == cards[f"card-{int(person):06d}"] else ["elsewhere"]
    return {
        "post_s_p50": percentile(waits, 0.5),
        "post_s_p99": percentile(waits, 0.99),
        "lost": sum(name not in times for name in due),
        "doubled": sum(count > 1 for count in times.values()),
        "elsewhere": sum(names.count("elsewhere") for names in threads.values()),
        "disordered": sum(names != sorted(names) for names in threads.values()),
    }


def _cost(bench: Bench, *, slack: bool) -> Figures:
    """What mails cost, memory after them, and CPU while nothing happens."""
    port = free_port()
    with Stage(bench.folder / "chats") as stage, Helper("slack.py", port):
        stage.centre()
        if slack:
            more = SLACK.format(secret=SECRET, port=port)
            config = stage.config.read_text().replace("[[tenants]]", f"{more}[[tenants]]", 1)
            stage.config.write_text(config)
        stage.start()
        figures = flow(stage, bench.size, connections=16)
        time.sleep(3)
        before, began = stage.usage(), time.monotonic()
        time.sleep(IDLE * bench.size.idle_s)
        after = stage.usage()
        kept = ("cpu_s_per_1000", "lost", "doubled", "foreign_cpu")
        return {
            "cpu_share": (after.cpu_s - before.cpu_s) / (time.monotonic() - began),
            "rss_mb": after.rss_mb,
            "pss_mb": after.pss_mb,
            **{key: figures[key] for key in kept},
        }


def chats(bench: Bench) -> Found:
    """Commands at a steady rate and all at once, answers from phones, and the cost of being on."""
    count = bench.size.typed
    steady, burst = count * 0.03, count * 0.003
    cases: dict[str, Callable[[], Figures]] = {
        f"{count:,} commands in {steady:.0f} s": lambda: _commands(bench, count, steady, REFUSE),
        f"{count:,} commands in {burst:.0f} s": lambda: _commands(bench, count, burst, REFUSE),
        f"{count:,} in {burst:.0f} s, no 429": lambda: _commands(bench, count, burst, 0.0),
        f"{count:,} SMS in {steady:.0f} s": lambda: _answers(bench, count, steady, REFUSE),
        f"{bench.size.mails:,} mails, with Slack": lambda: _cost(bench, slack=True),
        f"{bench.size.mails:,} mails, without": lambda: _cost(bench, slack=False),
    }
    for case, measure in cases.items():
        yield case, measure()
