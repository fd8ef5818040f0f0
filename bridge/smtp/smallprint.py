"""The words of disclaimers, warnings and list footers, by language: data only, read by footers.

A disclaimer is not one sentence but a mixture of motifs; footers counts how many a paragraph has.
"""

# Motifs: what it is, how secret, for whom, got in error, what you must (not) do.
DISCLAIMER_MOTIFS: dict[str, tuple[str, str, str, str, str]] = {
    "en": (
        r"(?:this|the) (?:e-?mail|message|communication|transmission)|disclaimer"
        r"|confidentiality notice|the contents? (?:of|in) this|the information (?:in|cont)",
        r"confidential|privileged|proprietary",
        r"intended (?:only|solely|recipient|for)|addressee|(?:individual|person) or entity",
        r"in error|by mistake|not the (?:intended|named)|received this",
        r"notify the sender|delet|destroy|prohibited|unauthori[sz]ed|disseminat|liab|strictly",
    ),
    "cs": (
        r"(?:tato|tuto|této) (?:e-?mailov\w+ )?zpráv\w+|(?:tento|tohoto) e-?mail\w*|prohlášení"
        r"|obsah (?:této|tohoto)|upozornění",
        r"důvěrn\w+|obchodní\w* tajemství|chráněn\w+",
        r"určen\w* (?:pouze|výhradně|jen|výlučně)|adresát\w*|zamýšlen\w+ příjemc\w+",
        r"omylem|nejste[- ]?li|pokud nejste|jestliže nejste|nedopatřením",
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
        r"per errore|non (?:siete|siate|è|foste)|erroneamente",
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
}

_NATURE = (
    r"(?:environment|planet|\btrees?\b|forest|carbon|životn|přírod|prírod|\bles[yů]?\b|strom|papír"
    r"|umwelt|natur|bäum|\bwald|planète|arbre|ambient|árbol|albero|milieu|środowisk|drzew|miljø"
    r"|ympäristö|környezet)"
)
_THIS_MAIL = (
    r"(?:e-?mail|\bmails?\b|message|nachricht|zpráv|správ|courriel|correo|mensaje|mensagem"
    r"|messaggio|wiadomoś|levele)"
)
_NEAR = rf"(?:{_NATURE}|{_THIS_MAIL})"

# Whole paragraphs that programs add below a text, told by how they begin or by one phrase.
SMALL_PRINT = (
    # Paper: a word of nature or of this mail must be near, or it is talk of printing.
    r"(?:please )?(?:consider|think of|think about) (?:the|our) environment before"
    r"|think before (?:you )?print|tänk på miljön|tenk på miljøet|tænk på miljøet"
    r"|(?:merci de )?pense[rz] à l['’]environnement|denk aan het milieu"
    r"|(?:bitte )?(?:denken|schonen) sie.{0,40}umwelt"
    r"|(?:kérjük,? )?(?:gondoljon|kímélje).{0,40}környezet|(?:pomyśl o środowisku|chroń środowisko)"
    r"|pense no (?:meio )?ambiente|ajattele ympäristöä"
    rf"|(?:(?:please )?(?:think|consider)\b.{{0,60}}\bprint"
    rf"|(?:prosím,? )?(?:mysl[ei]te|chraňte|šetřete|šetrite|než|skôr|před|opravdu|naozaj).{{0,60}}"
    rf"\b(?:vyti|vytla|tisk|tlač)\w+"
    rf"|(?:bitte )?(?:denken|prüfen|schonen|müssen) sie.{{0,80}}(?:ausdruck|drucken|gedruckt)"
    rf"|avant d['’]imprimer|antes de.{{0,60}}imprim\w+|prima di stampare|zanim wydrukujesz"
    rf"|(?:gondoljon|kímélje).{{0,40}}nyomtat).{{0,200}}?{_NEAR}"
    rf"|(?:please|prosím|bitte|por favor|kérjük)\b,? .{{0,100}}?(?:print|vyti|vytla|tisk|tlač|druck"
    rf"|imprim|nyomtat).{{0,60}}?{_THIS_MAIL}.{{0,200}}?{_NATURE}"
    rf"|(?:please|prosím|bitte|por favor|kérjük)\b,? .{{0,100}}?{_NATURE}.{{0,200}}?"
    r"(?:print|vyti|vytla|tisk|tlač|druck|imprim|nyomtat)",
    # Virus scanners.
    r"virus-?free\b|ohne viren|sans virus|bez virů|bez vírusů|libre de virus|privo di virus"
    r"|virusvrij|wolny od wirusów|virusfri|viruksia ei|livre de vírus|vírusmentes"
    r"|(?:this|diese|tento|t[aá]to|cet|ce|este|questa|questo|dit|deze|ta|tę|tämä|ez az|den\w{1,3})"
    r" (?:e-?mail\w*|message|nachricht|správa|zpráva|courriel|correo|wiadomoś\w+|e-?post\w*"
    r"|sähköposti|üzenet|mensagem|bericht|mejl\w*).{0,60}"
    r"(?:vir(?:us|en|y|ů|ech)\w*|viry|avast|avg\b|antivir\w*)",
    # Lists.
    r"(?:to|click here to|if you (?:no longer )?wish to) unsubscribe(?! (?!from|please|click|send"
    r"|visit|reply|go|use|follow|or|and|via|at|by|here|me|https?)\w)"
    r"|you (?:are receiving|received|'re receiving|have received) (?:this|these|our)\b.{0,60}"
    r"(?:because|as you|to the)|you are subscribed.{0,60}(?:because|as you|to )"
    r"|you can unsubscribe|unsubscribe (?:from|here|at|:)|manage (?:your )?(?:subscr|prefer)"
    r"|(?:pro odhlášení|odhlásit|odhlášení) (?:se |z |ze )?"
    r"|ak si (?:už )?neželáte|odhlásiť sa|um sich.{0,40}abzumelden|newsletter abbestellen"
    r"|(?:pour|si vous souhaitez) (?:vous|se) désabonner|se désinscrire|para (?:darse|dar) de baja"
    r"|per (?:annullare l'iscrizione|cancellarti|disiscriver\w+)|(?:om|als) .{0,40}af te melden"
    r"|aby (?:zrezygnować|wypisać się)|(?:para )?cancelar (?:a )?(?:sua )?(?:inscrição|subscrição)"
    r"|for å melde deg av|för att avregistrera|(?:for at )?(?:afmelde|framelde)|leiratkoz\w+"
    r"|peruuta tilaus",
    # Data protection: only where it leads to a page.
    r"(?:informationen|hinweise|infos) zum (?:thema )?datenschutz\b.{0,120}https?://"
    r"|(?:unsere )?datenschutz(?:hinweise|erklärung|information\w*)\b.{0,120}https?://"
    r"|(?:our )?privacy (?:policy|notice|statement)\b.{0,120}https?://"
    r"|informac[ei] o zpracování osobních údajů.{0,120}https?://"
    r"|informác[ie]e o spracúvaní osobných údajov.{0,120}https?://",
)
# What gateways put above a text from outside.
WARNINGS = (
    r"\W{0,4}(?:caution|warning|notice|attention|external(?: e-?mail| sender| message)?|upozornění"
    r"|varování|pozor|upozornenie|varovanie|externí|externý|advarsel|obs|varning|achtung|vorsicht"
    r"|warnung|extern\w*|avertissement|précaution|atención|precaución|advertencia|attenzione"
    r"|avviso|let op|waarschuwing|uwaga|ostrzeżenie|atenção|cuidado|huomio|varoitus|figyelem"
    r"|figyelmeztetés)\b.{0,60}(?:outside|external|extern\w*|zvenčí|zvenku|zvonku|vnější\w*"
    r"|utenfra|utifrån|udefra|außerhalb|extérieur\w*|de fuera|fora d\w+|zewnątrz|zewnętrz\w+"
    r"|esterno|esterna|buiten|ulkopuol\w+|külső|originated)",
    r"you don['’]t often get email from|some people who received this message don['’]t often",
    r"\[external(?: e-?mail| sender)?\]$|external sender$",
)
