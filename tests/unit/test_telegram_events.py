"""What each of Telegram's updates means to the bridge."""

from __future__ import annotations

from typing import Any

import pytest
from aiogram.types import Update
from hypothesis import given
from hypothesis import strategies as st

from bridge.bots.chat import Act, Answered, Event, Filled, Pressed, Typed
from bridge.bots.telegram.events import (
    Hushing,
    Leaving,
    Moving,
    Read,
    Saying,
    Us,
    read,
)
from bridge.errors import TryLater

BOT, EVA, GROUP, FORUM, FOREIGN = 7000, 42, -100500, -100600, -100700
US = Us(BOT, "OurSmsBot", {str(GROUP): 3, str(FORUM): 0})
EVA_USER = {"id": EVA, "is_bot": False, "first_name": "Eva"}
OURS = {"id": BOT, "is_bot": True, "first_name": "SMS", "username": "OurSmsBot"}


def chat(place: int) -> dict[str, Any]:
    if place > 0:
        return {"id": place, "type": "private", "first_name": "Eva"}
    return {"id": place, "type": "supergroup", "title": "Support", "is_forum": place == FORUM}


def message(text: str | None = None, place: int = EVA, **more: Any) -> dict[str, Any]:
    found = {"message_id": 100, "date": 1_760_000_000, "chat": chat(place), "from": EVA_USER}
    return {**found, **({} if text is None else {"text": text}), **more}


def post(place: int = EVA, number: int = 90, **more: Any) -> dict[str, Any]:
    """A post of the bot's."""
    return message("SMS from …", place, message_id=number, **{"from": OURS}, **more)


def heard(us: Us = US, **update: Any) -> Read:
    return read(5, Update.model_validate({"update_id": 1, **update}), us)


def event(found: Read) -> Event:
    assert isinstance(found, Event)
    assert (found.update, found.edge, found.team, found.person) == (5, "telegram", "", str(EVA))
    return found


def said(found: Read) -> str:
    assert isinstance(found, Saying)
    return found.view.plain


# -- what is typed -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "act"),
    [
        ("/sms +420601123456 Boiler is cold", Typed("+420601123456 Boiler is cold")),
        ("/sms  @eva hello\nthere", Typed("@eva hello\nthere")),
        ("/SMS help", Typed("help")),
        ("/sms", Typed("")),
        ("/sms\n+420601123456 x", Typed("+420601123456 x")),
        ("/sms@OurSmsBot log", Typed("log")),
        ("/sms@oursmsbot log", Typed("log")),
        ("/start", Typed("help")),
        ("/start anything", Typed("help")),
        ("/help", Typed("help")),
    ],
)
def test_a_command_in_a_private_chat(text: str, act: Act) -> None:
    found = event(heard(message=message(text)))
    assert found.act == act
    assert (found.place, found.thread, found.private) == (str(EVA), "", True)
    assert (found.answers, found.tenant) == ("100", 0)


@given(st.text(max_size=200))
def test_no_text_leaves_a_private_chat_by_accident(text: str) -> None:
    found = heard(message=message(text))
    if isinstance(found, Event):
        assert isinstance(found.act, Typed)
        assert text.lower().startswith(("/sms", "/start", "/help"))
    else:
        assert isinstance(found, Saying)


@pytest.mark.parametrize("text", ["Boiler is cold", "/smsx 1", "/stop", "/ban me", "+420601123456"])
def test_other_text_in_a_private_chat_is_told_how_to_write(text: str) -> None:
    found = heard(message=message(text))
    assert "Nothing was sent" in said(found)
    assert isinstance(found, Saying)
    assert (found.place, found.answers, found.person) == (str(EVA), "100", str(EVA))


@pytest.mark.parametrize("text", ["/sms log", "/sms@OurSmsBot log"])
def test_a_command_in_a_group(text: str) -> None:
    found = event(heard(message=message(text, GROUP)))
    assert found.act == Typed("log")
    assert (found.place, found.thread, found.private) == (str(GROUP), "", False)
    assert found.tenant == 3


@pytest.mark.parametrize(
    "text", ["hello", "/sms@OtherBot log", "/start", "/help", "/start@OtherBot", "/ban", "/smsx"]
)
def test_what_is_not_for_us_in_a_group(text: str) -> None:
    assert heard(message=message(text, GROUP)) is None


def test_help_in_a_group_with_our_name() -> None:
    assert event(heard(message=message("/help@OurSmsBot", GROUP))).act == Typed("help")


def test_a_name_is_judged_when_ours_is_known() -> None:
    with pytest.raises(TryLater):
        heard(US._replace(username=""), message=message("/sms@OurSmsBot log", GROUP))
    event(heard(US._replace(username=""), message=message("/sms log", GROUP)))


def test_a_group_that_is_nobodys_inbox_is_not_heard() -> None:
    assert heard(message=message("/sms log", FOREIGN)) is None
    reply = message("text", FOREIGN, reply_to_message=post(FOREIGN))
    assert heard(message=reply) is None
    query = {"id": "q", "from": EVA_USER, "chat_instance": "c", "data": "a:b"}
    assert heard(callback_query={**query, "message": post(FOREIGN)}) == Hushing("q")


def test_a_command_in_a_topic() -> None:
    found = event(
        heard(message=message("/sms log", FORUM, message_thread_id=77, is_topic_message=True))
    )
    assert (found.thread, found.tenant) == ("77", 0)


def test_the_general_topic_is_no_topic() -> None:
    # An answer there names a thread that nothing can be posted to.
    found = event(heard(message=message("/sms log", FORUM, message_thread_id=77)))
    assert found.thread == ""


@pytest.mark.parametrize("place", [EVA, GROUP])
def test_a_forwarded_command_is_not_obeyed(place: int) -> None:
    origin = {"type": "user", "date": 1_760_000_000, "sender_user": EVA_USER}
    found = heard(message=message("/sms @anna hi", place, forward_origin=origin))
    assert "forwarded" in said(found)


def test_bots_and_channels_are_not_heard() -> None:
    other = {"id": 9, "is_bot": True, "first_name": "Other"}
    assert heard(message=message("/sms log", GROUP, **{"from": other})) is None
    channel = {"id": -100900, "type": "channel", "title": "News"}
    assert heard(channel_post={**message("/sms log"), "chat": channel}) is None
    linked = message("/sms log", GROUP, sender_chat=channel, is_automatic_forward=True)
    assert heard(message=linked) is None


def test_an_anonymous_administrator_is_told_why() -> None:
    anonymous = {"id": 1087968824, "is_bot": True, "first_name": "Group"}
    written = message("/sms log", GROUP, sender_chat=chat(GROUP), **{"from": anonymous})
    assert "cannot see who" in said(heard(message=written))
    written["text"] = "hello"
    assert heard(message=written) is None


# -- answers -------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", [EVA, GROUP])
def test_a_reply_to_a_post_of_ours_is_an_answer(place: int) -> None:
    found = event(heard(message=message("We come at 5", place, reply_to_message=post(place))))
    assert found.act == Answered("We come at 5", "90")


def test_a_command_as_a_reply_stays_a_command() -> None:
    found = heard(message=message("/sms @anna hi", reply_to_message=post()))
    assert event(found).act == Typed("@anna hi")
    found = heard(message=message("/sms reply at 5\nsharp", reply_to_message=post()))
    assert event(found).act == Answered("at 5\nsharp", "90")
    found = heard(message=message("/sms reply at 5"))
    assert event(found).act == Typed("reply at 5")


def test_another_bots_command_as_a_reply_sends_nothing() -> None:
    reply = post(GROUP)
    assert heard(message=message("/ban", GROUP, reply_to_message=reply)) is None
    assert "Nothing was sent" in said(heard(message=message("/ban", reply_to_message=post())))


def test_a_reply_that_begins_with_a_slash_can_be_text() -> None:
    found = heard(message=message("/etc/hosts is broken", reply_to_message=post()))
    assert event(found).act == Answered("/etc/hosts is broken", "90")


def test_a_reply_to_somebody_else_is_none_of_ours() -> None:
    other = message("hi", GROUP, message_id=80)
    assert heard(message=message("hello", GROUP, reply_to_message=other)) is None
    own = message("hi", message_id=80)
    assert "Nothing was sent" in said(heard(message=message("hello", reply_to_message=own)))


def test_what_is_said_in_a_topic_answers_no_post() -> None:
    topic = {"message_thread_id": 77, "is_topic_message": True}
    made = message(
        None, FORUM, message_id=77, forum_topic_created={"name": "+420", "icon_color": 1}
    )
    made["from"] = OURS
    assert heard(message=message("hello", FORUM, reply_to_message=made, **topic)) is None
    bare = {"message_id": 77, "date": 1, "chat": chat(FORUM), "from": OURS}
    assert heard(message=message("hello", FORUM, reply_to_message=bare, **topic)) is None
    found = event(heard(message=message("at 5", FORUM, reply_to_message=post(FORUM), **topic)))
    assert found.act == Answered("at 5", "90")
    assert found.thread == "77"


def test_an_edit_changes_nothing_that_was_sent() -> None:
    assert "does not change" in said(heard(edited_message=message("/sms @anna hi")))
    reply = message("at 6", GROUP, reply_to_message=post(GROUP))
    assert "does not change" in said(heard(edited_message=reply))
    assert heard(edited_message=message("hello", GROUP)) is None
    assert heard(edited_message=message("hello")) is None
    assert heard(edited_message=message("/sms@OtherBot hi", GROUP)) is None
    live = message(location={"latitude": 1.0, "longitude": 2.0})
    assert heard(edited_message=live) is None


# -- other content -------------------------------------------------------------------------------

SIZE = {"file_id": "f", "file_unique_id": "u", "width": 1, "height": 1}
CONTENT: dict[str, Any] = {
    "photo": [SIZE],
    "sticker": {**SIZE, "type": "regular", "is_animated": False, "is_video": False},
    "voice": {"file_id": "f", "file_unique_id": "u", "duration": 1},
    "document": {"file_id": "f", "file_unique_id": "u", "file_name": "a.pdf"},
    "video": {**SIZE, "duration": 1},
    "location": {"latitude": 1.0, "longitude": 2.0},
    "contact": {"phone_number": "+1", "first_name": "A"},
    "dice": {"emoji": "🎲", "value": 1},
}


def readable(kind: str, place: int, **more: Any) -> dict[str, Any]:
    return message(None, place, **{kind: CONTENT[kind]}, **more)


@pytest.mark.parametrize("kind", sorted(CONTENT))
def test_what_cannot_be_an_sms(kind: str) -> None:
    assert "Only text" in said(heard(message=readable(kind, EVA)))
    assert heard(message=readable(kind, GROUP)) is None
    reply = readable(kind, GROUP, reply_to_message=post(GROUP))
    assert "Only text" in said(heard(message=reply))


def test_a_picture_with_a_command_below_it() -> None:
    found = heard(message=readable("photo", GROUP, caption="/sms @anna hi", media_group_id="m1"))
    assert "Only text" in said(found)
    assert isinstance(found, Saying)
    assert found.album == "m1"


def test_what_happens_to_a_chat_is_no_content() -> None:
    assert heard(message=message(None, new_chat_title="x")) is None
    assert heard(message=message(None, GROUP, left_chat_member=EVA_USER)) is None


@pytest.mark.parametrize(
    ("name", "kind"), [("people.csv", "text/csv"), ("People.CSV", "application/octet-stream")]
)
def test_a_table_in_a_private_chat_is_an_import(name: str, kind: str) -> None:
    file = {"file_id": "F1", "file_unique_id": "u", "file_name": name, "mime_type": kind}
    found = event(heard(message=message(None, document=file)))
    assert found.act == Filled("contacts", name, {"file_id": "F1"})
    assert heard(message=message(None, GROUP, document=file)) is None


# -- buttons -------------------------------------------------------------------------------------


def query(place: int = EVA, data: str | None = "claim:0abc", **more: Any) -> dict[str, Any]:
    found = {"id": "Q1", "from": EVA_USER, "chat_instance": "c", "message": post(place, **more)}
    return found if data is None else {**found, "data": data}


def test_a_button_is_pressed() -> None:
    found = event(heard(callback_query=query(GROUP)))
    assert found.act == Pressed("claim", "0abc", "90")
    assert (found.private, found.thread, found.tenant) == (False, "", 3)
    assert found.back["query"] == "Q1"
    topic = query(FORUM, message_thread_id=77, is_topic_message=True)
    assert event(heard(callback_query=topic)).thread == "77"
    assert event(heard(callback_query=query())).private


def test_a_button_of_an_old_post() -> None:
    old = {**query(GROUP), "message": {"chat": chat(GROUP), "message_id": 12, "date": 0}}
    assert event(heard(callback_query=old)).act == Pressed("claim", "0abc", "12")


def test_a_button_that_is_none_is_hushed() -> None:
    assert heard(callback_query=query(data=None)) == Hushing("Q1")
    nowhere = {k: v for k, v in query().items() if k != "message"}
    assert heard(callback_query=nowhere) == Hushing("Q1")


# -- groups --------------------------------------------------------------------------------------


def member(place: int, status: str, kind: str = "supergroup") -> dict[str, Any]:
    was = {"status": "left", "user": OURS}
    now: dict[str, Any] = {"status": status, "user": OURS}
    if status == "kicked":
        now["until_date"] = 0
    where = {**chat(place), "type": kind}
    return {
        "chat": where,
        "from": EVA_USER,
        "date": 1,
        "old_chat_member": was,
        "new_chat_member": now,
    }


def test_only_inboxes_keep_the_bot() -> None:
    assert heard(my_chat_member=member(GROUP, "member")) is None
    assert heard(my_chat_member=member(FOREIGN, "member")) == Leaving(str(FOREIGN), can_read=True)
    news = member(FOREIGN, "member", "channel")
    assert heard(my_chat_member=news) == Leaving(str(FOREIGN), can_read=False)
    assert heard(my_chat_member=member(FOREIGN, "kicked")) is None
    assert heard(my_chat_member=member(FOREIGN, "left")) is None
    assert heard(my_chat_member=member(EVA, "member", "private")) is None


def test_a_group_that_becomes_a_supergroup() -> None:
    found = heard(message=message(None, -500, migrate_to_chat_id=-100500))
    assert found == Moving("-500", "-100500")


def test_other_updates_mean_nothing() -> None:
    assert heard() is None
