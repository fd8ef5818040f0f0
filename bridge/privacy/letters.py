"""What people who ask for their data are told: news of a request comes in, words in theirs go out.

Pure. Letters are mails, texts are SMS; both say who decides, until when, and whom to complain to
(PRIVACY P15, P22, P33). Nothing in them tells whether we hold anything of anybody.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from bridge.dates import brief_day, brief_minute, spoken_day
from bridge.privacy.requests import rules

LANGUAGES: Final = ("en", "cs", "no")


@dataclass(frozen=True, slots=True)
class Facts:
    """What a letter may name."""

    reference: str
    kind: str
    decides: str  # the tenant's name; "": we
    operator: str
    due: float
    authority: str
    portal: str
    receipt: str = ""  # where an erasure's receipt is
    reason: str = ""
    code: str = ""
    only: bool = False  # an erasure that keeps no suppression (P29)
    number: bool = False  # it is about a phone's number
    hidden: bool = False  # nobody has proved the number: who decides is not named


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail's subject and its paragraphs."""

    subject: str
    paragraphs: tuple[str, ...]

    @property
    def text(self) -> str:
        """All of it."""
        return "\n\n".join(self.paragraphs)


_KINDS: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {
        "access": "a copy of your data",
        "portability": "your data in a form that you can take elsewhere",
        "rectify": "the correction of your data",
        "erase": "the erasure of your data",
        "restrict": "the restriction of the use of your data",
        "object": "an objection to the use of your data",
        "withdraw": "the withdrawal of your consent",
    },
    "cs": {
        "access": "kopie vašich údajů",
        "portability": "přenesení vašich údajů",
        "rectify": "oprava vašich údajů",
        "erase": "výmaz vašich údajů",
        "restrict": "omezení zpracování vašich údajů",
        "object": "námitka proti zpracování vašich údajů",
        "withdraw": "odvolání vašeho souhlasu",
    },
    "no": {
        "access": "en kopi av opplysningene om deg",
        "portability": "opplysningene om deg i et format du kan ta med deg",
        "rectify": "retting av opplysningene om deg",
        "erase": "sletting av opplysningene om deg",
        "restrict": "begrensning av bruken av opplysningene om deg",
        "object": "en protest mot bruken av opplysningene om deg",
        "withdraw": "tilbaketrekking av samtykket ditt",
    },
}

#: By language: the subject, then by news its paragraphs.
_SUBJECT: Final = {
    "en": "Your request about your data, {reference}",
    "cs": "Vaše žádost o vaše údaje, {reference}",
    "no": "Forespørselen din om dine opplysninger, {reference}",
}
_NEWS: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "en": {
        "acknowledged": (
            "We have registered your request for {asked}. Its reference is {reference}.",
            "{who}",
            "You get an answer by {due}.",
            "{proof}",
        ),
        "undetermined": (
            "We have registered your letter as a question about your data. Its reference is"
            " {reference}. A person reads it.",
            "{who}",
            "You get an answer by {due}.",
        ),
        "code": (
            "Your code is {code}. It is good for {minutes} minutes.",
            "Answer this mail with the code. If you have not asked for anything, do nothing.",
        ),
        "extended": (
            "Your request for {asked} takes longer. You get an answer by {due}.",
            "Why: {reason}",
        ),
        "refused": ("Your request for {asked} was refused.", "Why: {reason}"),
        "rejected": (
            "We could not establish that your request for {asked} comes from the person whom it"
            " is about, so nothing was done.",
        ),
        "held": (
            "Your request for {asked} has to wait: the data must be kept for now, and is not used.",
            "Why: {reason}",
        ),
        "withdrawn": ("Your request for {asked} has ended, as was asked for.",),
        "done": ("Your request for {asked} has been fulfilled.", "{more}"),
    },
    "cs": {
        "acknowledged": (
            "Zaevidovali jsme vaši žádost: {asked}. Její číslo je {reference}.",
            "{who}",
            "Odpověď dostanete do {due}.",
            "{proof}",
        ),
        "undetermined": (
            "Zaevidovali jsme váš dopis jako dotaz na vaše údaje. Jeho číslo je {reference}."
            " Přečte si ho člověk.",
            "{who}",
            "Odpověď dostanete do {due}.",
        ),
        "code": (
            "Váš kód je {code}. Platí {minutes} minut.",
            "Odpovězte na tento e-mail a kód napište. Pokud jste o nic nežádali, nedělejte nic.",
        ),
        "extended": (
            "Vyřízení vaší žádosti ({asked}) potrvá déle. Odpověď dostanete do {due}.",
            "Důvod: {reason}",
        ),
        "refused": ("Vaše žádost ({asked}) byla zamítnuta.", "Důvod: {reason}"),
        "rejected": (
            "Nepodařilo se ověřit, že žádost ({asked}) pochází od osoby, které se týká, proto"
            " jsme nic neprovedli.",
        ),
        "held": (
            "Vaše žádost ({asked}) musí počkat: údaje je třeba zatím uchovat a nepoužívají se.",
            "Důvod: {reason}",
        ),
        "withdrawn": ("Vaše žádost ({asked}) byla na přání ukončena.",),
        "done": ("Vaše žádost ({asked}) byla vyřízena.", "{more}"),
    },
    "no": {
        "acknowledged": (
            "Vi har registrert forespørselen din om {asked}. Referansen er {reference}.",
            "{who}",
            "Du får svar innen {due}.",
            "{proof}",
        ),
        "undetermined": (
            "Vi har registrert brevet ditt som et spørsmål om opplysningene dine. Referansen er"
            " {reference}. Et menneske leser det.",
            "{who}",
            "Du får svar innen {due}.",
        ),
        "code": (
            "Koden din er {code}. Den gjelder i {minutes} minutter.",
            "Svar på denne e-posten med koden. Har du ikke bedt om noe, trenger du ikke gjøre noe.",
        ),
        "extended": (
            "Forespørselen din om {asked} tar lengre tid. Du får svar innen {due}.",
            "Grunn: {reason}",
        ),
        "refused": ("Forespørselen din om {asked} ble avslått.", "Grunn: {reason}"),
        "rejected": (
            "Vi kunne ikke fastslå at forespørselen om {asked} kommer fra den det gjelder, så"
            " ingenting ble gjort.",
        ),
        "held": (
            "Forespørselen din om {asked} må vente: opplysningene må oppbevares inntil videre og"
            " brukes ikke.",
            "Grunn: {reason}",
        ),
        "withdrawn": ("Forespørselen din om {asked} er avsluttet etter ønske.",),
        "done": ("Forespørselen din om {asked} er oppfylt.", "{more}"),
    },
}
_WHO: Final = {
    "en": (
        "{operator} carries messages for {decides}, who decides on it and has been told.",
        "{operator} decides on it.",
        "{operator} carries messages for others. Whoever had messages sent to the number decides,"
        " and hears of it; you see who, once you have proved the number.",
    ),
    "cs": (
        "O žádosti rozhoduje {decides}, pro koho {operator} doručuje zprávy, a už o ní ví.",
        "O žádosti rozhoduje {operator}.",
        "{operator} doručuje zprávy pro jiné. O žádosti rozhoduje ten, kdo na číslo zprávy posílal,"
        " a dozví se o ní; kdo to je, uvidíte, až prokážete, že číslo je vaše.",
    ),
    "no": (
        "{operator} formidler meldinger for {decides}, som avgjør den og har fått beskjed.",
        "{operator} avgjør den.",
        "{operator} formidler meldinger for andre. Den som har sendt meldinger til nummeret avgjør"
        " og får beskjed; hvem det er, ser du når du har vist at nummeret er ditt.",
    ),
}
_PROOF: Final = {
    "en": (
        "Before anything is shown or changed, you must show that the number is yours: sign in at"
        " {portal} with a code that we send to it, and confirm the request there.",
        "Before anything is shown or changed, you must show that this address is yours: we send a"
        " code to it, and you answer with the code.",
    ),
    "cs": (
        "Než cokoli ukážeme nebo změníme, musíte prokázat, že číslo je vaše: přihlaste se na"
        " {portal} kódem, který na ně pošleme, a žádost tam potvrďte.",
        "Než cokoli ukážeme nebo změníme, musíte prokázat, že tato adresa je vaše: pošleme vám na"
        " ni kód a vy nám s ním odpovíte.",
    ),
    "no": (
        "Før noe vises eller endres, må du vise at nummeret er ditt: logg inn på {portal} med en"
        " kode som vi sender til det, og bekreft forespørselen der.",
        "Før noe vises eller endres, må du vise at denne adressen er din: vi sender en kode hit,"
        " og du svarer med koden.",
    ),
}
_DONE: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {
        "export": "The file is ready for you at {portal}, for you alone.",
        "address": "The file is ready for you alone. Answer this mail: we agree on how you get it.",
        "erase": "No more messages will be sent to you. The signed receipt: {receipt}",
        "only": "Because nothing of you is kept, messages may be sent to you again if somebody"
        " enters your number anew. The signed receipt: {receipt}",
        "rectify": "The data has been corrected, also in messages that wait.",
        "told": "The data has been corrected, also in messages that wait. The old data had gone to"
        " these, who hear of it from us: {reason}.",
        "": "You can follow it at {portal}.",
        "nothing": "",
    },
    "cs": {
        "export": "Soubor je pro vás, a jen pro vás, připraven na {portal}.",
        "address": "Soubor je připraven jen pro vás. Odpovězte na tento e-mail a domluvíme se, jak"
        " ho dostanete.",
        "erase": "Žádné další zprávy vám nepošleme. Podepsané potvrzení: {receipt}",
        "only": "Protože o vás nic neuchováváme, zprávy vám mohou znovu přijít, pokud někdo vaše"
        " číslo zadá znovu. Podepsané potvrzení: {receipt}",
        "rectify": "Údaje jsme opravili, i ve zprávách, které čekají.",
        "told": "Údaje jsme opravili, i ve zprávách, které čekají. Původní údaje dříve dostali tito"
        " příjemci, kterým opravu oznamujeme: {reason}.",
        "": "Průběh najdete na {portal}.",
        "nothing": "",
    },
    "no": {
        "export": "Filen er klar for deg, og bare deg, på {portal}.",
        "address": "Filen er klar for deg alene. Svar på denne e-posten, så blir vi enige om"
        " hvordan du får den.",
        "erase": "Du får ingen flere meldinger. Den signerte kvitteringen: {receipt}",
        "only": "Fordi ingenting om deg oppbevares, kan du få meldinger igjen hvis noen legger inn"
        " nummeret ditt på nytt. Den signerte kvitteringen: {receipt}",
        "rectify": "Opplysningene er rettet, også i meldinger som venter.",
        "told": "Opplysningene er rettet, også i meldinger som venter. De gamle opplysningene hadde"
        " gått til disse, som får beskjed fra oss: {reason}.",
        "": "Du kan følge den på {portal}.",
        "nothing": "",
    },
}
_REMEDY: Final = {
    "en": "If you disagree, you may go to court, and complain to the supervisory authority:"
    " {authority}",
    "cs": "Pokud nesouhlasíte, můžete se obrátit na soud a podat stížnost u dozorového úřadu:"
    " {authority}",
    "no": "Er du uenig, kan du gå til domstolene og klage til tilsynsmyndigheten: {authority}",
}
#: News that end a request, or refuse something: they name the remedy (Art. 12(4); P33).
_NAMES_REMEDY: Final = frozenset(
    {"acknowledged", "undetermined", "extended", "refused", "rejected", "held", "withdrawn", "done"}
)
LETTERS: Final = frozenset(_NEWS["en"])


def language(wanted: str) -> str:
    """One of ours; English where theirs is none."""
    return wanted if wanted in LANGUAGES else {"nb": "no", "nn": "no"}.get(wanted, "en")


def of_country(country: str) -> str:
    """The language in which a number of this country is answered."""
    return {"CZ": "cs", "SK": "cs", "NO": "no"}.get(country, "en")


def letter(news: str, lang: str, facts: Facts) -> Letter:
    """The mail that tells `news` (one of `LETTERS`)."""
    spoken = language(lang)
    blanks = _blanks(spoken, facts)
    paragraphs = [line.format(**blanks) for line in _NEWS[spoken][news]]
    if news in _NAMES_REMEDY:
        paragraphs.append(_REMEDY[spoken].format(authority=facts.authority))
    subject = _SUBJECT[spoken].format(reference=facts.reference)
    return Letter(subject, tuple(p for p in paragraphs if p))


def _blanks(spoken: str, facts: Facts) -> dict[str, str]:
    plain = {
        "reference": facts.reference,
        "asked": _KINDS[spoken].get(facts.kind, facts.kind),
        "due": spoken_day(facts.due, spoken),
        "day": brief_day(facts.due, spoken),
        "moment": brief_minute(facts.due, spoken),
        "portal": facts.portal,
        "receipt": facts.receipt,
        "reason": facts.reason,
        "code": facts.code,
        "minutes": str(round(rules().code_seconds / 60)),
    }
    who = _WHO[spoken][2 if facts.hidden else 0 if facts.decides else 1]
    done = _DONE[spoken][_done(facts)]
    return {
        **plain,
        "who": who.format(operator=facts.operator, decides=facts.decides),
        "proof": _PROOF[spoken][0 if facts.number else 1].format(**plain),
        "more": done.format(**plain),
    }


def _done(facts: Facts) -> str:
    if facts.kind in ("access", "portability"):
        return "export" if facts.number else "address"
    if facts.kind == "erase":
        return "only" if facts.only else "erase"
    if facts.kind == "rectify":
        return "told" if facts.reason else facts.kind
    return "" if facts.number else "nothing"


# SMS: they fit one part in GSM-7 where the names in them do.

_TEXTS: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {
        "code": "{code} confirms your request about your data: answer with it within {minutes}"
        " minutes. Not you? Do nothing. {portal}",
        "release": "A copy of your data was asked for; it is released on {moment}. Not you?"
        " Answer NO.",
        "opened": "Your request {reference} is registered, answer by {day}. See {portal}",
        "portal": "Your data and your rights: {portal}",
        "cancelled": "The copy of your data will not be released.",
    },
    "cs": {
        "code": "{code} potvrdi vasi zadost o udaje: odpovezte timto kodem do {minutes} minut."
        " Nejste to vy? Nedelejte nic. {portal}",
        "release": "Nekdo zada o kopii vasich udaju, vydame ji {moment}. Nejste to vy?"
        " Odpovezte NE.",
        "opened": "Vasi zadost {reference} mame, odpovime do {day}. Viz {portal}",
        "portal": "Vase udaje a vase prava: {portal}",
        "cancelled": "Kopie vasich udaju nebude vydana.",
    },
    "no": {
        "code": "{code} bekrefter forespørselen om dine opplysninger: svar med koden innen"
        " {minutes} minutter. Ikke deg? Ikke gjør noe. {portal}",
        "release": "En kopi av dine opplysninger er bestilt og utleveres {moment}. Ikke deg?"
        " Svar NEI.",
        "opened": "Forespørselen {reference} er registrert, svar innen {day}. Se {portal}",
        "portal": "Dine opplysninger og rettigheter: {portal}",
        "cancelled": "Kopien av dine opplysninger blir ikke utlevert.",
    },
}


def sms(news: str, lang: str, facts: Facts) -> str:
    """The text that tells `news`."""
    spoken = language(lang)
    return _TEXTS[spoken][news].format(**_blanks(spoken, facts))
