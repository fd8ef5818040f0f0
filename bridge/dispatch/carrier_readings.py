"""What came of reading a carrier's list of opt-outs: counts in, what people are told out."""

from __future__ import annotations

from dataclasses import dataclass

from bridge.store.announcements import Words


@dataclass(slots=True)
class Reading:
    """What came of reading a carrier's list. Counts are of entries for a tenant."""

    carrier: str
    read: int = 0  # entries of the list
    unreadable: int = 0  # of them, without a number
    taken: int = 0  # newly opted out here
    started: int = 0  # listed there, but START came here later
    dropped: int = 0  # opted out here on its word, and no longer on its list
    whole: bool = False
    problem: str = ""
    hint: str = ""
    for_good: bool = False  # to try again changes nothing

    @property
    def differs(self) -> bool:
        """Whether the operator is to hear of it."""
        return bool(self.taken or self.dropped)


def reason(reading: Reading) -> str:
    """What the audit is told."""
    counts = f"taken={reading.taken} dropped={reading.dropped}"
    return f"carrier={reading.carrier} read={reading.read} {counts}"


def words(reading: Reading) -> Words:
    """What the operator is told: counts, nobody's number."""
    name = reading.carrier
    lines = [f"Entries of its list that were read: {reading.read}."]
    if reading.taken:
        lines.append(
            f"Newly opted out here: {reading.taken}. The tenants that write over {name} send these"
            " people nothing more; the bridge had not heard of their opt-out."
        )
    if reading.dropped:
        lines.append(
            f"Opted out here on its word and no longer on its list: {reading.dropped}. They stay"
            " opted out: only START from their phone lifts it."
        )
    if reading.started:
        lines.append(
            f"Listed there although they wrote START here later: {reading.started}. {name} may not"
            " deliver to them: ask it to take them off."
        )
    if reading.problem:
        lines.append(f"It was not read to its end: {reading.problem}. {reading.hint}.")
    subject = f"Opt-outs with the carrier {name}: {reading.taken} new, {reading.dropped} gone"
    if reading.problem:
        subject = f"Opt-outs with the carrier {name} cannot be read"
    return Words(subject, tuple(lines))
