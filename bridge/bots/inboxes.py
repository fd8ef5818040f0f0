"""Notices come in; what people answer, and what waits for a decision, go out as posts of a chat."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Final

import structlog

from bridge import phone
from bridge.bots import views
from bridge.bots.chat import Chat, Gone, Line, View
from bridge.bots.readers import is_read
from bridge.dispatch.bridge import Bridge
from bridge.dispatch.glimpses import link
from bridge.dispatch.obeyed import Done
from bridge.dispatch.tenants import Tenant
from bridge.errors import Doubtful, Refused, StoreUnavailable
from bridge.store import ids
from bridge.store.announcements import KIND, words_of
from bridge.store.cards import Fate
from bridge.store.chat_log import CHAT_REPLY, ONE
from bridge.store.notices import Notice
from bridge.store.threads import (
    Post,
    Root,
    Thread,
    ThreadIn,
    add_posts,
    ensure_threads,
    set_roots,
)

log = structlog.get_logger("bridge.inboxes")

_TRIES: Final = 3


class ChatNotifier:
    """`dispatch.answer.Notifier` for one chat."""

    def __init__(self, bridge: Bridge, chat: Chat) -> None:
        self.bridge = bridge
        self._chat = chat

    async def tell(self, notice: Notice) -> bool:
        """Post one notice; never into a mailbox of our own. Raises Refused, TryLater."""
        if notice.kind == KIND:
            await self._told(notice)
            return False
        tenant = self.bridge.register.tenants.get(notice.tenant_id)
        if tenant is None:
            raise Refused("the tenant is closed")
        place = self._chat.resolved(tenant.id, notice.place)
        if notice.kind in ("answer", "inbox"):
            await self._reply(notice, tenant, place)
        else:
            self._refuse_unlawful(tenant.id, notice.edge)
            await self._waiting(notice, place)
        return False

    def _refuse_unlawful(self, tenant: int, edge: str) -> None:
        """Raises Refused where this chat's operator may not have the tenant's data (P50, P55)."""
        if why := self.bridge.lawful.why_not(tenant, edge):
            raise Refused(f"nothing is shown in {edge}: {why}", "`bridge subproc list` shows why")

    async def _told(self, notice: Notice) -> None:
        """What a tenant, or the operator, must be told beside their messages."""
        words = words_of(notice.payload)
        if words is None:
            raise Refused("what this notice told of has been erased")
        self._refuse_unlawful(notice.tenant_id, notice.edge)
        lines = (Line(words.subject, "head"), *(Line(line) for line in words.lines))
        place = self._chat.resolved(notice.tenant_id, notice.place)
        await self._chat.post(place, "", View(lines))

    async def _reply(self, notice: Notice, tenant: Tenant, place: str) -> None:
        rows = await self.bridge.store.read(CHAT_REPLY, id=notice.reply_id)
        if not rows:
            raise Refused("what this notice told of has been erased")
        self._refuse_unlawful(tenant.id, notice.edge)
        # Inboxes are the operator's choice; an answer goes where somebody had written.
        asked = (self.bridge.store, self._chat, place, tenant.id)
        if notice.kind == "answer" and not await is_read(*asked):
            raise Refused("nobody who may reads there any more")
        await self._shown(notice, tenant, place, rows[0])

    async def _shown(
        self, notice: Notice, tenant: Tenant, place: str, facts: Sequence[Any]
    ) -> None:
        reply, verdict, partial, subject, originator, text, *done = facts
        item = ThreadIn(
            self.bridge.ids.next(),
            tenant.id,
            notice.edge,
            place,
            subject,
            originator,
            self.bridge.clock(),
        )
        thread: Thread = await self.bridge.store.write(ensure_threads, item)
        shown = notice.edge in tenant.show_texts_in
        view = views.inbound(
            thread,
            text if shown else None,
            verdict=verdict,
            partial=bool(partial),
            again=notice.reason == "in-doubt",
            reply="" if shown else ids.show(reply),
            url="" if shown else await link(self.bridge, tenant.id, reply),
            done=Done(*done),
        )
        await self._post(thread, view)

    async def _post(self, thread: Thread, view: View) -> None:
        """Post in the person's thread, which is made where it is not, or not any more."""
        root = thread.root
        for _ in range(_TRIES):
            if not root:
                root = await self._opened(thread, root)
            try:
                post = await self._chat.post(thread.place, root, view)
            except Gone:
                await self.bridge.store.write(set_roots, Root(thread.id, "", root))
                root = ""
                continue
            return await self._keep(thread, root, post)
        raise Refused("the chat does not keep its threads", "look at the bot's rights there")

    async def _keep(self, thread: Thread, root: str, post: str) -> None:
        """Whose post it is. It stands there by now: raises Doubtful where that is not stored."""
        store = self.bridge.store
        kept = Post(thread.edge, thread.place, post, thread.id, self.bridge.clock())
        writing = [store.put(add_posts, kept)]
        if not root:
            writing.append(store.put(set_roots, Root(thread.id, post, "")))
        try:
            await asyncio.gather(*writing)
        except StoreUnavailable as error:
            raise Doubtful(error.sentence, error.hint) from error

    async def _opened(self, thread: Thread, before: str) -> str:
        root = await self._chat.open_thread(thread.place, phone.mask(thread.phone))
        if root:
            await self.bridge.store.write(set_roots, Root(thread.id, root, before))
        return root

    async def _waiting(self, notice: Notice, place: str) -> None:
        """A message that is held or in doubt, unless somebody has decided meanwhile."""
        rows = await self.bridge.store.read(ONE, tenant=notice.tenant_id, id=notice.message_id)
        fate = Fate(*rows[0]) if rows else None
        if fate is None or fate.state not in ("held", "unknown"):
            return
        view = views.waiting(
            fate.id, fate.phone, fate.state, fate.reason, again=notice.reason == "in-doubt"
        )
        await self._chat.post(place, "", view)
