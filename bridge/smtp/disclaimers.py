"""A paragraph comes in; the language in which it is a disclaimer, "" for none, goes out.

A disclaimer is not one sentence but a mixture of motifs; what counts is how many it has.
"""

import re

# Motifs: what it is, how secret, for whom, got in error, what you must (not) do.
DISCLAIMER_MOTIFS: dict[str, tuple[str, str, str, str, str]] = {
    "en": (
        r"(?:this|the) (?:e-?mail|message|communication|transmission)|disclaimer"
        r"|confidentiality notice|the contents? (?:of|in) this"
        r"|the information (?:in|cont|transmitted)",
        r"confidential|privileged|proprietary",
        r"intended (?:only|solely|recipient|for)|addressee|(?:individual|person) or entity",
        r"in error|by mistake|not the (?:intended|named)|received this",
        r"notify the sender|delet|destroy|prohibited|unauthori[sz]ed|disseminat|liab|strictly",
    ),
    "cs": (
        r"(?:tato|tuto|této) (?:e-?mailov\w+ )?(?:zpráv|komunikac|korespondenc)\w+"
        r"|(?:tento|tohoto) e-?mail\w*|prohlášení|obsah (?:této|tohoto)|upozornění",
        r"důvěrn\w+|obchodní\w* tajemství|chráněn\w+",
        r"určen\w* (?:pouze|výhradně|jen|výlučně)|adresát\w*|zamýšlen\w+ příjemc\w+",
        r"omylem|není (?:návrh|nabídk)\w+|nepředstavuje|nejste[- ]?li|pokud nejste|jestliže nejste"
        r"|nedopatřením",
        r"informujte|vymaž|smaž|odstraňte|zakázán\w*|neoprávněn\w+|návrh\w* na uzavření"
        r"|nezakládá|nabíd\w+|závazn\w+|neodpovídá",
    ),
    "sk": (
        r"(?:táto|túto|tejto) (?:e-?mailov\w+ )?správ\w+|(?:tento|tohto) e-?mail\w*|obsah tejto"
        r"|upozornenie",
        r"dôvern\w+|obchodné\w* tajomstv\w+|chránen\w+",
        r"určen\w* (?:len|iba|výhradne|výlučne)|adresát\w*|príjemc\w+",
        r"omylom|ak nie ste|nedopatrením",
        r"informujte|vymaž|zmaž|odstráňte|zakázan\w*|neoprávnen\w+|návrh\w* na uzavretie|záväzn\w+",
    ),
    "no": (
        r"denne (?:e-?posten|meldingen|mailen|e-?post)|innholdet i denne",
        r"konfidensiel\w*|fortrolig\w*|taushetsplikt\w*|taushetsbelagt\w*",
        r"(?:kun|bare|utelukkende) (?:\w+ )?(?:ment|beregnet|for)|adressat\w*|mottaker\w*",
        r"ved en feil|ved feil|feilaktig|ikke er (?:rett|riktig)",
        r"slett\w*|varsle|gi beskjed|forbudt|ulovlig|ikke tillatt|underrett",
    ),
    "sv": (
        r"(?:detta|denna) (?:e-?post\w*|meddelande\w*|mejl\w*|mail\w*)|innehållet i det",
        r"konfidentiel\w*|sekretess\w*|förtrolig\w*",
        r"(?:endast|enbart|uteslutande) (?:avsett|avsedd|för)|avsedd\w* (?:mottagare|adressat)"
        r"|adressat\w*|mottagare\w*",
        r"av misstag|felaktigt|fått detta|inte är (?:rätt|avsedd)",
        r"radera\w*|meddela avsändaren|förbjud\w*|otillåt\w*|underrätta|förstör|kontakta avs",
    ),
    "da": (
        r"denne (?:e-?mail|mail|meddelelse|besked)|indholdet i denne",
        r"fortrolig\w*|konfidentiel\w*",
        r"(?:kun|udelukkende) (?:\w+ )?(?:beregnet|tiltænkt|bestemt|til)|adressat\w*|modtager\w*",
        r"ved en fejl|fejlagtigt|ikke er (?:den )?(?:rette|tiltænkte)",
        r"slet\w*|underret|giv(?:e)? besked|forbudt|ikke tilladt|kontakt afsender",
    ),
    "de": (
        r"(?:diese|dieser|die in dieser) (?:e-?mail|nachricht|mail|mitteilung)|haftungsausschluss"
        r"|der inhalt dieser|vertraulichkeitshinweis",
        r"vertraulich\w*|rechtlich geschützt\w*",
        r"(?:ausschließlich|nur|allein) (?:für|zur)|adressat\w*|(?:richtige|bestimmungs)\w* \w*empf"
        r"|empfänger\w*",
        r"irrtümlich|versehentlich|nicht der richtige|nicht der|fehlgeleitet",
        r"vernicht\w*|lösch\w*|informieren sie|benachrichtig\w*|nicht gestattet|unbefugt\w*"
        r"|untersagt|haft\w+",
    ),
    "fr": (
        r"(?:ce|cet|le présent) (?:message|e-?mail|courriel|courrier)|avertissement"
        r"|le contenu de ce",
        r"confidentiel\w*|secret professionnel|privilégié\w*",
        r"(?:exclusif|exclusivement|uniquement|seule?)\b.{0,40}(?:destinataire|attention|intention)"
        r"|destinataire\w*|destinés? ",
        r"par erreur|n'êtes pas|n’êtes pas",
        r"détrui\w*|supprim\w*|avert\w*|aviser|interdit\w*|informer|prévenir|non autorisée?",
    ),
    "es": (
        r"(?:este|el presente) (?:mensaje|correo|e-?mail)|la información contenida|aviso legal",
        r"confidencial\w*|secreto profesional|privilegiad\w*",
        r"destinatari\w*|exclusiv\w*|dirigid\w* (?:únicamente|exclusivamente|a)",
        r"por error|no es (?:usted )?el destinatario|no fuera",
        r"elimin\w*|borr\w*|destru\w*|notif\w*|comuni\w*|prohibid\w*|no autorizad\w*",
    ),
    "it": (
        r"(?:questo|il presente|presente) (?:messaggio|e-?mail|comunicazione)|le informazioni cont"
        r"|avvertenza",
        r"confidenzial\w*|riservat\w*|privilegiat\w*",
        r"destinatari\w*|esclusiv\w*|ad uso",
        r"per errore|diffusione.{0,20}copia|non (?:siete|siate|è|foste)|erroneamente",
        r"cancell\w*|elimin\w*|distru\w*|vietat\w*|avvis\w*|inform\w+|non autorizzat\w*",
    ),
    "nl": (
        r"(?:dit|deze|de inhoud van d\w+) (?:e-?mail\w*|bericht|mail)|disclaimer|de informatie in",
        r"vertrouwelijk\w*|confidentieel",
        r"(?:uitsluitend|alleen|slechts) (?:bestemd|bedoeld|voor)|geadresseerde\w*|bestemd voor",
        r"ten onrechte|per abuis|per vergissing|niet de (?:beoogde|geadresseerde)|abusievelijk"
        r"|niet voor u",
        r"verwijder\w*|vernietig\w*|verboden|niet toegestaan|informeren|aansprakelijk\w*|te melden"
        r"|laat (?:het )?(?:dat )?(?:ons )?weten",
    ),
    "pl": (
        r"(?:ta|niniejsz\w+|tej) (?:wiadomoś\w+|e-?mail|korespondencj\w+)|treść (?:tej|niniejszej)"
        r"|informacje zawarte",
        r"poufn\w+|tajemnic\w+|zastrzeżon\w+",
        r"(?:wyłącznie|jedynie|tylko) (?:do|dla)|adresat\w*|przeznaczon\w*|odbiorc\w*",
        r"omyłkow\w*|przez pomyłkę|błędnie|nie (?:są|jest)\w* (?:państwo|adresat\w*|zamierzon\w*)"
        r"|pomyłk\w+",
        r"usun\w*|usunąć|zniszcz\w*|powiadom\w*|poinform\w*|zabronion\w*|zakazan\w*|niedozwolon\w*",
    ),
    "pt": (
        r"(?:esta|este|a presente) (?:mensagem|e-?mail|correio|comunicação)|aviso legal"
        r"|as? informaç\w+ contid",
        r"confidencia\w*|sigilos\w*|privilegiad\w*|sigilo",
        r"destinatári\w*|exclusiv\w*|dirigid\w*|destina-se|destinad\w*",
        r"por engano|por erro|não (?:é|for|seja) o|indevidamente",
        r"elimin\w*|apag\w*|destru\w*|exclu[ai]\w*|proibid\w*|inform\w+ o|notifi\w*|avis\w+"
        r"|não autorizad\w*|comuni\w*",
    ),
    "fi": (
        r"tämä (?:\w+)?(?:viesti|sähköposti)\w*|tämän (?:viestin|sähköpostin)|viestin sisältö",
        r"luottamukselli\w*|salassa pidet\w*",
        r"vain (?:\w+ )?(?:vastaanotta\w*|tarkoitet\w*)|tarkoitettu|vastaanottaja\w*",
        r"vahingossa|erehdyksessä|ette ole|et ole|virheellisesti",
        r"poist\w*|hävit\w*|tuho\w*|ilmoit\w*|kielletty\w*|luvaton\w*",
    ),
    "hu": (
        r"(?:ez az?|ezen|jelen) (?:e-?mail|üzenet|levél|elektronikus)\w*|az üzenet tartalma",
        r"bizalmas\w*|titkos\w*|üzleti titk\w*",
        r"(?:kizárólag|csak) (?:a |az )?(?:címzett|\w+ részére)\w*|címzett\w*",
        r"tévedés\w*|téves\w*|nem ön|amennyiben nem|véletlenül",
        r"töröl\w*|semmisít\w*|értesít\w*|tilos|tájékoztas\w*|jogosulatlan\w*|felelőss\w*",
    ),
    "ro": (
        r"acest (?:mesaj|e-?mail)|conținutul acest",
        r"confiden[țţt]ial\w*|secret\w*",
        r"destinatar\w*|destinat\w*|adresat\w*",
        r"din greșeală|din eroare|nu sunteți",
        r"șterge\w*|distruge\w*|anunța\w*|inform\w+|interzis\w*",
    ),
    "hr": (
        r"(?:ova|ovaj|sadržaj ove) (?:e-?mail\w*|poruk\w*|elektronič\w+)",
        r"povjerljiv\w*|poverljiv\w*|tajn\w*",
        r"namijenjen\w*|namenjen\w*|primatelj\w*|primaoc\w*",
        r"greškom|zabunom|niste",
        r"izbriš\w*|obriš\w*|obavijest\w*|obavest\w*|zabranjen\w*|uništ\w*",
    ),
    "sl": (
        r"(?:to |ta |tega )?(?:elektronsk\w* )?sporočil\w*|ta e-pošt\w*",
        r"zaupn\w*|poslovn\w+ skrivnost\w*",
        r"namenjen\w*|naslovnik\w*|prejemnik\w*",
        r"pomotoma|po pomoti|niste",
        r"izbriš\w*|obvest\w*|prepovedan\w*|unič\w*",
    ),
    "tr": (
        r"bu (?:e-?posta|mesaj|ileti|elektronik)\w*",
        r"gizli\w*|kişiye özel",
        r"alıcı\w*|muhatab\w*",
        r"yanlışlıkla|hata\w* sonucu",
        r"silin\w*|siliniz|bildir\w*|yasak\w*|imha",
    ),
    "ru": (
        r"(?:это|данное|настоящее) (?:электронное )?(?:сообщение|письмо)"
        r"|содержание (?:этого|данного)",
        r"конфиденциальн\w*|коммерческ\w+ тайн\w*",
        r"предназначен\w*|адресат\w*|получател\w*",
        r"по ошибке|ошибочно|не являетесь",
        r"удалит\w*|уничтож\w*|сообщит\w*|уведомит\w*|запрещ[её]н\w*",
    ),
    "uk": (
        r"(?:це|дане) (?:електронне )?повідомлення|цей (?:електронний )?лист",
        r"конфіденційн\w*",
        r"призначен\w*|адресат\w*|отримувач\w*|одержувач\w*",
        r"помилково|не є адресат",
        r"видал\w*|знищ\w*|повідомте|заборонен\w*",
    ),
    "bg": (
        r"(?:това|настоящото|този) (?:електронно )?(?:съобщение|писмо|имейл)",
        r"поверителн\w*|конфиденциалн\w*",
        r"предназначен\w*|адресат\w*|получател\w*",
        r"по погрешка|не сте",
        r"изтри\w*|унищож\w*|уведом\w*|забранен\w*",
    ),
    "el": (
        r"(?:αυτό το|το παρόν) (?:ηλεκτρονικό )?(?:μήνυμα|e-?mail)",
        r"εμπιστευτικ\w*|απόρρητ\w*",
        r"προορίζεται|παραλήπτη\w*",
        r"κατά λάθος|εκ παραδρομής|δεν είστε",
        r"διαγρά\w*|καταστρέψ\w*|ενημερώσ\w*|ειδοποι\w*|απαγορεύ\w*",
    ),
    "is": (
        r"þessi (?:tölvupóst|skilaboð)\w*|þetta skeyti|efni þessa",
        r"trúnað\w*",
        r"ætla[ðd]\w*|viðtakand\w*",
        r"mistök\w*|misgáning\w*",
        r"eyð\w*|eydd\w*|lát\w* sendand\w*|óheimil\w*",
    ),
    "et": (
        r"(?:see|käesolev) (?:e-?)?(?:kiri|sõnum\w*|meil)",
        r"konfidentsiaal\w*",
        r"adressaa\w*|saaja\w*",
        r"eksituse tõttu|ekslikult|eksikombel",
        r"kustuta\w*|teavita\w*|hävita\w*|keelatud",
    ),
    "lt": (
        r"š(?:is|į|io) (?:elektronin\w+ )?(?:laišk\w*|pranešim\w*)",
        r"konfidencial\w*",
        r"adresat\w*|gavėj\w*",
        r"per klaidą|klaidingai|nesate",
        r"ištrin\w*|informuo\w*|praneškite|sunaikin\w*|draudžia\w*",
    ),
    "lv": (
        r"š(?:is|ī) (?:e-past\w*|vēstul\w*|ziņojum\w*|elektronisk\w*)",
        r"konfidenciāl\w*",
        r"adresāt\w*|saņēmēj\w*",
        r"kļūdas dēļ|kļūdaini|neesat",
        r"dzēsiet|izdzēs\w*|informē\w*|paziņo\w*|aizliegt\w*",
    ),
    "he": (
        r"(?:הודעה|מסר) ז[וה]|תוכן (?:ה?הודעה)",
        r"\w{0,2}סוד\w*|\w{0,2}חסוי\w*",
        r"\w{0,2}מיועד\w*|\w{0,3}נמען",
        r"\w{0,1}בטעות|אינך",
        r"\w{0,1}מחק\w*|\w{0,2}הודע ל|אסור\w*",
    ),
    "zh": (
        r"\w{0,20}?[本此](?:邮件|郵件|电子邮件|電子郵件)",
        r"\w{0,20}?(?:保密|机密|機密)",
        r"\w{0,20}?收件人",
        r"\w{0,20}?(?:误收|誤收|错误收到)",
        r"\w{0,20}?(?:删除|刪除|销毁|禁止)",
    ),
    "ja": (
        r"\w{0,20}?(?:本|この)(?:メール|メッセージ|電子メール)",
        r"\w{0,20}?(?:機密|秘密|守秘)",
        r"\w{0,20}?(?:宛先|受信者|受取人)",
        r"\w{0,20}?(?:誤って|誤送信)",
        r"\w{0,20}?(?:削除|破棄|ご連絡|ご一報)",
    ),
    "ko": (
        r"\w{0,20}?(?:본|이) ?(?:메일|이메일|메시지)\w*",
        r"\w{0,20}?(?:기밀|비밀)\w*",
        r"\w{0,20}?수신[인자]\w*",
        r"\w{0,20}?(?:잘못|실수로)\w*",
        r"\w{0,20}?(?:삭제|폐기|알려)\w*",
    ),
}

_MOTIFS = {
    language: [re.compile(rf"(?<!\w)(?:{motif})", re.IGNORECASE) for motif in motifs]
    for language, motifs in DISCLAIMER_MOTIFS.items()
}
# What is shorter is no disclaimer; the Far East says it in fewer characters.
_SHORTEST, _SHORTEST_EAST, _EAST = 70, 30, ("zh", "ja", "ko")
# A paragraph that says so early what it is about is a disclaimer by less.
_OPENS = 40


def disclaimer(text: str) -> str:
    """The language in which a paragraph mixes enough motifs of a disclaimer; "" for none."""
    if len(text) < _SHORTEST_EAST:
        return ""
    for language, (opener, *motifs) in _MOTIFS.items():
        if len(text) < _SHORTEST and language not in _EAST:
            continue
        opened = opener.search(text)
        if not opened:
            continue
        found = [motif.search(text) is not None for motif in motifs]
        secret, addressed, astray, _ = found
        # "Secret, delete it" and "for Jan, delete it" are also what people write of a code.
        begins = addressed or astray or opened.start() < _OPENS
        if sum(found) >= 2 and (secret or astray) and begins:
            return language
    return ""
