"""Events of all chats come in; whoever may is obeyed, everybody gets an answer.

Nobody is known before they redeemed a code. Nothing of what is refused here is logged but its kind.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Final
from zoneinfo import ZoneInfo

import structlog

from bridge import phone
from bridge.bots import braking, model, recipients, views, when
from bridge.bots.agreeing import Agreeing
from bridge.bots.answers import Answers
from bridge.bots.braking import Braking
from bridge.bots.chat import Answered, Chat, Event, Filled, Form, Pressed, Typed, View
from bridge.bots.chat import Line as ChatLine
from bridge.bots.commands import parse
from bridge.bots.consenting import Consenting
from bridge.bots.conversing import Conversing
from bridge.bots.enrolment import code_hash
from bridge.bots.governing import NEEDS, Governing
from bridge.bots.keeping import KEEPS, Keeping
from bridge.bots.looking import Looking
from bridge.bots.naming import Naming
from bridge.bots.patience import Patience
from bridge.bots.requesting import ACTS, Requesting
from bridge.bots.roles import Act, may
from bridge.bots.sending import Sending, Wanted
from bridge.bots.stopping import Stopping
from bridge.bots.words import Line, WrongWord
from bridge.dispatch.bridge import Bridge
from bridge.dispatch.fit import fit
from bridge.dispatch.reviewing import review_due
from bridge.dispatch.tenants import Tenant
from bridge.errors import Refused
from bridge.store import ids
from bridge.store.audit import Entry, note_activity
from bridge.store.staff import (
    PERSON,
    Person,
    Redeem,
    Redeemed,
    actor_of,
    burn,
    person_of,
    redeem,
)

log = structlog.get_logger("bridge.bots")

_WORDS: Final = {
    "send": "send",
    "reply": "answer",
    "look": "look at messages",
    "contacts": "change contacts",
    "consent": "record consents",
    "approve": "agree to what others send",
    "release": "decide on what waits",
    "stop": "opt people out",
    "unblock": "take from the blacklist",
    "unstop": "let people be written to again",
    "agree-unstop": "agree that people are written to again",
    "suspect": "report a breach",
    "govern": "keep the registers of breaches and processors",
    "access": "let people in and out",
    "halt": "stop sending, or let it go on",
    "request": "register requests of data subjects",
    "instruct": "decide for the tenant on what people ask for",
    "carry-out": "carry requests of data subjects out",
    "agree-request": "agree that somebody is erased",
    "hold": "hold what is kept",
    "retain": "change how long data is kept",
    "agree-keeping": "agree to how long data is kept",
}
_BLACKLIST: Final[Mapping[str, Act]] = {
    "add": "stop",
    "remove": "unblock",
    "list": "look",
    "check": "look",
}
Obey = Callable[[Event, Person, int], Awaitable[None]]


class Handler:
    """Obeys the people in chats."""

    def __init__(self, bridge: Bridge, chats: Mapping[str, Chat]) -> None:
        self.bridge = bridge
        self._answers = Answers(bridge, chats)
        self._chats = chats = self._answers.chats
        self._sending = Sending(bridge, chats)
        self._agreeing = Agreeing(bridge, chats, self._sending)
        self._talk = Conversing(bridge, chats, self._sending)
        self._looking = Looking(bridge)
        self._naming = Naming(bridge)
        self._consenting = Consenting(bridge)
        self._governing = Governing(bridge)
        self._braking = Braking(bridge, chats)
        self._stopping = Stopping(
            bridge, chats, self._sending, self._agreeing, self._talk, self._naming
        )
        self._requesting = Requesting(bridge, chats, self._sending, self._talk, self._naming)
        self._keeping = Keeping(bridge, chats, self._agreeing, self._naming)
        self._patience = Patience(bridge.clock)
        self._buttons: Mapping[str, tuple[Act, Obey]] = {
            "send": ("send", self._sending.decided),
            "ask": ("send", self._agreeing.ask),
            "edit": ("send", self._edit),
            "cancel": ("send", self._sending.cancelled),
            "approve": ("approve", self._agreeing.agreed),
            "refuse": ("approve", self._agreeing.disagreed),
            "compose": ("send", self._compose),
            "takeback": ("send", self._talk.take_all_back),
            "read": ("look", self._talk.read),
            "reply": ("reply", self._talk.ask),
            "claim": ("reply", self._talk.claim),
            "release": ("reply", self._talk.release),
            "optout": ("stop", self._stopping.opt_out),
            "block": ("stop", self._stopping.block),
            "nowish": ("stop", self._stopping.no_wish),
            "dsr-export": ("request", self._requesting.export),
            "dsr-erase": ("request", self._requesting.erase),
            "dsr-agree": ("agree-request", self._requesting.agreed),
            "unstop-agree": ("agree-unstop", self._stopping.agreed),
            "unstop-refuse": ("agree-unstop", self._stopping.disagreed),
            "keeping-agree": ("agree-keeping", self._keeping.agreed),
            "brake-lift": ("halt", self._braking.lift),
            "brake-confirm": ("halt", self._braking.confirm),
            "let-go": ("release", self._let_go),
            "drop": ("release", self._drop),
        }

    async def __call__(self, event: Event) -> None:
        """Do what an event asks for. Raises TryLater: it is to be worked again."""
        chat = self._chats[event.edge]
        try:
            if await self._answers.told_before(event):
                return
            try:
                await self._done(event)
            except WrongWord as error:
                await chat.whisper(event, _with_what_was_typed(event, views.wrong(error)))
            except Refused as no:
                view = views.refused(no.sentence, no.hint)
                await chat.whisper(event, _with_what_was_typed(event, view))
            await self._answers.tell(event)
        except Refused:
            log.warning("an answer cannot be shown", edge=event.edge)
        finally:
            self._answers.forget(event)

    async def _done(self, event: Event) -> None:
        person = await self._person(event)
        if person is None:
            await self._stranger(event)
            return
        if why := self.bridge.lawful.why_not(person.tenant_id, event.edge):
            raise Refused(f"this chat may not be used for {self._sending.tenant(person).name}", why)
        match event.act:
            case Typed(text):
                await self._typed(event, person, text)
            case Pressed(action, value):
                await self._pressed(event, person, action, value)
                await self._note(person, f"pressed {action}", value)
            case Answered(text, post):
                await self._answered(event, person, text, post)
                await self._note(person, "answered")
            case Filled(form, value, fields):
                await self._filled(event, person, form, value, fields)
                await self._note(person, f"filled {form}", value)

    async def _note(self, person: Person, action: str, value: str = "") -> None:
        """A line of the activity log: what was done, and to which id; never what was typed."""
        now = self.bridge.clock()
        entry = Entry(actor_of(person), action, value, now, person.tenant_id)
        await self.bridge.store.write(note_activity, entry)

    # -- who ---------------------------------------------------------------------------------

    async def _person(self, event: Event) -> Person | None:
        rows = await self.bridge.store.read(
            PERSON, edge=event.edge, team=event.team, person=event.person
        )
        person = person_of(rows[0]) if rows else None
        if person is not None and event.tenant not in (0, person.tenant_id):
            return None
        due = person.review_due if person is not None else None
        if due is not None and due <= self.bridge.clock():
            return None  # nobody has confirmed the grant (P59)
        return person

    async def _stranger(self, event: Event) -> None:
        """Whoever is not enrolled may redeem a code, and nothing else."""
        command = None
        if isinstance(event.act, Typed):
            try:
                command = parse(event.act.text)
            except WrongWord:
                command = None
        if isinstance(command, model.Enrol):
            await self._enrol(event, command.code)
            return
        log.warning("a stranger was refused", edge=event.edge)
        if self._patience(f"{event.edge}/{event.team}/{event.person}"):
            await self._chats[event.edge].whisper(event, views.stranger())

    async def _enrol(self, event: Event, code: str) -> None:
        if not event.private:
            # Whoever reads along in a Telegram group has the code now.
            await self.bridge.store.write(burn, code_hash(self.bridge.keys, code))
            raise Refused(
                "codes are redeemed in a private chat, and this one is void now",
                "ask for a new one, and write to me alone",
            )
        item = Redeem(
            self.bridge.ids.next(),
            code_hash(self.bridge.keys, code),
            event.edge,
            event.team,
            event.person,
            event.tenant,
            self.bridge.clock(),
            review_due(self.bridge.clock()),
        )
        done: Redeemed = await self.bridge.store.write(redeem, item)
        if done.person is None:
            log.warning("a code was refused", edge=event.edge, why=done.why)
            if done.why == "throttled":
                raise Refused("too many tries", "wait a quarter of an hour")
            raise Refused("this code is not valid, or not any more", "ask for a new one")
        tenant = self._sending.tenant(done.person)
        view = views.said(
            f"Welcome, {done.person.name}. You are enrolled for {tenant.name} as"
            f" {done.person.role}.",
            "Type /sms help to see what can be done.",
        )
        await self._chats[event.edge].whisper(event, view)

    def _need(self, person: Person, act: Act) -> None:
        if not may(person.role, act):
            raise Refused(f"your role ({person.role}) may not {_WORDS[act]}", "ask the operator")

    # -- commands ----------------------------------------------------------------------------

    async def _typed(self, event: Event, person: Person, text: str) -> None:
        tenant = self._sending.tenant(person)
        command = parse(text, tenant.region)
        _not_before_others(event, command)
        await self._obeyed(event, person, tenant, command)
        await self._note(person, f"/sms {type(command).__name__.lower()}")

    async def _obeyed(
        self, event: Event, person: Person, tenant: Tenant, command: model.Command
    ) -> None:
        match command:
            case model.Send() | model.SendTemplate():
                self._need(person, "send")
                await self._send(event, person, command)
            case model.Reply(words):
                self._need(person, "reply")
                thread = await self._talk.thread_here(person, event)
                await self._talk.answer(event, person, thread, words, sure=False)
            case model.Cancel(number):
                self._need(person, "send")
                await self._talk.take_back(event, person, number)
            case model.DsarOpen() | model.DsarAct() | model.DsarList() | model.Restrict():
                view = await self._requested(event, person, tenant, command)
                await self._chats[event.edge].whisper(event, view)
            case model.Approve(number) if await self._requesting.shown(event, person, number):
                pass
            case model.Approve(number) if await self._keeping.shown(event, person, number):
                pass
            case model.Approve(number):
                self._need(person, "approve")
                if not await self._stopping.shown(event, person, number):
                    await self._agreeing.shown(event, person, number)
            case model.Stop():
                self._need(person, "stop")
                await self._stopping.stop(event, person, tenant, command)
            case model.Unstop():
                self._need(person, "unstop")
                await self._stopping.unstop(event, person, tenant, command)
            case model.Blacklist(action):
                self._need(person, _BLACKLIST[action])
                await self._stopping.blacklist(event, person, tenant, command)
            case model.Enrol(code):
                await self._enrol(event, code)
            case model.Subproc(action) | model.Breach(action) | model.Access(action):
                self._need(person, NEEDS[type(command)][action])
                view = await self._governing(person, tenant, command)
                await self._chats[event.edge].whisper(event, view)
            case model.Braking(action):
                self._need(person, braking.NEEDS[action])
                view = await self._braking(person, tenant, command)
                await self._chats[event.edge].whisper(event, view)
            case (
                model.HoldAdd()
                | model.HoldRelease()
                | model.Holds()
                | model.RetentionShow()
                | model.RetentionSet()
            ):
                self._need(person, KEEPS[type(command)])
                await self._keeping(event, person, tenant, command)
            case _:
                view = await self._looked(event, person, tenant, command)
                await self._chats[event.edge].whisper(event, view)

    async def _looked(
        self, event: Event, person: Person, tenant: Tenant, command: model.Command
    ) -> View:
        match command:
            case model.Help(verb):
                return views.helped(verb)
            case model.Status(number):
                self._need(person, "look")
                texts = event.edge in tenant.show_texts_in
                return await self._looking.status(person, number, texts=texts)
            case model.Log(count, of):
                self._need(person, "look")
                numbers = await self._naming.numbers(tenant, (of,)) if of else ("",)
                return await self._looking.log(person, count, numbers[0])
            case model.Quota():
                self._need(person, "look")
                return await self._looking.quota(person, tenant)
            case model.Balance():
                self._need(person, "look")
                return await self._looking.balance(tenant)
            case model.Consent():
                return await self._consents(event, person, tenant, command)
            case model.List():
                self._need(person, "look")
            case _:
                self._need(person, "contacts")
        return await self._naming(tenant, command)

    async def _requested(
        self, event: Event, person: Person, tenant: Tenant, command: model.Command
    ) -> View:
        match command:
            case model.DsarOpen():
                self._need(person, "request")
                return await self._requesting.opened(event, person, tenant, command)
            case model.DsarAct(action):
                self._need(person, ACTS[action])
                return await self._requesting.acted(event, person, command)
            case model.Restrict():
                self._need(person, "carry-out")
                return await self._requesting.restricted(event, person, tenant, command)
            case _:
                self._need(person, "request")
                due = command.due if isinstance(command, model.DsarList) else None
                return await self._requesting.listed(person, due)

    async def _consents(
        self, event: Event, person: Person, tenant: Tenant, command: model.Consent
    ) -> View:
        self._need(person, "look" if command.action == "show" else "consent")
        number, *others = await self._naming.numbers(tenant, (command.of,))
        if others:
            raise Refused("this is a group", "consent is a person's own: name one of them")
        if command.action == "show":
            return await self._consenting.shown(tenant, number)
        change = self._consenting.added if command.action == "add" else self._consenting.withdrawn
        return await change(person, tenant, number, event.edge, command.given)

    async def _send(
        self, event: Event, person: Person, command: model.Send | model.SendTemplate
    ) -> None:
        tenant = self._sending.tenant(person)
        numbers = await self._naming.numbers(tenant, command.to)
        if isinstance(command, model.SendTemplate):
            text, moment = await self._naming.filled(tenant, command), None
        else:
            text, moment = command.text, command.when
        wanted = Wanted(numbers, text, self._times(numbers, moment), answers=event.answers)
        await self._sending.begin(event, person, wanted)

    def _times(
        self, numbers: tuple[str, ...], moment: when.When | None
    ) -> tuple[float | None, ...]:
        """When each leaves, on its recipient's clock."""
        if moment is None:
            return ()
        now = self.bridge.clock()
        times = tuple(moment.at(now, _zone(number)) for number in numbers)
        if min(times) < now:
            raise Refused("this time is over", "choose a later one")
        return times

    # -- buttons, answers, forms -------------------------------------------------------------

    async def _pressed(self, event: Event, person: Person, action: str, value: str) -> None:
        if action not in self._buttons:
            raise Refused("this button has no meaning any more", "type /sms help")
        act, obey = self._buttons[action]
        self._need(person, act)
        try:
            number = ids.read(value) if value else 0
        except ValueError:
            number = ids.LARGEST + 1
        if number > ids.LARGEST:
            raise Refused("this button has no meaning any more", "type /sms help")
        await obey(event, person, number)

    async def _let_go(self, event: Event, person: Person, number: int) -> None:
        await self._talk.decide(event, person, number, release=True)

    async def _drop(self, event: Event, person: Person, number: int) -> None:
        await self._talk.decide(event, person, number, release=False)

    async def _compose(self, event: Event, _person: Person, _number: int) -> None:
        fields = {"to": "", "text": str(event.back.get("text", "")), "when": ""}
        await self._chats[event.edge].ask(event, Form("compose", "", "New SMS", fields))

    async def _edit(self, event: Event, person: Person, number: int) -> None:
        draft = await self._sending.own(number, person)
        fields = {"text": Wanted.of(draft.payload).text}
        form = Form("edit", ids.show(number), "Change the text", fields)
        await self._chats[event.edge].ask(event, form)

    async def _answered(self, event: Event, person: Person, text: str, post: str) -> None:
        thread = await self._talk.thread_of_post(person, event, post)
        if thread is None:
            raise Refused("this is no SMS that can be answered", "answer below one, or type /sms")
        self._need(person, "reply")
        await self._talk.answer(event, person, thread, text)

    async def _filled(
        self, event: Event, person: Person, form: str, value: str, fields: Mapping[str, str]
    ) -> None:
        if form == "reply":
            self._need(person, "reply")
            thread = await self._talk.thread(person, ids.read(value))
            await self._talk.answer(event, person, thread, fields["text"])
        elif form == "edit":
            self._need(person, "send")
            await self._sending.changed(event, person, ids.read(value), fields["text"])
        elif form == "contacts":
            self._need(person, "contacts")
            data = await self._chats[event.edge].fetch(fields["file_id"])
            view = await self._naming.imported(self._sending.tenant(person), data)
            await self._chats[event.edge].whisper(event, view)
        else:
            self._need(person, "send")
            await self._composed(event, person, fields)

    async def _composed(self, event: Event, person: Person, fields: Mapping[str, str]) -> None:
        tenant = self._sending.tenant(person)
        line = Line(fields["to"], "<number or @name, …>")
        people = recipients.take(line, tenant.region)
        line.end()
        moment = None
        if fields.get("when", "").strip():
            typed = Line(fields["when"], when.FORM)
            moment = when.take(typed)
            typed.end()
        await self._send(event, person, model.Send(people, fields["text"], moment))

    # -- for what a chat shows while it is typed ---------------------------------------------

    async def counts(self, event: Event, fields: Mapping[str, str]) -> tuple[str, ...]:
        """Parts and encoding of a text that is being typed; empty for strangers."""
        person = await self._person(event)
        if person is None or not fields.get("text", "").strip():
            return ()
        try:
            found = fit(self._sending.tenant(person), fields["text"], ())
        except Refused as no:
            return (f"✗ {no.sentence}",)
        count = len(found.parts)
        parts = f"{count} part{'s' if count > 1 else ''}"
        return (f"{parts}, {views.encoding(found.encoding)}",)

    async def home(self, event: Event) -> View:
        """The page of whoever opens it."""
        person = await self._person(event)
        if person is None:
            return views.stranger()
        return await self._looking.home(person, self._sending.tenant(person))


def _with_what_was_typed(event: Event, view: View) -> View:
    """A form is closed when it is refused: its text must not be lost with it."""
    text = event.act.fields.get("text", "") if isinstance(event.act, Filled) else ""
    return View((*view.lines, ChatLine(text, "quote"))) if text else view


def _zone(number: str) -> ZoneInfo:
    return ZoneInfo(phone.zone(number))


def _not_before_others(event: Event, command: model.Command) -> None:
    """A Telegram group reads what is typed there: no whole numbers (PRIVACY P56)."""
    if event.private or event.edge != "telegram":
        return
    named: tuple[object, ...] = ()
    match command:
        case model.DsarOpen() | model.DsarAct() | model.DsarList() | model.Restrict():
            raise Refused(
                "requests are not spoken of where others read",
                "write it in our private chat, or use the buttons below their SMS",
            )
        case model.Stop() | model.Unstop() | model.Blacklist():
            raise Refused(
                "this is not typed where others read",
                "write it in our private chat, or use the buttons below their SMS",
            )
        case model.Subproc() | model.Breach() | model.Access():
            raise Refused("this is not typed where others read", "write it in our private chat")
        case model.Send(to=to) | model.SendTemplate(to=to):
            named = to
        case model.GroupAdd(members=members) | model.GroupRemove(members=members):
            named = members
        case model.Log(of=of) | model.Consent(of=of) | model.HoldAdd(of=of):
            named = (of,)
        case model.ContactAdd():
            named = (model.Number(command.e164),)
    if any(isinstance(each, model.Number) for each in named):
        raise Refused(
            "numbers are not written where others read", "write it in our private chat, or a @name"
        )
