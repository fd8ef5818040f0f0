"""The words mail programs add, by language: data only, read by quotes, footers and automatic.

In the tables "|" parts alternatives. Everything is compared without regard to case.
"""

# The header lines that Outlook and its kin put above a quote: from, sent, date, to, copy, subject.
HEADER_LABELS: dict[str, tuple[str, str, str, str, str, str]] = {
    "en": ("from", "sent", "date", "to", "cc|bcc", "subject|re"),
    "cs": ("od", "odesláno|posláno", "datum", "komu|pro", "kopie|kopie cc|cc", "předmět|věc"),
    "sk": ("od|odosielateľ", "odoslané|poslané", "dátum", "komu|pre", "kópia|cc", "predmet|vec"),
    "no": ("fra", "sendt", "dato", "til", "kopi|kopi til|cc", "emne"),
    "sv": ("från", "skickat|skickad|skickades", "datum", "till", "kopia|cc", "ämne"),
    "da": ("fra", "sendt", "dato", "til", "cc|kopi", "emne"),
    "de": ("von", "gesendet|gesendet am", "datum", "an", "cc|kopie|bcc", "betreff"),
    "fr": ("de|expéditeur", "envoyé|envoyé le|envoyé par", "date", "à|a|pour", "cc", "objet|sujet"),
    "es": ("de", "enviado|enviado el|enviado por", "fecha", "para|a", "cc|cco", "asunto"),
    "it": ("da", "inviato|inviato il", "data", "a|per", "cc|ccn", "oggetto"),
    "nl": ("van", "verzonden|verzonden op", "datum", "aan", "cc|bcc", "onderwerp"),
    "pl": ("od|nadawca", "wysłano|wysłane|wysłana", "data", "do|adresat", "dw|udw|cc", "temat"),
    "pt": ("de", "enviado|enviada|enviada em|enviado em", "data", "para|a", "cc|cco", "assunto"),
    "fi": ("lähettäjä", "lähetetty", "päivämäärä|päiväys|pvm", "vastaanottaja", "kopio|cc", "aihe"),
    "hu": ("feladó", "elküldve|küldve", "dátum", "címzett", "másolatot kap|másolat|cc", "tárgy"),
    "ro": ("de la|de", "trimis", "data|dată", "către|catre", "cc", "subiect"),
    "hr": ("od|šalje|pošiljatelj", "poslano|poslato", "datum", "za|prima|kome", "cc", "predmet"),
    "sl": ("od|pošiljatelj", "poslano", "datum", "za", "kp|cc", "zadeva"),
    "et": ("saatja|kellelt", "saadetud", "kuupäev", "adressaat|kellele", "koopia", "teema"),
    "lt": ("nuo|siuntėjas", "išsiųsta", "data", "kam|iki", "kopija", "tema"),
    "lv": ("no|sūtītājs", "nosūtīts", "datums", "kam|adresāts", "kopija", "temats|tēma"),
    "tr": ("kimden|gönderen", "gönderildi|gönderme tarihi", "tarih", "kime|alıcı", "bilgi", "konu"),
    "ru": ("от|от кого", "отправлено", "дата", "кому", "копия", "тема"),
    "uk": ("від|від кого", "надіслано", "дата", "кому", "копія", "тема"),
    "bg": ("от", "изпратено", "дата", "до", "копие", "относно|тема"),
    "el": ("από", "στάλθηκε", "ημερομηνία", "προς", "κοιν", "θέμα"),
    "he": ("מאת", "נשלח", "תאריך", "אל", "עותק|העתק", "נושא"),
    "ar": ("من", "تم الإرسال|أرسلت|أُرسلت", "التاريخ", "إلى", "نسخة", "الموضوع"),
    "sr": ("од|od", "послато|poslato", "датум|datum", "за|za", "копија", "тема|tema|naslov"),
    "ca": ("de", "enviat|enviat el", "data", "per a|a", "a/c|cc", "assumpte|tema"),
    "vi": ("từ", "đã gửi|ngày gửi", "ngày", "tới|đến", "cc", "chủ đề|tiêu đề"),
    "id": ("dari", "dikirim", "tanggal", "kepada|ke", "cc", "subjek|perihal"),
    "th": ("จาก", "ส่ง|ส่งเมื่อ", "วันที่", "ถึง", "สำเนา", "เรื่อง|หัวเรื่อง"),
    "zh": (
        "发件人|寄件者|寄件人",
        "发送时间|寄件日期",
        "日期",
        "收件人|收件者",
        "抄送|副本",
        "主题|主旨",
    ),
    "ja": ("差出人", "送信日時", "日時|日付", "宛先", "cc", "件名"),
    "ko": (
        "보낸 사람|보낸사람",
        "보낸 날짜|보낸날짜",
        "날짜",
        "받는 사람|받는사람",
        "참조",
        "제목",
    ),
}

# "… wrote:", as patterns; a stem that other words could hold is bounded by the caller.
WROTE: dict[str, str] = {
    "en": r"wrote|writes",
    "cs": r"napsala?|napsal\(a\)|napsal/a|píše|odesílatel",
    "sk": r"napísala?|napísal\(a\)|napísal/a|odosielateľ",
    "no": r"skrev|skreiv|følgende",
    "sv": r"skrev|skriver",
    "da": r"skrev|skriver",
    "de": r"schrieb(?:en)?|schreibt|geschrieben",
    "fr": r"a écrit|écrivait|ont écrit",
    "es": r"escribió|escribe",
    "it": r"ha scritto|scrive(?:va)?|scrisse",
    "nl": r"schreef|geschreven|schrijft",
    "pl": r"napisała?|napisał\(a\)|napisał/a|pisze|napisana przez|napisano",
    "pt": r"escreveu|escreve",
    "fi": r"kirjoitti|kirjoittaa",
    "hu": r"(?:ezt )?írta|írja|írta \(időpont",
    "ro": r"a scris",
    "hr": r"je napisao(?:/la)?|je napisala|napisao je|piše",
    "sl": r"(?:je )?napisala?|je oseba|piše",
    "et": r"kirjutas",
    "lt": r"rašė|parašė",
    "lv": r"rakstīja",
    "tr": r"şunu yazdı|yazdı|tarihinde",
    "ru": r"написал|написала|написал\(а\)|пишет|писал\(а\)?|писали",
    "uk": r"написав|написала|написав\(ла\)|пише",
    "bg": r"написа",
    "el": r"έγραψε",
    "ca": r"va escriure|missatge de",
    "he": r"מאת|כתב/?ה?|כתבה",
    "ar": r"كتب|كتبت|تمت كتابة ما يلي",
    "vi": r"đã viết",
    "id": r"menulis",
    "zh": r"写道|寫道",
    "ja": r"のメール|書きました",
    "ko": r"님이 작성",
}

ORIGINAL: dict[str, str] = {
    "en": "original message|original mail|original e-mail|reply message|reply above this line",
    "cs": "původní zpráva|původní e-mail|původní email|původní mail",
    "sk": "pôvodná správa|pôvodný e-mail|pôvodný email",
    "no": "opprinnelig melding|original melding|opprinnelig e-post",
    "sv": "ursprungligt meddelande|originalmeddelande|ursprungligt brev",
    "da": "oprindelig meddelelse|original meddelelse|oprindelig besked|oprindelig mail",
    "de": "ursprüngliche nachricht|originalnachricht|original-nachricht|original nachricht",
    "fr": "message d'origine|message d’origine|message original|message initial|e-mail d'origine",
    "es": "mensaje original",
    "it": "messaggio originale",
    "nl": "oorspronkelijk bericht|origineel bericht|oorspronkelijke bericht",
    "pl": "oryginalna wiadomość|wiadomość oryginalna|oryginał|treść oryginalnej wiadomości"
    "|pierwotna wiadomość",
    "pt": "mensagem original|mensagem de origem",
    "fi": "alkuperäinen viesti",
    "hu": "eredeti üzenet|eredeti levél",
    "ro": "mesajul original|mesaj original",
    "hr": "izvorna poruka|originalna poruka",
    "sl": "izvirno sporočilo",
    "tr": "orijinal mesaj|özgün ileti",
    "ru": "исходное сообщение|исходное письмо|оригинальное сообщение",
    "uk": "вихідне повідомлення|оригінальне повідомлення",
    "he": "הודעה מקורית",
    "ar": "الرسالة الأصلية|رسالة أصلية",
    "zh": "原始邮件|原始郵件",
    "ja": "元のメッセージ",
    "ko": "원본 메시지|원본 메일",
}

# "Please type your reply above this line": three stems that such a line holds, in any order.
ANSWER_STEMS = (
    "repl|answer|respon|odpov|antwort|répon|repon|risp|antwoord|reage|odpowi|svar|vasta|válasz"
)
ABOVE = (
    "above|nad|oberhalb|über|au-dessus|encima|arriba|sopra|boven|powyżej|acima|over|ovanför"
    "|yläpuol|fölé"
)
LINE_STEMS = (
    "line|řád|čár|čar|lini|riad|čiar|zeile|strich|ligne|línea|linea|riga|regel|lijn|linha|linje"
    "|rad|viiva|riv|vonal|sor"
)

FORWARDED: dict[str, str] = {
    "en": "forwarded message|begin forwarded message|forwarded by|start of forwarded message",
    "cs": "přeposlaná zpráva|začátek přeposlané zprávy|předaná zpráva|přeposlaný e-mail"
    "|přeposlaná zpráva začíná",
    "sk": "preposlaná správa|začiatok preposlanej správy|preposlaný e-mail",
    "no": "videresendt melding|videresendt e-post|begynnelse på videresendt melding",
    "sv": "vidarebefordrat meddelande|vidarebefordrat brev|vidarebefordrat mejl"
    "|börja vidarebefordrat meddelande",
    "da": "videresendt meddelelse|videresendt besked|videresendt e-mail"
    "|start på videresendt besked",
    "de": "weitergeleitete nachricht|anfang der weitergeleiteten nachricht"
    "|weitergeleitete e-mail|beginn der weitergeleiteten nachricht",
    "fr": "message transféré|message transmis|début du message transféré|e-mail transféré"
    "|début du message réexpédié",
    "es": "mensaje reenviado|inicio del mensaje reenviado|mensaje reexpedido",
    "it": "messaggio inoltrato|inizio messaggio inoltrato|inizio del messaggio inoltrato",
    "nl": "doorgestuurd bericht|begin doorgestuurd bericht|doorgezonden bericht",
    "pl": "wiadomość przekazana dalej|przekazana wiadomość|treść przekazanej wiadomości"
    "|początek przekazywanej wiadomości|przesłana wiadomość|przekazana dalej wiadomość",
    "pt": "mensagem encaminhada|mensagem reencaminhada|início da mensagem encaminhada"
    "|início da mensagem reencaminhada",
    "fi": "välitetty viesti|edelleenlähetetty viesti|alkaa välitetty viesti|välitetty sähköposti"
    "|välitetty viesti alkaa",
    "hu": "továbbított üzenet|továbbított levél|továbbított üzenet kezdete",
    "ro": "mesaj redirecționat|mesaj transmis",
    "hr": "proslijeđena poruka",
    "ru": "пересылаемое сообщение|пересланное сообщение|начало переадресованного сообщения",
    "uk": "переслане повідомлення|пересланий лист",
    "he": "הודעה שהועברה|הודעה מועברת",
    "ar": "الرسالة المعاد توجيهها|رسالة معاد توجيهها",
    "zh": "转发的邮件|转发邮件|轉寄的郵件",
    "ja": "転送されたメッセージ",
    "ko": "전달된 메시지",
}

# Subject prefixes. A language's own "VS" means reply in Finnish, forward in Danish: see quotes.
REPLY_PREFIXES = (
    "re|aw|sv|vs|antw|antwort|odp|odpověď|odpoveď|odg|res|rif|r|réf|rép|vá|vast|ref|bls|rv|ynt"
    "|yanıt|trl|відп|отв|hа|回复|答复|回覆|答覆"
)
FORWARD_PREFIXES = (
    "fw|fwd|wg|tr|enc|vb|vl|pd|i|fs|doorst|tov|továbbítás|přep|přepos|fyi fw|rv|ilt|prosl|转发|轉寄"
)

# "Sent from my …": the words before a device, after it where a language says it that way.
SENT_FROM: dict[str, str] = {
    "en": "sent from|sent via|sent with|sent using|sent by",
    "cs": "odesláno z|odesláno ze|odesláno bezpečným|odesláno pomocí|odesláno aplikací"
    "|odesláno přes|posláno z|odesílám z"
    "|odeslané z|zasláno z|poslané z|posláno ze",
    "sk": "odoslané z|odoslané zo|odoslané pomocou|odoslané cez|poslané z|poslané zo",
    "no": "sendt fra|sendt med|sendt via",
    "sv": "skickat från|skickades från|skickat med|skickat via|skickad från|sänt från",
    "da": "sendt fra|sendt med|sendt via|hentet fra",
    "de": "gesendet von|von meinem|von meinem/meiner|von meiner|gesendet mit|gesendet über"
    "|gesendet aus|diese nachricht wurde von|versendet mit|geschickt von|mobil gesendet",
    "fr": "envoyé de|envoyé depuis|envoyé à partir|envoyé avec|envoyé via|envoyé par"
    "|provenance :|provenance",
    "es": "enviado desde|enviado con|enviado de|enviado mediante|enviado vía|enviado por",
    "it": "inviato da|inviato dal|inviato con|inviato tramite|inviata da|spedito da",
    "nl": "verzonden vanaf|verzonden met|verzonden via|verstuurd vanaf|verstuurd met"
    "|verstuurd via|verzonden van|verstuurd van|verzonden vanuit",
    "pl": "wysłane z|wysłano z|wysłane za pomocą|wysłane przy użyciu|wysłana z|wysłano za pomocą",
    "pt": "enviado do|enviado a partir|enviado de|enviado com|enviado pelo|enviado via|enviada do"
    "|enviado através",
    "fi": "lähetetty|lähetettiin",
    "hu": "elküldve|küldve|az iphone-omról|az ipademről|iphone-omról",
    "ro": "trimis de pe|trimis din|trimis cu",
    "hr": "poslano s|poslano sa|poslano iz|poslato sa",
    "sl": "poslano iz|poslano z|poslano s",
    "tr": "iphone'umdan|gönderildi",
    "ru": "отправлено с|отправлено из|отправлено через",
    "uk": "надіслано з|надіслано зі|надіслано із|відправлено з",
    "ca": "enviat des",
    "el": "στάλθηκε από|απεσταλμένο από|εστάλη από",
    "bg": "изпратено от",
    "et": "saadetud",
    "lt": "išsiųsta iš|išsiųsta naudojant",
    "lv": "nosūtīts no",
    "id": "dikirim dari",
    "vi": "đã gửi từ|được gửi từ",
}
DEVICES = (
    r"i ?phon\w*|i ?pad\w*|i ?pod|apple watch\w*|android\w*|samsung\w*|galaxy|huawei\w*|xiaomi"
    r"|redmi|oneplus|pixel|motorola|nokia|sony|xperia|htc|lg|honor|blackberry\w*"
    r"|windows(?: phone| mail)?|outlook\w*|yahoo\w*|aol|gmail\w*|proton ?mail|proton|tutanota|tuta"
    r"|spark|k-9|fairmail|fairemail|mailtrack|thunderbird|mailbox|newton|airmail|email\.cz|seznam\w*|centrum|gmx"
    r"|sm-\w{4,8}|realme|mailbird|posteo|roundcube(?: webmail)?|mail\.de"
    r"|(?-i:Canary)|(?-i:Front)|(?-i:HEY)|(?-i:Missive)|(?-i:Shortwave)"
    r"|boxer|superhuman|mailspring|mimestream|em client|typeapp|(?-i:Nine)|moto|edison mail"
    r"|web\.de|t-online|freenet|orange|onet|wp|interia|libero|mail\.ru|zoho|mail"
    r"|mailapp|mobile (?:phone|device)|mobile|mobil\w*|cell(?:ular)? ?phone|smartphone\w*|handy"
    r"|handheld|tablet\w*|(?:[45]g )?lte smartphone|(?:wireless|lte|4g|5g|android) device"
    r"|surface(?: pro| go)?|fastmail"
    r"|telefon\w*|telefoon|telefono|teléfono|téléphone|telemóvel|celular|móvil|portable"
    r"|cellulare|komórk\w+|puhelim\w+|puhelin|kännykä\w*|matkapuhelim\w+|mobiltelefon\w*|phone"
    r"|айфона?|яндекс\w*|телефона?|мобильного|iphonu|ipadu"
)
# "Get Outlook for iOS", in whatever language: Outlook, its system, and perhaps a link.
APP_LINE = r"(?=.{0,80}\boutlook\b)(?=.{0,80}\b(?:ios|android)\w*\b)(?:[^\s.!?]+ ){1,7}[^\s.!?]+"

# Words of a reply that no person wrote, at the beginning of its subject.
AUTO_REPLY_SUBJECTS: dict[str, str] = {
    "en": "automatic reply|auto reply|auto-reply|autoreply|out of office|out-of-office"
    "|automatic response|auto response|vacation reply|i am out of the office",
    "cs": "automatická odpověď|automaticka odpoved|mimo kancelář|nepřítomnost",
    "sk": "automatická odpoveď|mimo kancelárie|neprítomnosť",
    "no": "automatisk svar|autosvar|fraværsmelding|fravær",
    "sv": "autosvar|automatiskt svar|frånvaromeddelande|frånvarande",
    "da": "automatisk svar|autosvar|ikke til stede|fraværsbesked",
    "de": "automatische antwort|abwesenheitsnotiz|abwesenheit|auto-antwort|autom. antwort",
    "fr": "réponse automatique|absence du bureau|absent du bureau|message d'absence",
    "es": "respuesta automática|fuera de la oficina|ausente",
    "it": "risposta automatica|fuori ufficio|assente dall'ufficio",
    "nl": "automatisch antwoord|afwezigheidsbericht|afwezig|niet op kantoor",
    "pl": "automatyczna odpowiedź|odpowiedź automatyczna|poza biurem|nieobecność|autoodpowiedź",
    "pt": "resposta automática|fora do escritório|ausência|ausente do escritório",
    "fi": "automaattinen vastaus|poissa|poissaoloviesti",
    "hu": "automatikus válasz|házon kívül|irodán kívül",
}
