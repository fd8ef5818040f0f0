"""What has to be known of a provider that erases its records of single SMS: an id in, the request
out; its answer in, what became of the record out. Nothing here opens a connection.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar, Final

from bridge.carriers.http.provider import Answer, Call, Provider, retry_after
from bridge.model import Erased, Fate
from bridge.settings import Carrier as Config

#: Seconds for which an account that may not erase is left alone: its operator has to act.
BARRED: Final = 3600.0
#: The longest pause that is kept where a provider asks for one (seconds).
LONGEST: Final = 6 * 3600.0


class ErasingProvider(Provider):
    """A provider that can be asked to erase what it keeps of an SMS."""

    erase_hint: ClassVar[str]
    """What to do where it does not let our account erase."""

    @classmethod
    def erases(cls, config: Config) -> bool:
        """Whether it is to be asked, by its entry."""
        return config.erase_records

    def reaches(self, *, inbound: bool) -> bool:  # noqa: ARG002
        """Whether there is a way to erase records of what came in, or of what was sent."""
        return True

    @abstractmethod
    def erase_call(self, carrier_id: str, token: str, *, inbound: bool) -> Call:
        """The request to erase one record, of those that `reaches` names."""

    @abstractmethod
    def erased(self, answer: Answer) -> Erased:
        """What became of the record."""

    def barred(self, why: str) -> Erased:
        """The account may not erase: the operator can change that."""
        return Erased(Fate.LATER, why, self.erase_hint, BARRED, whole=True)


def by_status(answer: Answer) -> Erased:
    """What an HTTP status alone says of a record (RFC 9110), where no code of theirs does."""
    status = answer.status
    code = f"HTTP {status}"
    if 200 <= status < 300:
        return Erased(Fate.ERASED)
    if status == 429 or (status == 503 and "retry-after" in answer.headers):
        pause = retry_after(answer, longest=LONGEST)
        return Erased(Fate.LATER, f"the provider is busy ({code})", pause=pause, whole=True)
    if status >= 500 or status == 408:
        return Erased(Fate.LATER, f"the provider has a fault of its own ({code})")
    if status in (404, 405) or 300 <= status < 400:
        # Not in the provider's own words: somebody else answers there, or it has moved.
        why = f"the provider does not erase at this address ({code})"
        return Erased(Fate.LATER, why, "check api_url", BARRED, whole=True)
    return Erased(Fate.REFUSED, f"the provider refused to erase it ({code})")
