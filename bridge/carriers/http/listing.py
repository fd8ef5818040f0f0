"""What has to be known of a provider whose list of opt-outs can be read: a page's name in, its
request out; its answer in, what stands there out. Nothing here opens a connection.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from bridge.carriers.http.provider import Answer, Call, Provider
from bridge.model import OptOutPage


@dataclass(frozen=True, slots=True)
class Listed:
    """A page as the provider's answer has it, and what the next one is called, "" for none."""

    page: OptOutPage
    next: str = ""


class ListingProvider(Provider):
    """A provider that can be asked who has opted out with it."""

    list_hint: ClassVar[str]
    """What to do where it does not let our account read the list."""

    @property
    def lists(self) -> bool:
        """Whether the list is to be read."""
        return True

    @abstractmethod
    def list_call(self, page: str, token: str) -> Call:
        """The request for a page; "" is the first."""

    @abstractmethod
    def listed(self, answer: Answer, page: str) -> Listed:
        """What stands on the page. Raises Unreadable."""
