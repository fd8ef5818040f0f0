"""Octets in any charset, rightly and wrongly labelled, and the text a person meant."""

import pytest

from bridge.smtp.charset import codec_of, decode

CZECH = "Přijedu v šest hodin, dveře č. 4 jsou otevřené a čerpadlo už běží."
TEXTS = {
    "windows-1250": CZECH,
    "iso-8859-2": "Dveře č. 4 jsou otevřené, žluťoučký kůň",
    "iso-8859-1": "Die Tür ist geöffnet, größer als heute",
    "iso-8859-15": "Prix 5 €, l’été à Nîmes".replace("’", "'"),
    "windows-1252": "Prix 5 € – l’été à Nîmes",
    "windows-1251": "Дверь открыта, насос работает",
    "koi8-r": "Дверь открыта, насос работает",
    "koi8-u": "Двері відчинені, її ключ тут",
    "iso-8859-5": "Дверь открыта",
    "iso-8859-7": "Η πόρτα είναι ανοιχτή",
    "windows-1253": "Η πόρτα είναι ανοιχτή",
    "iso-8859-9": "İşıklar söndü, ığdır yolu kapalı.",
    "windows-1254": "Işıklar söndü, ığdır yolu kapalı.",
    "iso-8859-8-i": "הדלת פתוחה",
    "windows-1255": "הדלת פתוחה",
    "windows-1256": "الباب مفتوح",
    "iso-8859-4": "Durvis ir vaļā",
    "windows-1257": "Durvis ir atvērtas, ūdens līmenis",
    "iso-8859-13": "Durvis ir atvērtas",
    "iso-8859-10": "Dørin er opin",
    "iso-8859-16": "Ușa este deschisă",
    "windows-1258": "Cua mo",
    "tis-620": "ประตูเปิด",
    "cp852": "Dveře jsou otevřené",
    "cp850": "Die Tür ist geöffnet",
    "cp437": "Die Tür",
    "macintosh": "Die Tür ist geöffnet",
    "x-mac-ce": "Dveře jsou otevřené",
    "utf-7": "Dveře č. 4 jsou otevřené",
    "unicode-1-1-utf-7": "Dveře č. 4",
    "utf-8": "Dveře č. 4 👍",
    "utf-16": "Dveře č. 4 👍",
    "utf-16le": "Dveře č. 4",
    "utf-16be": "Dveře č. 4",
    "utf-32": "Dveře č. 4",
    "iso-2022-jp": "明日の会議は10時です。",
    "shift_jis": "明日の会議は10時です。",
    "euc-jp": "明日の会議は10時です。",
    "gb2312": "会议在十点",
    "gbk": "会議在十点",
    "gb18030": "会议在十点",
    "hz-gb-2312": "会议在十点",
    "big5": "會議在十點",
    "euc-kr": "회의는 10시입니다",
    "ks_c_5601-1987": "회의는 10시입니다",
    "iso-2022-kr": "회의는 10시입니다",
}
PYTHON = {
    "iso-8859-8-i": "iso-8859-8", "macintosh": "mac-roman", "x-mac-ce": "mac-latin2", "ks_c_5601-1987": "cp949",
    "hz-gb-2312": "hz", "unicode-1-1-utf-7": "utf-7", "windows-874": "cp874",
}  # fmt: skip


@pytest.mark.parametrize("label", TEXTS)
def test_a_right_label_is_believed(label: str) -> None:
    octets = TEXTS[label].encode(PYTHON.get(label, label))
    for spelling in (label, label.upper(), f'"{label}"', f" {label}"):
        assert decode(octets, spelling).text.lstrip("\ufeff") == TEXTS[label]


@pytest.mark.parametrize(
    ("octets", "label", "text"),
    [
        (CZECH.encode(), "us-ascii", CZECH),
        (CZECH.encode(), "iso-8859-1", CZECH),
        (CZECH.encode(), "iso-8859-2", CZECH),
        (CZECH.encode(), "windows-1250", CZECH),
        (CZECH.encode(), "", CZECH),
        (CZECH.encode(), "x-unknown", CZECH),
        (CZECH.encode("cp1250"), "us-ascii", CZECH),
        (CZECH.encode("cp1250"), "iso-8859-1", CZECH),
        (CZECH.encode("cp1250"), "windows-1252", CZECH),
        (CZECH.encode("cp1250"), "iso-8859-2", CZECH),
        (CZECH.encode("cp1250"), "utf-8", CZECH),
        (CZECH.encode("cp1250"), "", CZECH),
        (CZECH.encode("cp1250"), "unknown-8bit", CZECH),
        (CZECH.encode("iso-8859-2"), "", CZECH),
        (CZECH.encode("iso-8859-2"), "us-ascii", CZECH),
        (CZECH.encode("iso-8859-2"), "iso-8859-1", CZECH),
        ("Dveře č. 4 jsou otevřené".encode("cp1250"), "iso-8859-1", "Dveře č. 4 jsou otevřené"),
        ("Príďte zajtra, kľúč je vo dverách".encode("cp1250"), "us-ascii", "Príďte zajtra, kľúč je vo dverách"),
        ("Drzwi są otwarte, proszę przyjść".encode("cp1250"), "iso-8859-1", "Drzwi są otwarte, proszę przyjść"),
        ("Drzwi są otwarte, proszę przyjść".encode("iso-8859-2"), "", "Drzwi są otwarte, proszę przyjść"),
        ("Az ajtó nyitva van, jövő kedden zárják".encode("cp1250"), "", "Az ajtó nyitva van, jövő kedden zárják"),
        ("Die Tür ist geöffnet, heißes Öl".encode("latin-1"), "", "Die Tür ist geöffnet, heißes Öl"),
        ("Die Tür ist geöffnet".encode("latin-1"), "utf-8", "Die Tür ist geöffnet"),
        ("Die Tür ist geöffnet".encode("latin-1"), "us-ascii", "Die Tür ist geöffnet"),
        ("La porte est fermée à clé, ça va".encode("latin-1"), "", "La porte est fermée à clé, ça va"),
        ("La válvula está cerrada, mañana".encode("latin-1"), "x-unknown", "La válvula está cerrada, mañana"),
        ("A válvula não está fechada, amanhã".encode("latin-1"), "", "A válvula não está fechada, amanhã"),
        ("La valvola è chiusa, perché così".encode("latin-1"), "", "La valvola è chiusa, perché così"),
        ("Døren er åpen på østsiden".encode("latin-1"), "", "Døren er åpen på østsiden"),
        ("Dörren är öppen på östra sidan".encode("latin-1"), "us-ascii", "Dörren är öppen på östra sidan"),
        ("Ovi on auki, älä tule ylös".encode("latin-1"), "", "Ovi on auki, älä tule ylös"),
        ("“Open” – 5 €".encode("cp1252"), "iso-8859-1", "“Open” – 5 €"),
        ("“Open” – 5 €".encode("cp1252"), "us-ascii", "“Open” – 5 €"),
        ("Дверь открыта, насос работает".encode("cp1251"), "", "Дверь открыта, насос работает"),
        ("Дверь открыта, насос работает".encode("koi8-r"), "", "Дверь открыта, насос работает"),
        ("Дверь открыта, насос работает".encode("cp1251"), "iso-8859-1", "Дверь открыта, насос работает"),
        ("明日の会議は10時です。".encode("iso-2022-jp"), "us-ascii", "明日の会議は10時です。"),
        ("明日の会議は10時です。".encode(), "iso-2022-jp", "明日の会議は10時です。"),
        ("会议在十点".encode(), "gb2312", "会议在十点"),
        ("Dveře č. 4".encode("utf-16-le"), "us-ascii", "Dveře č. 4"),
        ("Teď ".encode() + "ř".encode("cp1252", "ignore") + b"\x96 konec".replace(b"\x96", b"\x96"), "utf-8", "Teď – konec"),
        (b"abc", "utf-16", "abc"),
        # A foreign name in a western text is no reason to take all of it for Greek.
        ("Die Schlüssel für Fußböden hat Eva Malá".encode("latin-1"), "iso-8859-1", "Die Schlüssel für Fußböden hat Eva Malá"),
        ("Bitte prüfen: 20 °C, 3 m²".encode("latin-1"), "", "Bitte prüfen: 20 °C, 3 m²"),
        ("Závora č. 2".encode("cp1250"), "", "Závora č. 2"),
        ("Závora č. 2".encode("cp1250"), "iso-8859-1", "Závora č. 2"),
        ("čaj a čerpadlo".encode("cp1250"), "iso-8859-1", "čaj a čerpadlo"),
        ("Gdańsk".encode("cp1250"), "", "Gdańsk"),
        # Signs beside numbers and words say nothing against the label.
        ("£5".encode("latin-1"), "iso-8859-1", "£5"),
        ("± 3 mm".encode("latin-1"), "iso-8859-1", "± 3 mm"),
        ("5 µm".encode("latin-1"), "iso-8859-1", "5 µm"),
        ("© 2026".encode("latin-1"), "windows-1252", "© 2026"),
        ("¿Qué?".encode("latin-1"), "iso-8859-1", "¿Qué?"),
        ("¡Ya!".encode("latin-1"), "iso-8859-1", "¡Ya!"),
        ("1ª planta".encode("latin-1"), "iso-8859-1", "1ª planta"),
        # Put into UTF-8 twice.
        ("Žluté dveře".encode().decode("latin-1").encode(), "utf-8", "Žluté dveře"),
        ("5 € – größer".encode().decode("cp1252").encode(), "utf-8", "5 € – größer"),
        ("«LÃ» é".encode(), "utf-8", "«LÃ» é"),
        # UTF-7 may hold half a character, which no output can.
        (b"a +34A- b", "utf-7", "a +34A- b"),
    ],
)  # fmt: skip
def test_a_wrong_label_is_seen_through(octets: bytes, label: str, text: str) -> None:
    assert decode(octets, label).text == text


def test_codecs_that_are_no_charsets_are_refused() -> None:
    for label in ("zlib", "hex", "base64", "rot13", "idna", "punycode", "unicode_escape", "x" * 99):
        assert codec_of(label) == ""
