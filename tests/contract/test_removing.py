"""Posts about people who are erased: taken out of Slack and Telegram, or made empty, or named."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from bridge import opening, settings
from bridge.bots.chat import Chat, Gone, Line, View
from bridge.bots.removing import Remover
from bridge.bots.slack.client import SlackChat
from bridge.bots.telegram.client import TelegramChat
from bridge.dispatch.bridge import Bridge
from bridge.errors import Refused
from bridge.privacy.periods import periods
from bridge.store.chat_erasures import CARD, POST, THREAD
from bridge.store.chat_tables import card
from bridge.store.erasure_tables import chat_erasure, erasure
from bridge.store.sql import Many, Script, Statement, insert
from tests.bridges import until, write_config
from tests.chats import GROUP, Pinboard
from tests.slack_peer import BOT, CHANNEL, SECRET, TEAM, FakeSlack, fake_slack, refusal, too_many
from tests.telegram_peer import TOKEN, Answer, BotApi, a_bot_api

PLACE = f"{TEAM}/{CHANNEL}"
WORDS = View((Line("+420 ••• ••• 456: I am ill"),))


@pytest.fixture
async def api() -> AsyncIterator[BotApi]:
    async with a_bot_api() as found:
        yield found


@pytest.fixture
async def slack() -> AsyncIterator[FakeSlack]:
    async with fake_slack() as found:
        yield found


async def opened(folder: Path, more: str) -> AsyncIterator[Bridge]:
    async with opening.opened(settings.load(write_config(folder, more=more), {}), "up") as bridge:
        yield bridge


@pytest.fixture
async def bridge(tmp_path: Path, api: BotApi, slack: FakeSlack) -> AsyncIterator[Bridge]:
    more = (
        f'[telegram]\ntoken = "{TOKEN}"\napi_url = "{api.url}"\n'
        f'[slack]\napi_url = "{slack.url}api/"\nbot_token = "{BOT}"\nsigning_secret = "{SECRET}"\n'
    )
    async for found in opened(tmp_path, more):
        yield found


@pytest.fixture
async def telegram(bridge: Bridge) -> AsyncIterator[TelegramChat]:
    chat = TelegramChat(bridge)
    yield chat
    await chat.close()


@pytest.fixture
async def slack_chat(bridge: Bridge) -> AsyncIterator[SlackChat]:
    chat = SlackChat(bridge)
    yield chat
    await chat.close()


# The two chats


async def test_telegram_deletes_a_post(api: BotApi, telegram: TelegramChat) -> None:
    post = await telegram.post(GROUP, "", WORDS)
    await telegram.remove(GROUP, post)
    assert api.posts == {}
    with pytest.raises(Gone):
        await telegram.remove(GROUP, post)


async def test_telegram_says_that_an_old_post_stays(api: BotApi, telegram: TelegramChat) -> None:
    post = await telegram.post(GROUP, "", WORDS)
    api.kept.add((int(GROUP), int(post)))
    with pytest.raises(Refused):
        await telegram.remove(GROUP, post)


async def test_telegram_deletes_a_persons_topic(api: BotApi, telegram: TelegramChat) -> None:
    api.forum(int(GROUP))
    topic = await telegram.open_thread(GROUP, "+420 ••• ••• 456")
    await telegram.remove_thread(GROUP, topic)
    assert api.topics == set()
    with pytest.raises(Gone):
        await telegram.remove_thread(GROUP, topic)


async def test_telegram_deletes_the_root_where_there_are_no_topics(
    api: BotApi, telegram: TelegramChat
) -> None:
    post = await telegram.post(GROUP, "", WORDS)
    await telegram.remove_thread(GROUP, post)
    assert api.posts == {}


async def test_slack_deletes_a_post_and_a_thread(slack: FakeSlack, slack_chat: SlackChat) -> None:
    await slack_chat.remove(PLACE, "1.1")
    await slack_chat.remove_thread(PLACE, "1.2")
    assert [(c["channel"], c["ts"]) for c in slack.called("chat.delete")] == [
        (CHANNEL, "1.1"),
        (CHANNEL, "1.2"),
    ]


@pytest.mark.parametrize(
    ("code", "error"),
    [("message_not_found", Gone), ("cant_delete_message", Refused), ("is_archived", Refused)],
)
async def test_slack_says_what_cannot_be_deleted(
    slack: FakeSlack, slack_chat: SlackChat, code: str, error: type[Exception]
) -> None:
    slack.next["chat.delete"].append(refusal(code))
    with pytest.raises(error):
        await slack_chat.remove(PLACE, "1.1")


# Who takes them down


async def put(bridge: Bridge, table: Any, **row: Any) -> None:
    def script(items: Any) -> Script:
        yield Many(insert(table, tuple(items[0])), items)
        return [None] * len(items)

    await bridge.store.write(script, row)


async def condemned(
    bridge: Bridge, edge: str, place: str, post: str, what: str = POST, age: float = 0
) -> None:
    """A post that is to go."""
    number, now = bridge.ids.next(), bridge.clock()
    row = {"kind": "number", "ref": "f" * 24, "token": "t", "value": "", "wishes": "[]"}
    row |= {"actor": "eva", "counts": "{}", "state": "done", "request_id": 7, "tenant_id": 1}
    await put(bridge, erasure, id=number, subject_id=5, begun_at=now - age, done_at=now, **row)
    row = {"edge": edge, "place": place, "post": post, "what": what, "outcome": ""}
    await put(bridge, chat_erasure, erasure_id=number, due_at=now, **row)


async def outcomes(bridge: Bridge) -> list[str]:
    rows = await bridge.store.read(Statement(select(chat_erasure.c.outcome)))
    return sorted(row[0] for row in rows)


async def removed(bridge: Bridge, chat: Chat, count: int = 1) -> list[str]:
    """What became of so many posts."""
    remover = Remover(bridge, chat)
    remover.start()
    try:

        async def done() -> bool:
            return len([o for o in await outcomes(bridge) if o]) == count

        await until(done)
    finally:
        await remover.stop()
    return await outcomes(bridge)


async def test_p68_posts_are_taken_out_of_both_chats(
    bridge: Bridge, api: BotApi, slack: FakeSlack, telegram: TelegramChat, slack_chat: SlackChat
) -> None:
    post = await telegram.post(GROUP, "", WORDS)
    await condemned(bridge, "telegram", GROUP, post)
    await condemned(bridge, "slack", PLACE, "1.1")
    assert await removed(bridge, telegram) == ["", "deleted"]
    assert await removed(bridge, slack_chat, 2) == ["deleted", "deleted"]
    assert api.posts == {}
    assert len(slack.called("chat.delete")) == 1


async def test_p68_what_telegram_does_not_let_go_says_nothing_any_more(
    bridge: Bridge, api: BotApi, telegram: TelegramChat
) -> None:
    post = await telegram.post(GROUP, "", WORDS)
    api.kept.add((int(GROUP), int(post)))
    await condemned(bridge, "telegram", GROUP, post)
    assert await removed(bridge, telegram) == ["blanked"]
    assert api.posts[int(GROUP), int(post)]["text"] == "This was erased."


async def test_p68_what_slack_neither_deletes_nor_changes_is_named(
    bridge: Bridge, slack: FakeSlack, slack_chat: SlackChat
) -> None:
    slack.next["chat.delete"].append(refusal("cant_delete_message"))
    slack.next["chat.update"].append(refusal("cant_update_message"))
    await condemned(bridge, "slack", PLACE, "1.1")
    assert await removed(bridge, slack_chat) == ["refused"]


async def test_a_topic_that_may_not_be_deleted_is_named(
    bridge: Bridge, api: BotApi, telegram: TelegramChat
) -> None:
    api.forum(int(GROUP))
    topic = await telegram.open_thread(GROUP, "+420 ••• ••• 456")
    api.may_manage_topics = False
    await condemned(bridge, "telegram", GROUP, topic, THREAD)
    assert await removed(bridge, telegram) == ["refused"]


async def test_a_pause_that_slack_asks_for_is_no_end(
    bridge: Bridge, slack: FakeSlack, slack_chat: SlackChat
) -> None:
    slack.next["chat.delete"].append(too_many(0.1))
    await condemned(bridge, "slack", PLACE, "1.1")
    assert await removed(bridge, slack_chat) == ["deleted"]


async def test_p68_what_cannot_be_reached_for_days_is_given_up_and_named(
    bridge: Bridge, api: BotApi, telegram: TelegramChat
) -> None:
    api.script["deleteMessage"].append(Answer(401, "Unauthorized"))
    await condemned(bridge, "telegram", GROUP, "9", age=periods().chats + 1)
    assert await removed(bridge, telegram) == ["refused"]


async def a_card(bridge: Bridge, number: int, post: str, lease: int | None = None) -> None:
    now = bridge.clock()
    row = {"tenant_id": 1, "staff_id": 5, "edge": "telegram", "place": GROUP, "thread": ""}
    row |= {"answers": "", "post": post, "wanted": 1, "shown": 1, "doubtful": False, "tries": 0}
    await put(bridge, card, id=number, lease=lease, due_at=now, created_at=now, **row)


async def test_a_card_goes_with_its_post(bridge: Bridge) -> None:
    chat = Pinboard()
    await a_card(bridge, 11, await chat.post("42", "", WORDS))
    await condemned(bridge, "telegram", "42", "11", CARD)
    assert await removed(bridge, chat) == ["deleted"]
    assert chat.posts == {}
    assert await bridge.store.read(Statement(select(card.c.id))) == []


async def test_a_card_that_never_came_to_stand_is_gone(bridge: Bridge) -> None:
    await a_card(bridge, 11, "")
    await condemned(bridge, "telegram", "42", "11", CARD)
    await condemned(bridge, "telegram", "42", "12", CARD)
    assert await removed(bridge, Pinboard(), 2) == ["gone", "gone"]
    assert await bridge.store.read(Statement(select(card.c.id))) == []


async def test_a_card_that_is_being_posted_is_waited_for(bridge: Bridge) -> None:
    await a_card(bridge, 11, "", lease=bridge.incarnation)
    await condemned(bridge, "telegram", "42", "11", CARD)
    remover = Remover(bridge, Pinboard())
    item = (await remover._claim(5))[0]
    done = await remover._done(item)
    assert (done.outcome, done.due_at > bridge.clock()) == ("", True)
