"""The words of warnings, virus scanners and list footers: data only, read by footers."""

_NATURE = (
    r"(?:environment|planet|\btrees?\b|forest|carbon|životn|přírod|prírod|\bles[yů]?\b|strom|papír"
    r"|umwelt|natur|bäum|\bwald|planète|arbre|ambient|árbol|albero|milieu|środowisk|drzew|miljø"
    r"|ympäristö|környezet)"
)
_THIS_MAIL = (
    r"(?:e-?mail|\bmails?\b|message|nachricht|zpráv|správ|courriel|correo|mensaje|mensagem"
    r"|messaggio|wiadomoś|levele)"
)
# Where to unsubscribe: a person who only says whom to call names none of these.
_WHERE = r".{0,300}?(?:https?:|www\.|@|click|link|here|repl|visit|list|letter|setting|prefer|group)"
_BRANDS = (
    r"(?:mcafee|sophos|symantec|norton|kaspersky|bitdefender|clamav|mailscanner|avast|avg\b|eset\b"
    r"|mailmarshal|fortimail|f-secure|trend micro|barracuda|mimecast|proofpoint|g data)"
)
_NEAR = rf"(?:{_NATURE}|{_THIS_MAIL})"

# Whole paragraphs that programs add below a text, told by how they begin or by one phrase.
SMALL_PRINT = (
    # Paper: a word of nature or of this mail must be near, or it is talk of printing.
    r"(?:please )?(?:consider|think of|think about) (?:the|our) environment before.{0,30}print"
    r"|before printing,? (?:please )?(?:think|consider)"
    r"|think before (?:you )?print|tänk på miljön|tenk på miljøet|tænk på miljøet"
    r"|(?:merci de )?pense[rz] à l['’]environnement|denk aan het milieu"
    r"|(?:bitte )?(?:denken|schonen) sie.{0,40}umwelt"
    r"|(?:kérjük,? )?(?:gondoljon|kímélje).{0,40}környezet|(?:pomyśl o środowisku|chroń środowisko)"
    r"|(?:bitte )?(?:prüfen|überlegen) sie.{0,40}(?:mail|nachricht).{0,40}gedruckt"
    r"|(?:prosím,? )?mysl(?:i|[ei]te) na (?:životn|přírod|prírod|strom|les).{0,60}(?:vyti|tisk)"
    r"|pense no (?:meio )?ambiente|ajattele ympäristöä"
    rf"|(?:(?:please )?(?:think|consider)\b.{{0,60}}\bprint"
    rf"|(?:prosím,? )?(?:mysl[ei]te|zv[aá]žte|chraňte|šetřete|šetrite|než|skôr|před"
    rf"|opravdu|naozaj).{{0,60}}"
    rf"\b(?:vyti|vytla|tisk|tlač)\w+"
    rf"|(?:bitte )?(?:denken|prüfen|schonen|müssen) sie.{{0,80}}(?:ausdruck|drucken|gedruckt)"
    rf"|avant d['’]imprimer|antes de.{{0,60}}imprim\w+|prima di stampare|zanim wydrukujesz"
    rf"|(?:gondoljon|kímélje).{{0,40}}nyomtat).{{0,200}}?{_NEAR}"
    rf"|(?:please|prosím|bitte|por favor|kérjük)\b,? .{{0,100}}?(?:print|vyti|vytla|tisk|tlač|druck"
    rf"|imprim|nyomtat).{{0,60}}?{_THIS_MAIL}.{{0,200}}?{_NATURE}"
    rf"|(?:please|prosím|bitte|por favor|kérjük)\b,? .{{0,100}}?{_NATURE}.{{0,200}}?"
    r"(?:print|vyti|vytla|tisk|tlač|druck|imprim|nyomtat)",
    # Virus scanners.
    r"(?:virus-?free|ohne viren|sans virus|bez virů|bez vírusů|libre de virus|privo di virus"
    r"|virusvrij|virenfrei|garanti sans virus|woln[ey] od wirusów|virusfri|viruksia ei"
    r"|(?:neobsahuje (?:žádné )?|bez )(?:viry|virů|wirusów)|neobsahuje (?:žiadne )?vírusy"
    r"|mentes a vírusoktól|(?:не содержит|без) вирусов|livre de vírus|vírusmentes)"
    r"\s*(?:[.!<[(]|www\.|https?:|$)"
    r"|(?:this|diese|tento|t[aá]to|cet|ce|este|questa|questo|dit|deze|ta|tę|tämä|ez az|den\w{1,3})"
    r" (?:e-?mail\w*|message|nachricht|správa|zpráva|courriel|correo|wiadomoś\w+|e-?post\w*"
    r"|sähköposti|üzenet|mensagem|bericht|mejl\w*).{0,60}"
    r"(?:vir(?:us|en|y|ů|ech)\w*|viry|avast|avg\b|antivir\w*)"
    r"|(?:e-?mail|zpráva|správa) b(?:yla?|ola?) .{0,40}(?:antivir\w+|\bviry\b|\bvírusy\b)"
    r"|l['’]absence de virus dans ce (?:courrier|message)"
    r"|(?:this|the|your) (?:e-?mail|message) (?:has been|was|is) "
    rf"(?:(?:scanned|screened)\b|.{{0,40}}?{_BRANDS})"
    rf"|(?:e-?mail )?(?:scanned|sicherheitsgeprüft|geprüft|protected) \w{{2,5}} {_BRANDS}"
    r"|click here to report this (?:e-?mail|message) as (?:spam|phishing)"
    r"|(?:checked by|no virus found in|kontrola antivirem|zkontrolováno) .{0,40}\b(?:avg|avast)\b",
    # Webmail.
    r"this (?:e-?mail|message|mail) was sent (?:using|through|via|by) "
    r"(?:imp\b|squirrelmail|roundcube|zimbra|horde|openwebmail|www-mail)",
    # Lists.
    r"(?:to|click here to|if you (?:no longer )?wish to) unsubscribe(?! (?!from|please|click|send"
    r"|visit|reply|go|use|follow|or|and|via|at|by|here|me|https?)\w)"
    rf"(?={_WHERE})"
    r"|if you (?:no longer )?wish to stop receiving .{0,300}?unsubscribe"
    r"|please do not reply directly to this e-?mail\. if you have any questions"
    r"|(?:notice: )?this (?:e-?mail|communication|message) is (?:intended )?for the addressee only"
    r"|you (?:are receiving|received|'re receiving|have received) (?:this|these|our)\b"
    r".{0,60}(?:because (?:you|your|of|an?|this|we|someone)\b|as you|to the)"
    r"|you are subscribed.{0,60}(?:because|as you|to )"
    r"|you can unsubscribe|unsubscribe (?:from|here|at|:)|manage (?:your )?(?:subscr|prefer)"
    r"|(?:pro odhlášení|odhlásit|odhlášení) (?:se |z |ze )?"
    r"|ak si (?:už )?neželáte|odhlásiť sa|um sich.{0,40}abzumelden|newsletter abbestellen"
    r"|(?:pour|si vous souhaitez) (?:vous|se) dés(?:abonner|inscrire)"
    r"|se désinscrire|para (?:darse|dar) de baja"
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
    r"you don['’]t often get email from|some people who received this message don['’]t often"
    r"|(?:e-maily od uživatele|některé osoby, které obdržely tuto zprávu)\b.{0,120}často ne"
    r"|(?:nedostávate často e-maily od|e-maily od .{0,60} často nedostávate)"
    r"|(?:sie erhalten|einige personen, die diese nachricht erhalten haben)\b.{0,80}"
    r"nicht (?:oft|häuf)|du får ikke ofte (?:e-post|mails?) fra|du får inte ofta e-post från"
    r"|vous n['’](?:obtenez|recevez) pas souvent d['’]e-?mail|non si ricevono spesso messaggi"
    r"|no suele recibir correos? electrónicos? de|u ontvangt niet vaak e-mail van"
    r"|nie otrzymujesz często wiadom|et saa usein sähköpostia"
    r"|(?:você )?não (?:costuma receber|recebe frequentemente) e-?mails? de"
    r"|nem gyakran kap e-mailt",
    r"\[external(?: e-?mail| sender)?\]$|external sender$",
)

# Whence a gateway says a mail has come; "an external contractor" is nobody's sender.
OUTSIDE = (
    r"outside (?:of )?(?:the |your |our |this )?(?:organi[sz]ation|company|network|firm|corporat)"
    r"|external (?:e-?mail|sender|source|address|domain|organi[sz]ation|network|message)"
    r"|mimo (?:naši |vaši |tuto )?(?:organizac|společnost|firmu|síť)|vnější sít"
    r"|z (?:vnějšího|externího|vonkajšieho|externého) (?:prostředí|prostredia|zdroje|zdroja)"
    r"|extern\w+ (?:odes[íi]latel|odosielateľ|zdroj|adres|e-?mail|absender|quelle|afzender)"
    r"|mimo (?:našej |vašej |tejto )?(?:organizáci|spoločnost|firmy)"
    r"|(?:ek|e)[sx]tern\w* (?:avsender|afsender|avsändar|kilde|källa)"
    r"|(?:utenfor|uden for|utanför) (?:\w+ )?(?:organisa|virksomhed|bedrift|företag)"
    r"|außerhalb (?:der|unserer|ihrer|des) (?:organisation|firma|unternehmen)"
    r"|(?:expéditeur|source) externe|extérieur de (?:l|votre|notre)"
    r"|fuera de (?:la|su|nuestra) (?:organización|empresa)|remitente externo|mittente esterno"
    r"|(?:dall|all)['’]esterno|buiten (?:de|uw|onze) organisatie"
    r"|nadawc\w+ zewnętrzn\w+|spoza (?:organizacji|firmy)|zewnętrzn\w+ nadawc"
    r"|fora d[aeo] (?:sua |nossa )?(?:organização|empresa)|remetente externo"
    r"|organisaation ulkopuol|ulkoinen lähettäjä|külső (?:feladó|forrás)|szervezeten kívül"
)
# What it then tells the reader to do, or how it begins.
CARE = (
    r"click|klik|\blinks?\b|odkaz|attachment|příloh|príloh|vedlegg|vedhæft|bilag|anhäng|anhang"
    r"|pièces? jointe|\bliens?\b|adjunt|enlace|allegat|bijlage|załącznik|anexo|liite|melléklet"
    r"|caution|warning|pozor|vorsicht|careful|upozorn|varován|advarsel|varning|achtung|attention|atenci|atenç"
    r"|attenzione|uwaga|let op|figyelem|huomio|obs!"
    r"|warning|warnung|\bnotice|avertissement|précaution|advertencia|precaución|avviso|cuidado"
    r"|waarschuwing|ostrzeżenie|varoitus|figyelmeztetés"
)
