"""People in chats: from a code to an SMS and its answer, and what is refused on the way."""

from __future__ import annotations

import asyncio
from pathlib import Path

import structlog
from sqlalchemy import select

from bridge.bots.chat import Answered, Filled, Pressed
from bridge.dispatch import glimpses
from bridge.dispatch.submit import submit
from bridge.model import Inbound, Origin, Submission
from bridge.store.audit_tables import audit
from bridge.store.chat_tables import chat_update, draft
from bridge.store.sql import Statement
from bridge.store.staff import CloseAll, close_all
from bridge.store.tables import body, message, notice
from tests.bridges import ANNA, BERIT, WRITER, until, write_config
from tests.chats import GROUP, Talk, a_talk

TEXTS = Statement(select(body.c.text).order_by(body.c.message_id))
LONG = "The pump in cellar 7 runs dry. " * 8


def config(folder: Path, tenant: str = "") -> Path:
    shown = 'show_texts_in = ["telegram", "slack"]\n' if "show_texts_in" not in tenant else ""
    return write_config(folder, tenant=shown + tenant)


async def texts(talk: Talk) -> list[str]:
    return [row[0] for row in await talk.running.rows(TEXTS)]


async def audited(talk: Talk) -> list[str]:
    rows = await talk.running.rows(Statement(select(audit.c.action).order_by(audit.c.seq)))
    return [row[0] for row in rows if row[0] not in ("staff invite", "enrolled", "staff revoke")]


async def shown(talk: Talk, words: str) -> str:
    """The post that has these words, once it is there."""

    async def look() -> str:
        found = (n for n, p in talk.chat.posts.items() if words in p.view.plain)
        return next(found, "")

    post: str = await until(look)
    return post


async def writes(talk: Talk, text: str, source: str = ANNA, to: str = "") -> None:
    """A person answers from a phone."""
    part = Inbound(source=source, destination=to, data=text.encode(), coding="utf-8")
    await talk.running.parts.reception.inbound("sandbox", part)


async def test_p76_a_stranger_is_refused_and_not_answered_for_ever(tmp_path: Path) -> None:
    async with a_talk(config(tmp_path)) as talk:
        for _ in range(10):
            await talk.types("7", f"{ANNA} Hello")
        assert await texts(talk) == []
        assert "not enrolled" in talk.last
        assert len(talk.chat.whispers) == 5


async def test_a_guessed_code_is_refused_and_soon_nobody_looks(tmp_path: Path) -> None:
    async with a_talk(config(tmp_path)) as talk:
        for _ in range(5):
            await talk.types("7", "enrol ABCD-EFGH-JKMN")
            assert "not valid" in talk.last
        await talk.types("7", "enrol ABCD-EFGH-JKMN")
        assert "too many tries" in talk.last.lower()


async def test_a_code_is_not_redeemed_where_others_read(tmp_path: Path) -> None:
    async with a_talk(config(tmp_path)) as talk:
        await talk.enrol("7", place=GROUP)
        assert "void now" in talk.last
        await talk.types("8", talk.code)
        assert "not valid" in talk.last


async def test_one_part_to_one_person_leaves_and_its_card_tells_of_it(tmp_path: Path) -> None:
    async with a_talk(config(tmp_path)) as talk:
        await talk.enrol("7")
        assert "Welcome, Eva" in talk.last
        await talk.types("7", f"{ANNA} Boiler 3 is cold")
        post = await shown(talk, "delivered")
        card = talk.chat.posts[post]
        assert card.place == "7"
        assert "Boiler 3 is cold" in card.view.plain
        assert ANNA not in card.view.plain
        assert await texts(talk) == ["Boiler 3 is cold"]


async def test_an_update_that_is_worked_twice_sends_once(tmp_path: Path) -> None:
    async with a_talk(config(tmp_path)) as talk:
        await talk.enrol("7")
        event = await talk.types("7", f"{ANNA} Boiler 3 is cold")
        await asyncio.gather(*(talk.handler(event) for _ in range(3)))
        await shown(talk, "delivered")
        assert await texts(talk) == ["Boiler 3 is cold"]
        assert len(talk.chat.posts) == 1


async def test_two_parts_are_shown_first_and_sent_once(tmp_path: Path) -> None:
    async with a_talk(config(tmp_path)) as talk:
        await talk.enrol("7")
        await talk.types("7", f"{ANNA} {LONG}")
        view = talk.chat.whispers[-1][1]
        assert "Not sent yet" in view.plain
        assert "2 parts" in view.plain
        assert "(CZ)" in view.plain
        assert await texts(talk) == []
        await asyncio.gather(*(talk.presses("7", "Send", view) for _ in range(3)))
        assert await texts(talk) == [LONG.rstrip()]
        said = [v.plain for v in talk.chat.revised]
        assert said.count("Sent.") == 1
        await talk.presses("7", "Send", view)
        assert "nothing is sent twice" in talk.last
        assert "again" not in talk.last
        assert await talk.running.rows(Statement(select(draft.c.payload))) == [("",)]


async def test_a_cancelled_draft_stays_unsent(tmp_path: Path) -> None:
    async with a_talk(config(tmp_path, 'preview = "always"')) as talk:
        await talk.enrol("7")
        await talk.types("7", f"{ANNA} Hello")
        view = talk.chat.whispers[-1][1]
        await talk.presses("7", "Cancel", view)
        await talk.presses("7", "Send", view)
        assert "was cancelled; nothing was sent" in talk.last
        assert await texts(talk) == []


async def test_somebody_elses_draft_is_not_sent(tmp_path: Path) -> None:
    async with a_talk(config(tmp_path, 'preview = "always"')) as talk:
        await talk.enrol("7")
        await talk.enrol("8", name="Jan")
        await talk.types("7", f"{ANNA} Hello")
        view = talk.chat.whispers[-1][1]
        for label in ("Send", "Edit", "Cancel"):
            await talk.presses("8", label, view)
            assert "somebody else" in talk.last
        assert await texts(talk) == []


async def test_p77_many_recipients_need_a_second_person(tmp_path: Path) -> None:
    to = ", ".join(f"+42060112345{n}" for n in range(3))
    async with a_talk(config(tmp_path, "second_person_above = 2")) as talk:
        await talk.enrol("7")
        await talk.enrol("8", "tenant-owner", "Jan")
        await talk.types("7", f"{to} Hello", GROUP)
        assert "numbers are not written" in talk.last.lower()
        await talk.types("7", f"{to} Hello")
        view = talk.chat.whispers[-1][1]
        await talk.presses("7", "Ask", view)
        command = talk.chat.revised[-1].plain.rpartition("/sms ")[2]
        await talk.types("7", command)
        assert "role" in talk.last
        await talk.types("8", command)
        assert await texts(talk) == []
        await talk.presses("8", "Agree", talk.chat.whispers[-1][1])
        assert len(await texts(talk)) == 3
        assert await audited(talk) == ["agreed to send"]
        card = talk.chat.posts[await shown(talk, "3 people: 3 ✓✓ delivered")]
        assert card.place == "7"


async def test_an_author_does_not_agree_with_themselves(tmp_path: Path) -> None:
    async with a_talk(config(tmp_path, "second_person_above = 1")) as talk:
        await talk.enrol("7", "admin")
        await talk.types("7", f"{ANNA}, {BERIT} Hello")
        view = talk.chat.whispers[-1][1]
        assert "Send" not in {button.label for button in view.buttons}
        await talk.presses("7", "Ask", view)
        command = talk.chat.revised[-1].plain.rpartition("/sms ")[2]
        await talk.types("7", command)
        assert "second person" in talk.last
        await talk.presses("7", "Ask", view)
        assert "asked already" in talk.last
        # Nor by a second enrolment, nor after their enrolment has ended.
        await talk.enrol("7", "admin")
        await talk.types("7", command)
        assert "not enrolled any more" in talk.last
        await talk.enrol("8", "admin", "Jan")
        await talk.types("8", command)
        assert "not enrolled any more" in talk.last
        assert await texts(talk) == []


async def test_an_auditor_only_looks(tmp_path: Path) -> None:
    async with a_talk(config(tmp_path)) as talk:
        await talk.enrol("7", "auditor")
        await talk.types("7", f"{ANNA} Hello")
        assert "may not send" in talk.last
        await talk.types("7", "log")
        assert "Nothing was sent" in talk.last


async def test_an_answer_comes_below_the_card_and_is_answered(tmp_path: Path) -> None:
    async with a_talk(config(tmp_path)) as talk:
        await talk.enrol("7")
        await talk.types("7", f"{ANNA} Boiler 3 is cold")
        card = await shown(talk, "delivered")
        await writes(talk, "On my way")
        post = await shown(talk, "On my way")
        assert talk.chat.posts[post].thread == card
        await talk.does("7", Answered("Thank you", post), answers="55")
        answer = await shown(talk, "Thank you")
        assert await texts(talk) == ["Boiler 3 is cold", "Thank you"]
        assert talk.chat.posts[answer].answers == "55"


async def test_a_conversation_has_one_writer_and_the_second_is_told(tmp_path: Path) -> None:
    tenant = f'inbox = ["telegram:{GROUP}"]'
    async with a_talk(config(tmp_path, tenant)) as talk:
        await talk.enrol("7")
        await talk.enrol("8", name="Jan")
        await writes(talk, "Is anybody there?")
        post = await shown(talk, "Is anybody there?")
        topic = talk.chat.posts[post].thread
        assert talk.chat.topics[topic]
        await talk.does("7", Answered("Yes", post), GROUP)
        await shown(talk, "SMS to")
        await talk.does("8", Answered("Yes, we are", post), GROUP)
        assert "Eva has claimed this" in talk.last
        assert await texts(talk) == ["Yes"]
        view = talk.chat.posts[post].view
        await talk.presses("8", "Claim", view, GROUP)
        assert "Eva has claimed" in talk.last
        assert "Release (Eva)" in [button.label for button in talk.chat.labels[-1]]


async def test_one_topic_a_person_and_a_new_one_when_it_was_deleted(tmp_path: Path) -> None:
    tenant = f'inbox = ["telegram:{GROUP}"]'
    async with a_talk(config(tmp_path, tenant)) as talk:
        await writes(talk, "First")
        await writes(talk, "Second")
        await writes(talk, "Other", BERIT)
        threads = [talk.chat.posts[await shown(talk, w)].thread for w in ("First", "Second")]
        other = talk.chat.posts[await shown(talk, "Other")].thread
        assert threads[0] == threads[1] != other
        del talk.chat.topics[threads[0]]
        await writes(talk, "Third")
        again = talk.chat.posts[await shown(talk, "Third")].thread
        assert again not in threads
        await writes(talk, "Fourth")
        assert talk.chat.posts[await shown(talk, "Fourth")].thread == again


async def test_p56_a_chat_that_may_not_carry_texts_shows_a_link_that_opens_once(
    tmp_path: Path,
) -> None:
    tenant = f'show_texts_in = []\ninbox = ["telegram:{GROUP}"]'
    async with a_talk(config(tmp_path, tenant)) as talk:
        await writes(talk, "My door code is 4711")
        post = await shown(talk, "SMS from")
        assert "4711" not in talk.chat.words()
        url = next(b.url for b in talk.chat.posts[post].view.buttons if b.url)
        secret = url.rpartition("/")[2]
        assert await glimpses.opened(talk.bridge, secret) == "My door code is 4711"
        assert await glimpses.opened(talk.bridge, secret) is None
        await talk.presses("7", "New link", talk.chat.posts[post].view, GROUP)
        assert "not enrolled" in talk.last
        await talk.enrol("7", "auditor")
        await talk.presses("7", "New link", talk.chat.posts[post].view, GROUP)
        own = talk.chat.whispers[-1][1].buttons[0].url.rpartition("/")[2]
        assert await glimpses.opened(talk.bridge, own) == "My door code is 4711"
        assert await audited(talk) == ["read a reply", "took a link to a reply", "read a reply"]


async def test_what_waits_is_decided_in_the_inbox(tmp_path: Path) -> None:
    tenant = f'inbox = ["telegram:{GROUP}"]'
    async with a_talk(config(tmp_path, tenant)) as talk:
        await talk.enrol("7")
        acme = talk.bridge.register.named("acme")
        assert acme is not None
        for person, country in ((ANNA, "CZ"), (BERIT, "NO")):
            mail = Origin("mail", WRITER)
            held = Submission(acme.id, mail, person, country, "Hello", hold="sender-not-proved")
            await submit(talk.bridge, held)
        first = await shown(talk, "held")

        async def two() -> bool:
            return len(talk.chat.posts) == 2

        await until(two)
        views = [p.view for p in talk.chat.posts.values()]
        assert first
        await talk.presses("7", "Release", views[0], GROUP)
        assert await audited(talk) == ["held release"]
        await talk.presses("7", "Drop", views[1], GROUP)
        assert [v.plain for v in talk.chat.revised] == ["Released by Eva.", "Dropped by Eva."]

        async def gone() -> bool:
            return set(await talk.running.states()) == {"delivered", "cancelled"}

        await until(gone)


async def test_forms_send_and_answer(tmp_path: Path) -> None:
    async with a_talk(config(tmp_path)) as talk:
        await talk.enrol("7")
        fields = {"to": ANNA, "text": "Hello", "when": ""}
        await talk.does("7", Filled("compose", "", fields))
        await shown(talk, "delivered")
        await talk.does("7", Filled("compose", "", {**fields, "when": "24.12.2020 08:00"}))
        assert "time is over" in talk.last
        await talk.does("7", Filled("compose", "", {**fields, "to": "+42060112"}))
        assert "^" in talk.last
        assert "Hello" in talk.last, "what was typed is not lost"


async def test_a_message_that_has_not_left_is_taken_back(tmp_path: Path) -> None:
    async with a_talk(config(tmp_path)) as talk:
        await talk.enrol("7")
        await talk.types("7", f"schedule in 2h {ANNA} Later")
        await talk.presses("7", "Send", talk.chat.whispers[-1][1])
        post = await shown(talk, "scheduled")
        await talk.presses("7", "Take back", talk.chat.posts[post].view)
        assert "Taken back" in talk.last
        await shown(talk, "✗ cancelled: it was taken back")


async def test_a_suppressed_person_is_named_before_and_after(tmp_path: Path) -> None:
    async with a_talk(config(tmp_path, 'preview = "always"')) as talk:
        await talk.enrol("7")
        await writes(talk, "STOP")
        await talk.types("7", f"{ANNA} Hello")
        view = talk.chat.whispers[-1][1]
        assert "opted out" in view.plain
        await talk.presses("7", "Send", view)
        await shown(talk, "✗ not sent: this person has opted out")


async def test_another_tenants_buttons_mean_nothing(tmp_path: Path) -> None:
    async with a_talk(config(tmp_path)) as talk:
        await talk.enrol("7")
        await talk.does("7", Pressed("reply", "0000000000001", ""))
        assert "not there any more" in talk.last
        await talk.does("7", Pressed("nonsense", "x", ""))
        assert "no meaning" in talk.last
        await talk.does("7", Pressed("send", "nonsense", ""))
        assert "no meaning" in talk.last


async def test_what_was_worked_is_emptied(tmp_path: Path) -> None:
    async with a_talk(config(tmp_path)) as talk:
        await talk.enrol("7")
        await talk.types("7", f"{ANNA} Hello")
        done = Statement(select(chat_update.c.payload).where(chat_update.c.done_at.is_not(None)))
        assert await talk.running.rows(done) == [("",)]
        found = await talk.running.rows(Statement(select(message.c.id)))
        assert len(found) == 1


async def test_names_groups_and_templates(tmp_path: Path) -> None:
    async with a_talk(config(tmp_path)) as talk:
        await talk.enrol("7")
        await talk.types("7", f"contact add anna {ANNA}")
        await talk.types("7", f"group add oncall @anna, {BERIT}")
        assert "2 joined @oncall" in talk.last
        await talk.types("7", "contact list")
        assert "@anna" in talk.last
        assert ANNA not in talk.last
        await talk.types("7", "template add cold Boiler {which} is cold, {who}")
        await talk.types("7", "template send cold @anna which=3")
        assert "who" in talk.last
        await talk.types("7", "template send cold @oncall which=3 who=dear colleague")
        await talk.presses("7", "Send", talk.chat.whispers[-1][1])
        await shown(talk, "2 people: 2 ✓✓ delivered")
        assert set(await texts(talk)) == {"Boiler 3 is cold, dear colleague"}
        await talk.types("7", "@nobody Hello")
        assert "no contact or group" in talk.last
        await talk.types("7", "log 5 @anna")
        assert "✓✓ delivered" in talk.last
        await talk.types("7", "contact remove anna")
        await talk.types("7", "@anna Hello")
        assert "no contact or group" in talk.last


async def test_an_edited_draft_keeps_its_time_and_its_people(tmp_path: Path) -> None:
    async with a_talk(config(tmp_path)) as talk:
        await talk.enrol("7")
        await talk.types("7", f"schedule in 20h {ANNA}, {BERIT} Later")
        first = talk.chat.whispers[-1][1]
        await talk.presses("7", "Edit", first)
        form = talk.chat.forms[-1]
        assert form.fields == {"text": "Later"}
        await talk.does("7", Filled("edit", form.value, {"text": " "}))
        assert "no text" in talk.last
        await talk.does("7", Filled("edit", form.value, {"text": "Much later"}))
        again = talk.chat.whispers[-1][1]
        assert "Not sent yet" in again.plain
        await talk.presses("7", "Send", first)
        assert "cancelled" in talk.last
        await talk.presses("7", "Send", again)
        assert await texts(talk) == ["Much later"] * 2
        assert await talk.running.states() == ["scheduled"] * 2
        card = talk.chat.posts[await shown(talk, "2 people")]
        await talk.presses("7", "Take back", card.view)
        assert "2 of them do not leave" in talk.last


async def test_what_is_agreed_to_too_late_does_not_leave(tmp_path: Path) -> None:
    async with a_talk(config(tmp_path)) as talk:
        await talk.enrol("7")
        await talk.types("7", f"schedule in 1m {ANNA} Soon")
        before = talk.bridge.clock
        talk.bridge.clock = lambda: before() + 90
        await talk.presses("7", "Send", talk.chat.whispers[-1][1])
        assert "is over" in talk.last
        assert await texts(talk) == []


async def test_whoever_is_not_enrolled_any_more_reads_nothing(tmp_path: Path) -> None:
    """Their private chat ends with it; what people answer goes to the inbox."""
    tenant = f'inbox = ["telegram:{GROUP}"]'
    async with a_talk(config(tmp_path, tenant)) as talk:
        await talk.enrol("7")
        await talk.types("7", f"{ANNA} Hello")
        await shown(talk, "delivered")
        await talk.bridge.store.write(close_all, CloseAll("operator", talk.bridge.clock()))
        await writes(talk, "My door code is 4711")
        post = talk.chat.posts[await shown(talk, "4711")]
        assert post.place == GROUP
        await talk.types("7", "log")
        assert "not enrolled" in talk.last
        await writes(talk, "STOP")
        assert (await shown(talk, "opted out")) != ""


async def test_what_a_place_refuses_for_good_goes_to_the_inbox(tmp_path: Path) -> None:
    tenant = f'inbox = ["telegram:{GROUP}"]'
    async with a_talk(config(tmp_path, tenant)) as talk:
        await talk.enrol("7")
        await talk.types("7", f"{ANNA} Hello")
        await shown(talk, "delivered")
        talk.chat.closed.add("7")
        await writes(talk, "On my way")
        assert talk.chat.posts[await shown(talk, "On my way")].place == GROUP


async def test_what_no_inbox_takes_is_offered_to_each_of_them_once(tmp_path: Path) -> None:
    tenant = 'inbox = ["telegram:-1", "telegram:-2"]'
    kinds = Statement(select(notice.c.kind, notice.c.place).order_by(notice.c.id))
    due = Statement(select(notice.c.id).where(notice.c.done_at.is_(None)))
    async with a_talk(config(tmp_path, tenant)) as talk:
        await talk.enrol("7")
        await talk.types("7", f"{ANNA} Hello")
        await shown(talk, "delivered")
        talk.chat.closed |= {"7", "-1", "-2"}
        with structlog.testing.capture_logs() as logs:
            await writes(talk, "On my way")

            async def over() -> bool:
                return len(logs) > 0 and not await talk.running.rows(due)

            await until(over)
        assert set(await talk.running.rows(kinds)) == {
            ("answer", "7"),
            ("inbox", "-1"),
            ("inbox", "-2"),
        }
        assert len(await talk.running.rows(kinds)) == 3
        nowhere = [line for line in logs if "shown nowhere" in line["event"]]
        assert len(nowhere) == 1


async def test_a_status_tells_no_text_that_others_wrote(tmp_path: Path) -> None:
    async with a_talk(config(tmp_path, "show_texts_in = []")) as talk:
        await talk.enrol("7", "auditor")
        await talk.running.mail(f"{ANNA}@sms.example", text="Your login code is 4711")

        async def there() -> bool:
            return await talk.running.states() == ["delivered"]

        await until(there)
        await talk.types("7", "log 1")
        number = talk.last.split()[-1]
        await talk.types("7", f"status {number}")
        assert "delivered" in talk.last
        assert "4711" not in talk.last


async def test_a_card_in_a_topic_is_answered_too(tmp_path: Path) -> None:
    tenant = f'inbox = ["telegram:{GROUP}"]'
    async with a_talk(config(tmp_path, tenant)) as talk:
        await talk.enrol("7")
        await writes(talk, "Is anybody there?")
        post = await shown(talk, "Is anybody there?")
        await talk.does("7", Answered("Yes", post), GROUP)
        card = await shown(talk, "Yes")
        assert talk.chat.posts[card].thread == talk.chat.posts[post].thread
        await talk.does("7", Answered("And we are coming", card), GROUP)
        assert await texts(talk) == ["Yes", "And we are coming"]


async def test_a_claim_ends_with_its_holders_enrolment(tmp_path: Path) -> None:
    tenant = f'inbox = ["telegram:{GROUP}"]'
    async with a_talk(config(tmp_path, tenant)) as talk:
        await talk.enrol("7")
        await writes(talk, "Is anybody there?")
        view = talk.chat.posts[await shown(talk, "Is anybody there?")].view
        await talk.presses("7", "Claim", view, GROUP)
        await talk.enrol("7")
        await talk.enrol("8", name="Jan")
        await talk.presses("8", "Claim", view, GROUP)
        assert "Release (Jan)" in [button.label for button in talk.chat.labels[-1]]
