"""The Telegram adapter against a Bot API that limits, refuses, moves and forgets as the real one."""

from __future__ import annotations

import asyncio
import gc
import io
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import structlog
from aiohttp import ClientSession, web

from bridge import opening, settings
from bridge.bots.chat import (
    Answered,
    Button,
    Event,
    Filled,
    Form,
    Gone,
    Line,
    Pressed,
    Typed,
    View,
)
from bridge.bots.intake import Intake
from bridge.bots.telegram import check, hearing
from bridge.bots.telegram import client as client_module
from bridge.bots.telegram import edge as edge_module
from bridge.bots.telegram.calls import Calls
from bridge.bots.telegram.client import LARGEST_FILE, TelegramChat
from bridge.bots.telegram.edge import TelegramEdge
from bridge.bots.views import said
from bridge.dispatch.bridge import Bridge
from bridge.errors import BridgeError, Misconfigured, Refused, StoreUnavailable, TryLater
from tests.bridges import until, write_config
from tests.telegram_peer import EVA, TOKEN, Answer, BotApi, a_bot_api, keyboard, too_many

GROUP, OLD_GROUP, FOREIGN = "-1000500", "-500", "-1000700"
SECRET = "hook-secret_1"


@pytest.fixture
async def api() -> AsyncIterator[BotApi]:
    async with a_bot_api() as found:
        yield found


def config(folder: Path, api: BotApi, more: str = "", token: str = TOKEN) -> settings.Settings:
    telegram = f'[telegram]\ntoken = "{token}"\napi_url = "{api.url}"\n{more}'
    inbox = f'inbox = ["telegram:{GROUP}", "telegram:{OLD_GROUP}"]'
    return settings.load(write_config(folder, more=telegram, tenant=inbox), {})


@pytest.fixture
async def bridge(tmp_path: Path, api: BotApi) -> AsyncIterator[Bridge]:
    async with opening.opened(config(tmp_path, api), "up") as found:
        yield found


@pytest.fixture
async def chat(bridge: Bridge) -> AsyncIterator[TelegramChat]:
    found = TelegramChat(bridge)
    yield found
    await found.close()


def an_event(act: Any, place: str = "42", **more: Any) -> Event:
    private = not place.startswith("-")
    return Event(1, "telegram", "", "42", place, act, private=private, **more)


def pressed(place: str = GROUP, post: str = "9", query: str = "Q1") -> Event:
    return an_event(Pressed("claim", "x", post), place, back={"query": query, "name": "Eva <3"})


# -- posts ---------------------------------------------------------------------------------------


async def test_a_post_is_escaped_html_without_a_preview(api: BotApi, chat: TelegramChat) -> None:
    view = View((Line("a <b> & c", "quote"),), (Button("Claim", "claim", "0abc", "primary"),))
    post = await chat.post("42", "", view, "17")
    (sent,) = api.of("sendMessage")
    assert (42, int(post)) in api.posts
    assert sent["text"] == "<blockquote><code>a &lt;b&gt; &amp; c</code></blockquote>"
    assert (sent["parse_mode"], sent["chat_id"]) == ("HTML", "42")
    assert json.loads(sent["link_preview_options"]) == {"is_disabled": True}
    reply = json.loads(sent["reply_parameters"])
    assert reply == {"message_id": 17, "allow_sending_without_reply": True}
    assert keyboard(sent) == ["claim:0abc"]
    assert "message_thread_id" not in sent


async def test_below_its_root_where_there_are_no_topics(api: BotApi, chat: TelegramChat) -> None:
    await chat.post("42", "31", said("one"))
    await chat.post(GROUP, "32", said("two"))
    await chat.post(GROUP, "32", said("three"), "33")
    roots = [json.loads(sent["reply_parameters"])["message_id"] for sent in api.of("sendMessage")]
    assert roots == [31, 32, 33]
    assert len(api.of("getChat")) == 1  # for the private chat never, for the group once
    assert await chat.open_thread("42", "+420") == ""
    assert await chat.open_thread(GROUP, "+420") == ""


async def test_a_topic_for_a_person(api: BotApi, chat: TelegramChat) -> None:
    api.forum(int(GROUP))
    topic = await chat.open_thread(GROUP, "+420 ••• ••• 456" + "x" * 200)
    post = await chat.post(GROUP, topic, said("hello"), "12")
    assert len(api.of("createForumTopic")[0]["name"]) == 128
    sent = api.posts[int(GROUP), int(post)]
    assert sent["message_thread_id"] == topic
    assert json.loads(sent["reply_parameters"])["message_id"] == 12
    assert len(api.of("getChat")) == 1


async def test_a_deleted_topic_is_gone(api: BotApi, chat: TelegramChat) -> None:
    api.forum(int(GROUP))
    topic = await chat.open_thread(GROUP, "+420")
    api.topics.clear()
    with pytest.raises(Gone):
        await chat.post(GROUP, topic, said("hello"))
    again = await chat.open_thread(GROUP, "+420")
    assert await chat.post(GROUP, again, said("hello"))
    assert len(api.of("getChat")) == 2, "a fault makes it look again whether there are topics"


async def test_a_closed_topic_is_opened_again(api: BotApi, chat: TelegramChat) -> None:
    api.forum(int(GROUP))
    topic = await chat.open_thread(GROUP, "+420")
    api.closed.add(int(topic))
    assert await chat.post(GROUP, topic, said("hello"))
    api.closed.add(int(topic))
    api.may_manage_topics = False
    with pytest.raises(Gone):
        await chat.post(GROUP, topic, said("hello"))


async def test_a_missing_right_is_named(api: BotApi, chat: TelegramChat) -> None:
    api.forum(int(GROUP))
    api.may_manage_topics = False
    with pytest.raises(Refused) as no:
        await chat.open_thread(GROUP, "+420")
    assert "Manage Topics" in no.value.hint


@pytest.mark.parametrize(
    ("code", "description"),
    [
        (403, "Forbidden: bot was blocked by the user"),
        (403, "Forbidden: bot can't initiate conversation with a user"),
        (403, "Forbidden: user is deactivated"),
        (403, "Forbidden: bot was kicked from the supergroup chat"),
        (403, "Forbidden: bot is not a member of the supergroup chat"),
        (400, "Bad Request: chat not found"),
        (400, "Bad Request: not enough rights to send text messages to the chat"),
        (400, "Bad Request: something new"),
    ],
)
async def test_refusals_say_what_to_do(
    api: BotApi, chat: TelegramChat, code: int, description: str
) -> None:
    api.script["sendMessage"].append(Answer(code, description))
    with pytest.raises(Refused) as no:
        await chat.post("42", "", said("a secret text"))
    assert no.value.sentence
    assert no.value.hint
    shown = f"{no.value!r} {no.value.sentence} {no.value.hint} {no.value.__context__!r}"
    assert "secret" not in shown
    assert TOKEN not in shown


@pytest.mark.parametrize(
    "reply",
    [
        Answer(500, "Internal Server Error"),
        Answer(502, "Bad Gateway"),
        Answer(401, "Unauthorized"),
        Answer(404, "Not Found"),
        Answer(429, "Too Many Requests"),
        {"nothing": "that we know"},
    ],
)
async def test_what_may_pass_is_tried_later(
    api: BotApi, chat: TelegramChat, reply: Answer | dict[str, Any]
) -> None:
    api.script["sendMessage"].append(reply)
    with pytest.raises(TryLater):
        await chat.post("42", "", said("hello"))


async def test_nobody_there(bridge: Bridge, free_port: Callable[[], int]) -> None:
    telegram = bridge.settings.telegram.model_copy(
        update={"api_url": f"http://127.0.0.1:{free_port()}"}
    )
    calls = Calls(telegram)
    try:
        with pytest.raises(TryLater) as no:
            await calls(client_module.GetChat(chat_id=1))
        assert TOKEN not in repr(no.value.__context__)
    finally:
        await calls.close()


async def test_a_post_stands_though_its_form_is_unknown(api: BotApi, chat: TelegramChat) -> None:
    strange = {"ok": True, "result": {"message_id": 77, "chat": "of another kind"}}
    api.script["sendMessage"].append(strange)
    assert await chat.post("42", "", said("hello")) == "77"


# -- edits ---------------------------------------------------------------------------------------


async def test_an_edit_in_place(api: BotApi, chat: TelegramChat) -> None:
    buttons = (Button("Take back", "takeback", "0abc"),)
    post = await chat.post("42", "", View((Line("… waiting"),), buttons))
    await chat.edit("42", post, said("✓ sent"))
    shown = api.posts[42, int(post)]
    assert (shown["text"], keyboard(shown)) == ("✓ sent", [])
    await chat.edit("42", post, said("✓ sent"))  # it says so already
    with pytest.raises(Gone):
        await chat.edit("42", "1", said("✓ sent"))


async def test_buttons_are_changed(api: BotApi, chat: TelegramChat) -> None:
    post = await chat.post(GROUP, "", said("SMS"))
    await chat.relabel(pressed(post=post), [Button("Release (Eva)", "release", "0abc")])
    (sent,) = api.of("editMessageReplyMarkup")
    assert keyboard(sent) == ["release:0abc"]
    await chat.relabel(pressed(post="1"), [])  # it is gone
    await chat.relabel(an_event(Typed("x")), [])
    assert len(api.of("editMessageReplyMarkup")) == 2


async def test_a_pressed_post_is_revised(api: BotApi, chat: TelegramChat) -> None:
    post = await chat.post("42", "", said("Not sent yet"))
    await chat.revise(an_event(Pressed("send", "x", post)), said("Sent."))
    assert api.posts[42, int(post)]["text"] == "Sent."
    await chat.revise(an_event(Pressed("send", "x", "1")), said("Sent."))
    await chat.revise(an_event(Typed("approve x"), answers="5"), said("Sent."))
    assert [sent["text"] for sent in api.of("sendMessage")[1:]] == ["Sent.", "Sent."]


# -- whispers ------------------------------------------------------------------------------------


async def test_a_whisper_in_a_private_chat(api: BotApi, chat: TelegramChat) -> None:
    await chat.whisper(an_event(Typed("log"), answers="8"), said("Nothing was sent yet."))
    (sent,) = api.of("sendMessage")
    assert json.loads(sent["reply_parameters"])["message_id"] == 8


async def test_short_words_may_be_said_in_a_group(api: BotApi, chat: TelegramChat) -> None:
    event = an_event(Typed("log"), GROUP, answers="8")
    await chat.whisper(event, said("✗ Numbers are not written where others read."))
    (sent,) = api.of("sendMessage")
    assert sent["chat_id"] == GROUP
    assert json.loads(sent["reply_parameters"])["message_id"] == 8


@pytest.mark.parametrize(
    "view",
    [
        View((Line("Not sent yet", "head"), Line("text", "quote"))),
        View((Line("/sms help", "code"),)),
        View((Line("Sure?"),), (Button("Yes", "send", "x"),)),
        said("long " * 100),
        said("to +420 601 123 456"),
    ],
)
async def test_the_rest_is_for_the_private_chat(
    api: BotApi, chat: TelegramChat, view: View
) -> None:
    await chat.whisper(an_event(Typed("log"), GROUP, answers="8"), view)
    private, public = api.of("sendMessage")
    assert (private["chat_id"], public["chat_id"]) == ("42", GROUP)
    assert public["text"] == "Details in our private chat."


async def test_who_has_not_started_the_bot_is_told_to(api: BotApi, chat: TelegramChat) -> None:
    api.started.clear()
    chat.learn({"username": "OurSmsBot"})
    await chat.whisper(an_event(Typed("log"), GROUP), said("long " * 100))
    public = api.of("sendMessage")[-1]
    assert public["chat_id"] == GROUP
    assert "press Start" in public["text"]
    assert "long" not in public["text"]


async def test_an_answer_outlives_its_topic(api: BotApi, chat: TelegramChat) -> None:
    api.forum(int(GROUP))
    await chat.whisper(an_event(Typed("log"), GROUP, thread="77", answers="8"), said("✗ No."))
    gone, sent = api.of("sendMessage")
    assert gone["message_thread_id"] == "77"
    assert "message_thread_id" not in sent


async def test_an_alert_for_the_one_who_pressed(api: BotApi, chat: TelegramChat) -> None:
    await chat.whisper(pressed(), said("✗ Berit has claimed this conversation."))
    (answer,) = api.of("answerCallbackQuery")
    assert answer["text"] == "✗ Berit has claimed this conversation."
    assert answer["show_alert"] == "true"
    assert not api.of("sendMessage")


async def test_a_long_alert_goes_to_the_private_chat(api: BotApi, chat: TelegramChat) -> None:
    await chat.whisper(pressed(), said("long " * 60))
    (sent,) = api.of("sendMessage")
    (answer,) = api.of("answerCallbackQuery")
    assert (sent["chat_id"], answer["text"]) == ("42", "Details in our private chat.")


async def test_a_button_is_answered_once(api: BotApi, chat: TelegramChat) -> None:
    event = pressed()
    assert await chat.settle(event)
    assert not await chat.settle(event)
    await chat.whisper(event, said("too late for an alert"))
    assert len(api.of("answerCallbackQuery")) == 1
    assert [sent["chat_id"] for sent in api.of("sendMessage")] == ["42"]


async def test_a_button_too_old_for_an_answer(api: BotApi, chat: TelegramChat) -> None:
    old = Answer(400, "Bad Request: query is too old and response timeout expired")
    api.script["answerCallbackQuery"].append(old)
    await chat.whisper(pressed(), said("hello"))
    assert [sent["chat_id"] for sent in api.of("sendMessage")] == ["42"]


# -- forms ---------------------------------------------------------------------------------------


async def test_a_form_is_a_forced_reply(api: BotApi, chat: TelegramChat) -> None:
    form = Form("reply", "0abc", "Answer to +420 ••• ••• 456")
    post = await chat.ask(pressed(), form)
    (sent,) = api.of("sendMessage")
    assert (int(GROUP), int(post)) in api.posts
    markup = json.loads(sent["reply_markup"])
    assert markup["force_reply"] is True
    assert markup["selective"] is True
    assert '<a href="tg://user?id=42">Eva &lt;3</a>' in sent["text"]
    assert json.loads(sent["reply_parameters"])["message_id"] == 9
    await chat.ask(pressed("42"), form)
    private = api.of("sendMessage")[1]
    assert "selective" not in json.loads(private["reply_markup"])
    assert "tg://" not in private["text"]


async def test_to_write_anew_is_a_command_to_copy(api: BotApi, chat: TelegramChat) -> None:
    fields = {"to": "+420601123456", "text": "hi", "when": ""}
    assert await chat.ask(pressed(), Form("compose", "", "New SMS", fields)) == ""
    (sent,) = api.of("sendMessage")
    assert sent["chat_id"] == "42", "a number is not shown to the group"
    assert "/sms +420601123456 hi" in sent["text"]


# -- pace ----------------------------------------------------------------------------------------


async def test_a_429_holds_all_calls_and_then_they_go_in_order(
    api: BotApi, chat: TelegramChat
) -> None:
    api.script["sendMessage"].append(too_many(1))
    posts = [chat.post("42", "", said(f"{n}")) for n in range(4)]
    began = asyncio.get_running_loop().time()
    first = asyncio.create_task(posts[0])
    await until_called(api, "sendMessage")
    rest = [asyncio.create_task(post) for post in posts[1:]]
    other = asyncio.create_task(chat.post(GROUP, "", said("other")))
    found = await asyncio.gather(first, *rest)
    await other
    assert found == sorted(found, key=int)
    assert [sent["text"] for sent in api.of("sendMessage") if sent["chat_id"] == "42"] == [
        *("0", "0", "1", "2", "3")
    ]
    assert all(when - began >= 1 for when in api.times[1:])


async def until_called(api: BotApi, method: str) -> None:
    async def look() -> bool:
        return bool(api.of(method))

    await until(look)


async def test_waiting_ends(api: BotApi, bridge: Bridge) -> None:
    calls = Calls(bridge.settings.telegram, patience=0.2)
    api.script["getChat"].append(too_many(3600))
    try:
        one = asyncio.create_task(calls(client_module.GetChat(chat_id=42)))
        await until_called(api, "getChat")
        two = asyncio.create_task(calls(client_module.GetChat(chat_id=42)))
        for task in (one, two):
            with pytest.raises(TryLater):
                await task
        assert len(api.of("getChat")) == 1
    finally:
        await calls.close()


# -- a group that moves --------------------------------------------------------------------------


async def test_a_group_that_became_a_supergroup_is_followed(
    api: BotApi, chat: TelegramChat
) -> None:
    api.moved[int(OLD_GROUP)] = -1000501
    with structlog.testing.capture_logs() as logs:
        await chat.post(OLD_GROUP, "", said("hello"), "5")
        await chat.post(OLD_GROUP, "", said("hello again"))
    to = [(sent["chat_id"], "reply_parameters" in sent) for sent in api.of("sendMessage")]
    assert to == [(OLD_GROUP, True), ("-1000501", False), ("-1000501", False)]
    assert [line["new"] for line in logs] == ["telegram:-1000501"]
    assert chat.resolved(1, OLD_GROUP) == "-1000501"
    assert chat.resolved(1, GROUP) == GROUP


async def test_an_old_post_is_not_sought_in_the_new_group(api: BotApi, chat: TelegramChat) -> None:
    api.moved[int(OLD_GROUP)] = -1000501
    api.posts[-1000501, 5] = {"text": "of another conversation"}
    with pytest.raises(Gone):
        await chat.edit(OLD_GROUP, "5", said("hello"))
    assert api.posts[-1000501, 5]["text"] == "of another conversation"


# -- files ---------------------------------------------------------------------------------------


async def test_a_file_is_fetched(api: BotApi, chat: TelegramChat) -> None:
    api.files["F1"] = b"name,number\nAnna,+420601123456\n"
    assert await chat.fetch("F1") == api.files["F1"]


async def test_a_file_that_is_too_large(api: BotApi, chat: TelegramChat) -> None:
    api.files["F1"] = b"x" * (LARGEST_FILE + 1)
    with pytest.raises(Refused, match="larger"):
        await chat.fetch("F1")
    # Its size was not told.
    answer = {"file_id": "F1", "file_unique_id": "u", "file_path": "F1"}
    api.script["getFile"].append({"ok": True, "result": answer})
    with pytest.raises(Refused, match="larger"):
        await chat.fetch("F1")


async def test_a_file_that_cannot_be_had(api: BotApi, chat: TelegramChat) -> None:
    answer = {"file_id": "F1", "file_unique_id": "u", "file_path": "not/there"}
    api.script["getFile"].append({"ok": True, "result": answer})
    with pytest.raises(TryLater) as later:
        await chat.fetch("F1")
    assert TOKEN not in repr(later.value.__context__)
    local = {"file_id": "F1", "file_unique_id": "u", "file_path": "/var/lib/telegram/F1"}
    api.script["getFile"].append({"ok": True, "result": local})
    with pytest.raises(Refused):
        await chat.fetch("F1")


# -- hearing -------------------------------------------------------------------------------------


class Heard:
    """A handler that keeps what it is told; each event may be held up."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.then: Callable[[Event], Awaitable[None]] | None = None

    async def __call__(self, event: Event) -> None:
        self.events.append(event)
        if self.then is not None:
            await self.then(event)

    async def count(self, most: int) -> list[Event]:
        async def look() -> bool:
            return len(self.events) >= most

        await until(look)
        return self.events


@asynccontextmanager
async def an_edge(bridge: Bridge) -> AsyncIterator[tuple[TelegramEdge, Heard]]:
    chat, heard = TelegramChat(bridge), Heard()
    edge = TelegramEdge(bridge, chat, heard, first=0.02)
    await edge.start()
    try:
        yield edge, heard
    finally:
        await edge.stop()
        await chat.close()


async def test_updates_are_stored_before_they_are_confirmed(
    api: BotApi, bridge: Bridge, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = asyncio.Event()
    take = Intake.take

    async def unsure(self: Intake, key: str, payload: Any) -> bool:
        if not broken.is_set():
            broken.set()
            raise StoreUnavailable("the disk is full")
        return await take(self, key, payload)

    monkeypatch.setattr(Intake, "take", unsure)
    api.say("/sms log")
    number = api.updates[-1]["update_id"]
    async with an_edge(bridge) as (_, heard):
        await heard.count(1)
        await until_offset(api, number + 1)
    assert broken.is_set()
    assert [event.act for event in heard.events] == [Typed("log")]
    asked = api.of("getUpdates")[0]
    assert json.loads(asked["allowed_updates"]) == [
        *("message", "edited_message", "callback_query", "my_chat_member")
    ]
    assert "offset" not in asked


async def until_offset(api: BotApi, offset: int) -> None:
    async def look() -> bool:
        return any(int(asked.get("offset", 0)) == offset for asked in api.of("getUpdates"))

    await until(look)


async def test_what_is_told_twice_is_worked_once(api: BotApi, bridge: Bridge) -> None:
    api.say("/sms log")
    kept = list(api.updates)
    async with an_edge(bridge) as (_, heard):
        await heard.count(1)
        await until_offset(api, kept[0]["update_id"] + 1)
        api.updates[:0] = kept
        api.say("/sms quota")
        await heard.count(2)
    assert [event.act for event in heard.events] == [Typed("log"), Typed("quota")]


async def test_what_a_dead_process_left_is_worked_by_the_next(api: BotApi, tmp_path: Path) -> None:
    held = asyncio.Event()

    async def forever(_event: Event) -> None:
        held.set()
        await asyncio.Event().wait()

    async with opening.opened(config(tmp_path, api), "up") as first:
        chat, heard = TelegramChat(first), Heard()
        heard.then = forever
        edge = TelegramEdge(first, chat, heard, first=0.02)
        await edge.start()
        api.say("/sms log")
        await held.wait()
        await until_offset(api, api.updates[-1]["update_id"] + 1 if api.updates else 502)
        # It dies: nothing of it is finished.
        edge._task.cancel()  # type: ignore[union-attr]
        edge._intake._glance.cancel()  # type: ignore[union-attr]
        for task in edge._intake._tasks:
            task.cancel()
        await asyncio.gather(*edge._intake._tasks, return_exceptions=True)
        await chat.close()
    async with opening.opened(config(tmp_path, api), "up") as second, an_edge(second) as (_, heard):
        await heard.count(1)
    assert [event.act for event in heard.events] == [Typed("log")]


async def test_one_broken_update_does_not_hold_up_the_others(api: BotApi, bridge: Bridge) -> None:
    api.tell(message={"of": "another kind"})
    api.say("/sms log")
    with structlog.testing.capture_logs() as logs:
        async with an_edge(bridge) as (_, heard):
            await heard.count(1)
    assert [line["event"] for line in logs] == ["an update of Telegram's cannot be read"]


async def test_another_poller(api: BotApi, bridge: Bridge) -> None:
    conflict = Answer(409, "Conflict: terminated by other getUpdates request")
    api.script["getUpdates"].extend([conflict, conflict])
    api.say("/sms log")
    with structlog.testing.capture_logs() as logs:
        async with an_edge(bridge) as (_, heard):
            await heard.count(1)
    errors = [line for line in logs if line["log_level"] == "error"]
    assert len(errors) == 1, "it is said once"
    assert "another program" in errors[0]["event"]


async def test_a_wrong_token(api: BotApi, tmp_path: Path) -> None:
    settings = config(tmp_path, api, token="7000:wrong-secret")
    async with opening.opened(settings, "up") as bridge:
        with structlog.testing.capture_logs() as logs:
            async with an_edge(bridge) as (_, heard):

                async def look() -> list[Any]:
                    return [line for line in logs if "token" in line["event"]]

                await until(look)
        assert "check [telegram] token" in logs[0]["hint"]
        assert "wrong-secret" not in str(logs)
        assert not heard.events


def test_what_is_no_token() -> None:
    telegram = settings.Telegram(token="no token at all")  # type: ignore[arg-type]
    with pytest.raises(Misconfigured, match="token") as no:
        Calls(telegram)
    assert "no token at all" not in repr(no.value)


async def test_telegram_away_and_back(api: BotApi, bridge: Bridge) -> None:
    down = Answer(502, "Bad Gateway")
    api.script["getMe"].extend([down, down])
    api.script["getUpdates"].extend([down, too_many(1)])
    api.script["setMyCommands"].append(Answer(400, "Bad Request: no"))
    api.say("/sms log")
    with structlog.testing.capture_logs() as logs:
        async with an_edge(bridge) as (_, heard):
            await heard.count(1)
    assert [line["event"] for line in logs] == [
        "Telegram cannot be reached",
        "Telegram answers again",
        "Telegram does not show the bot's commands",
        "Telegram cannot be reached",
        "Telegram answers again",
    ]
    commands = json.loads(api.of("setMyCommands")[0]["commands"])
    assert [each["command"] for each in commands] == ["sms", "start", "help"]


async def test_a_button_is_answered_whatever_becomes_of_it(api: BotApi, bridge: Bridge) -> None:
    async def stumble(_event: Event) -> None:
        raise RuntimeError

    async with an_edge(bridge) as (_, heard):
        query = {"id": "Q7", "from": EVA, "chat_instance": "c", "data": "claim:0abc"}
        post = {"message_id": 9, "date": 1, "chat": api.chat(42), "from": api.me}
        heard.then = stumble
        api.tell(callback_query={**query, "message": post})
        await heard.count(1)
        await until_called(api, "answerCallbackQuery")
        api.tell(callback_query={"id": "Q8", "from": EVA, "chat_instance": "c"})

        async def look() -> bool:
            return len(api.of("answerCallbackQuery")) == 2

        await until(look)
    assert [call["callback_query_id"] for call in api.of("answerCallbackQuery")] == ["Q7", "Q8"]
    assert heard.events[0].act == Pressed("claim", "0abc", "9")


async def test_a_button_whose_work_takes_long_is_answered_soon(
    api: BotApi, bridge: Bridge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(edge_module, "SOON_S", 0.01)

    async def slowly(_event: Event) -> None:
        await until_called(api, "answerCallbackQuery")

    async with an_edge(bridge) as (_, heard):
        heard.then = slowly
        query = {"id": "Q7", "from": EVA, "chat_instance": "c", "data": "claim:0abc"}
        post = {"message_id": 9, "date": 1, "chat": api.chat(42), "from": api.me}
        api.tell(callback_query={**query, "message": post})
        await heard.count(1)
    assert len(api.of("answerCallbackQuery")) == 1


async def test_answers_at_once_are_few(api: BotApi, bridge: Bridge) -> None:
    async with an_edge(bridge) as (_, heard):
        for n in range(12):
            api.say(f"chatter {n}")
        api.say("/sms log")
        await heard.count(1)
    assert len(heard.events) == 1
    assert 1 <= len(api.of("sendMessage")) <= 5


async def test_an_album_is_answered_once(api: BotApi, bridge: Bridge) -> None:
    photo = [{"file_id": "f", "file_unique_id": "u", "width": 1, "height": 1}]
    async with an_edge(bridge) as (_, heard):
        for n in range(3):
            picture = {"message_id": 20 + n, "date": 1, "chat": api.chat(42), "from": EVA}
            api.tell(message={**picture, "photo": photo, "media_group_id": "m1"})
        api.say("/sms log")
        await heard.count(1)
        await until_called(api, "sendMessage")
    assert len(api.of("sendMessage")) == 1


async def test_a_contacts_file_and_a_reply(api: BotApi, bridge: Bridge) -> None:
    file = {"file_id": "F1", "file_unique_id": "u", "file_name": "people.csv"}
    post = {"message_id": 9, "date": 1, "chat": api.chat(42), "from": api.me, "text": "SMS"}
    async with an_edge(bridge) as (_, heard):
        envelope = {"message_id": 10, "date": 1, "chat": api.chat(42), "from": EVA}
        api.tell(message={**envelope, "document": file})
        api.say("at 5", reply_to_message=post)
        await heard.count(2)
    acts = sorted((event.act for event in heard.events), key=lambda act: type(act).__name__)
    assert acts == [
        Answered("at 5", "9"),
        Filled("contacts", "people.csv", {"file_id": "F1"}),
    ]


# -- groups --------------------------------------------------------------------------------------


def added(api: BotApi, place: int) -> dict[str, Any]:
    was, now = ({"status": status, "user": api.me} for status in ("left", "member"))
    envelope = {"chat": api.chat(place), "from": EVA, "date": 1}
    return {**envelope, "old_chat_member": was, "new_chat_member": now}


async def test_a_group_that_is_nobodys_inbox_is_left(api: BotApi, bridge: Bridge) -> None:
    with structlog.testing.capture_logs() as logs:
        async with an_edge(bridge) as (_, heard):
            api.say("/sms log", int(FOREIGN))
            api.tell(my_chat_member=added(api, int(FOREIGN)))
            await until_called(api, "leaveChat")
            api.tell(my_chat_member=added(api, int(GROUP)))
            api.say("/sms log", int(GROUP))
            await heard.count(1)
    assert api.of("leaveChat") == [{"chat_id": FOREIGN}]
    (sent,) = api.of("sendMessage")
    assert sent["chat_id"] == FOREIGN
    assert FOREIGN in sent["text"]
    assert FOREIGN not in str(logs)
    assert [event.place for event in heard.events] == [GROUP]
    assert heard.events[0].tenant == next(iter(bridge.register.tenants))


async def test_a_group_of_ours_that_became_this_one_is_kept(api: BotApi, bridge: Bridge) -> None:
    api.moved[int(OLD_GROUP)] = -1000501
    async with an_edge(bridge) as (_, heard):
        api.tell(my_chat_member=added(api, -1000501))
        await until_called(api, "sendChatAction")
        api.say("/sms log", -1000501)
        await heard.count(1)
    assert not api.of("leaveChat")


async def test_a_move_is_heard(api: BotApi, bridge: Bridge) -> None:
    async with an_edge(bridge) as (_, heard):
        api.say("", int(OLD_GROUP), migrate_to_chat_id=-1000501)

        async def followed() -> bool:
            api.say("/sms log", -1000501)
            return bool(heard.events)

        await until(followed)
    assert heard.events[0].place == "-1000501"


# -- the webhook ---------------------------------------------------------------------------------


@asynccontextmanager
async def a_hook(folder: Path, api: BotApi) -> AsyncIterator[tuple[str, Heard, Bridge]]:
    """A bridge that Telegram calls, and where."""
    settings = config(folder, api, f'webhook_secret = "{SECRET}"')
    async with opening.opened(settings, "up") as bridge:
        chat, heard = TelegramChat(bridge), Heard()
        edge = TelegramEdge(bridge, chat, heard, first=0.02)
        server = web.Application(client_max_size=1024)
        server.add_routes(edge.routes())
        runner = web.AppRunner(server, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        await edge.start()
        try:
            yield f"http://{host}:{port}{hearing.PATH}", heard, bridge
        finally:
            await edge.stop()
            await chat.close()
            await runner.cleanup()


def an_update(number: int = 900, text: str = "/sms log") -> dict[str, Any]:
    chat = {"id": 42, "type": "private", "first_name": "Eva"}
    message = {"message_id": 5, "date": 1, "text": text, "from": EVA, "chat": chat}
    return {"update_id": number, "message": message}


async def test_a_webhook_call_is_stored_and_worked_once(tmp_path: Path, api: BotApi) -> None:
    async with a_hook(tmp_path, api) as (url, heard, _), ClientSession() as session:
        await until_called(api, "setWebhook")
        for _ in range(3):
            headers = {hearing.HEADER: SECRET}
            async with session.post(url, json=an_update(), headers=headers) as answer:
                assert answer.status == 200
        # Longer than what the web edge takes from others.
        big = an_update(901, "/sms quota " + "ž" * 4000)
        async with session.post(url, json=big, headers=headers) as answer:
            assert answer.status == 200
        await heard.count(2)
    assert len(heard.events) == 2
    (hook,) = api.of("setWebhook")
    assert hook["url"] == "http://127.0.0.1:8080/telegram/webhook"
    assert hook["secret_token"] == SECRET
    assert not api.of("getUpdates")


@pytest.mark.parametrize("secret", [None, "", "hook-secret_2", SECRET + "x", "žluť"])
async def test_p78_a_webhook_call_by_a_stranger(
    tmp_path: Path, api: BotApi, secret: str | None
) -> None:
    headers = {} if secret is None else {hearing.HEADER: secret}
    with structlog.testing.capture_logs() as logs:
        async with a_hook(tmp_path, api) as (url, heard, _), ClientSession() as session:
            for _ in range(20):
                async with session.post(url, json=an_update(), headers=headers) as answer:
                    assert answer.status == 401
    assert not heard.events
    refusals = [line for line in logs if "without our secret" in line["event"]]
    assert 1 <= len(refusals) <= 5
    assert SECRET not in str(logs)


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"update_id": "x"}', b"\xff", b"x" * 2**21])
async def test_a_webhook_call_that_is_no_update(tmp_path: Path, api: BotApi, body: bytes) -> None:
    async with a_hook(tmp_path, api) as (url, heard, _), ClientSession() as session:
        headers = {hearing.HEADER: SECRET}
        async with session.post(url, data=io.BytesIO(body), headers=headers) as answer:
            assert answer.status == 400
    assert not heard.events


async def test_a_webhook_call_that_cannot_be_stored(
    tmp_path: Path, api: BotApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(_self: Intake, _key: str, _payload: Any) -> bool:
        raise StoreUnavailable("the disk is full")

    monkeypatch.setattr(Intake, "take", full)
    async with a_hook(tmp_path, api) as (url, _, _), ClientSession() as session:
        headers = {hearing.HEADER: SECRET}
        async with session.post(url, json=an_update(), headers=headers) as answer:
            assert answer.status == 503


async def test_a_secret_that_telegram_does_not_take(tmp_path: Path, api: BotApi) -> None:
    async with opening.opened(config(tmp_path, api, 'webhook_secret = "a b"'), "up") as bridge:
        chat = TelegramChat(bridge)
        with pytest.raises(Misconfigured, match="webhook_secret"):
            TelegramEdge(bridge, chat, Heard())
        await chat.close()


# -- check ---------------------------------------------------------------------------------------


async def found(settings: settings.Settings, place: str = "") -> str:
    look = check.probe_chat(settings, place) if place else check.probe(settings)
    try:
        return await look
    except BridgeError as no:
        return f"✗ {no.sentence}: {no.hint}"


async def test_check_of_the_bot(tmp_path: Path, api: BotApi) -> None:
    settings = config(tmp_path, api)
    assert check.places(settings) == [GROUP, OLD_GROUP]
    assert await found(settings) == "@OurSmsBot is polled, 0 updates wait"
    # Where it is in its groups already, it need not be let into others.
    api.me["can_join_groups"] = False
    assert await found(settings) == "@OurSmsBot is polled, 0 updates wait"
    api.hook["url"] = "https://other.example/hook"
    assert "polling would take it away" in await found(settings)
    wrong = config(tmp_path, api, token="7000:wrong")
    assert "check [telegram] token" in await found(wrong)


async def test_check_of_the_webhook(tmp_path: Path, api: BotApi) -> None:
    settings = config(tmp_path, api, f'webhook_secret = "{SECRET}"')
    assert "https" in await found(settings)
    public = settings.model_copy(update={"public_url": "https://sms.example.com"})
    url = "https://sms.example.com/telegram/webhook"
    assert await found(public) == f"@OurSmsBot will call {url}, 0 updates wait"
    api.hook["url"] = "https://other.example/hook"
    assert "leads elsewhere" in await found(public)
    api.hook.update(url=url, pending_update_count=3)
    assert await found(public) == f"@OurSmsBot calls {url}, 3 updates wait"
    api.hook["last_error_message"] = "Connection refused"
    assert "Connection refused" in await found(public)


async def test_check_of_an_inbox(tmp_path: Path, api: BotApi) -> None:
    settings, group = config(tmp_path, api), int(GROUP)
    assert "private chat" in await found(settings, "42")
    api.members[group] = {"status": "left", "user": api.me}
    assert "/setjoingroups" in await found(settings, GROUP)
    api.members[group] = {"status": "member", "user": api.me}
    assert "without topics" in await found(settings, GROUP)
    api.chats[group] = {**api.chat(group), "permissions": {"can_send_messages": False}}
    assert "may not write" in await found(settings, GROUP)
    api.members[group]["status"] = "administrator"
    assert "without topics" in await found(settings, GROUP)
    api.forum(group)
    assert "Manage Topics" in await found(settings, GROUP)
    api.members[group]["can_manage_topics"] = True
    assert "a topic for each person" in await found(settings, GROUP)
    api.moved[int(OLD_GROUP)], api.members[-1000501] = -1000501, api.members[group]
    assert "telegram:-1000501" in await found(settings, OLD_GROUP)
    api.script["getChat"].append(Answer(400, "Bad Request: chat not found"))
    assert "knows no such chat" in await found(settings, GROUP)


# -- logs ----------------------------------------------------------------------------------------


async def test_no_log_holds_a_text_or_the_token(
    api: BotApi, bridge: Bridge, capfd: pytest.CaptureFixture[str]
) -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    logging.getLogger().addHandler(handler)
    logging.getLogger().setLevel(logging.INFO)
    try:
        api.script["sendMessage"].append({"ok": False, "odd": "a secret text"})
        async with an_edge(bridge) as (_, heard):
            api.say("a secret text")
            api.say("/sms +420601123456 a secret text")
            await heard.count(1)
            await until_called(api, "sendMessage")
    finally:
        logging.getLogger().setLevel(logging.WARNING)
        logging.getLogger().removeHandler(handler)
    gc.collect()
    captured = capfd.readouterr()
    said = stream.getvalue() + captured.out + captured.err
    for secret in ("a secret text", TOKEN, "601123456"):
        assert secret not in said
