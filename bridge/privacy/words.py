"""The exact words by which people opt out, opt in again and ask for help, by language.

As people write them; `keywords` folds case, marks and punctuation away.  Sources: the words that
carriers and regulators name (FCC 47 CFR 64.1200(a)(10), CTIA, the French 36xxx rule, Turkish
"RET", Israeli "הסר") and each language's own verbs on unsubscribe buttons.
"""

from __future__ import annotations

#: Nobody writes these alone, or with `OBJECTS`, and means anything else.
STOP: dict[str, str] = {
    "en": """stop, stopall, stop all, unsubscribe, unsubscribe me, unsub, quit, revoke, optout,
        opt out, opt me out, opt out all, stop all messages, stop all texts, stop all sms, stop
        all alerts, stop texts, unsubscribed, unsubscribe all, no sms,
        stop now, cancel subscription, end subscription,
        remove subscription, stop subscription, unsubscribe from all""",
    "cs": """odhlásit, odhlásit se, odhlašuji, odhlašuji se, odhlaste mě, odhlaste, odhlas,
        odhlas mě, odhlásit mě, neposílat, nezasílat, neposílejte, nezasílejte, zrušit odběr,
        ukončit odběr, odhlášení, odhlášení odběru, zrušit odebírání, zrušit zasílání,
        ukončit zasílání, zastavit zasílání, odhlásit z odběru, odhlásit zasílání,
        zruš odběr, ukonči odběr, odhlasuji se""",
    "sk": """odhlásiť, odhlásiť sa, odhlasujem sa, odhláste ma, odhlás ma, odhláste, neposielať,
        neposielajte, nezasielať, nezasielajte, zrušiť odber, ukončiť odber, odhlásenie,
        odhlásiť ma, zrušiť odoberanie, zrušiť zasielanie, ukončiť zasielanie""",
    "no": """stopp, avmeld, avmelding, meld av, meld meg av, avmeld meg, reserver meg,
        avslutt abonnement, stopp abonnement, si opp abonnement, stopp alle, stans,
        avslutt abonnementet, avregistrer, meld ut, meld meg ut""",
    "sv": """stopp, avregistrera, avregistrera mig, avsluta, avanmäl, avanmälan, avanmäl mig,
        avprenumerera, avsluta prenumeration, avsluta prenumerationen,
        stoppa, stoppa sms, anmäl av""",
    "da": """afmeld, afmelding, afmeld mig, frameld, frameld mig, framelding, meld af,
        meld mig fra, meld mig af, opsig abonnement, afmeld abonnement, stop alle,
        afmeld nyhedsbrev, afslut abonnement""",
    "de": """stopp, abmelden, abmeldung, abbestellen, abbestellung, austragen, austragen bitte,
        mich abmelden, melde mich ab, abmelden alle, abo kündigen, abo beenden,
        stoppen, abo stoppen, abo abbestellen, widerruf, widerrufen""",
    "fr": """arrêt, arrêter, arrêtez, stopper, désabonner, désabonnez, désabonnement, désinscrire,
        désinscription, désabonnez moi, désinscrivez moi, me désabonner, me désinscrire,
        se désabonner, se désinscrire, résilier, désinscrit, désinscris moi, désabonne moi,
        annuler abonnement, annuler inscription, stop pub""",
    "es": """baja, darse de baja, dar de baja, darme de baja, dame de baja, de baja, deme de baja,
        denme de baja, baja por favor, desuscribir, desuscribirse, desuscribirme, desuscripción,
        cancelar suscripción, anular suscripción, cancelar la suscripción, desinscribir,
        no molestar, pare, desinscribirme, eliminar suscripción, terminar suscripción""",
    "it": """disiscrivi, disiscrivimi, disiscriviti, disiscrizione, disiscriversi, cancellami,
        cancellazione, disattiva, disattivare, disattivazione, annulla iscrizione,
        cancella iscrizione, annullare iscrizione, disiscrivermi, annulla
        abbonamento, stop pubblicità, revoca, rimuovimi""",
    "nl": """afmelden, afmelding, uitschrijven, uitschrijving, stoppen, meld me af, meld mij af,
        schrijf me uit, schrijf mij uit, opzeggen, abonnement opzeggen, afmeld, uitschrijf,
        abonnement stoppen, afmelden alle, ik meld me af""",
    "pl": """wypisz, wypisz mnie, wypisać, wypisuję się, wypisz się, rezygnuję, rezygnacja,
        rezygnuj, anuluj subskrypcję, anulować subskrypcję, odsubskrybuj, wyrejestruj,
        wyrejestruj mnie, zrezygnuj, wyłącz sms,
        koniec subskrypcji, zakończ subskrypcję""",
    "pt": """sair, descadastrar, descadastre, descadastrar me, descadastro, descadastre me,
        desinscrever, desinscrever me, cancelar inscrição, cancelar assinatura,
        cancelar subscrição, pare, parem, desativar, desinscrição, anular subscrição,
        remover inscrição, cancelar cadastro""",
    "fi": """lopeta, lopetus, lopettaa, peru tilaus, peruuta tilaus, lopeta tilaus, tilaus pois,
        peru tilaukseni, lopeta viestit, lopeta tekstiviestit, peruuta viestit, peru viestit,
        stoppi, eroa listalta, poista listalta""",
    "hu": """leiratkozás, leiratkozom, leiratkozni, leiratkoz, leiratkozik,
        leállítás, leállít, leállítani, iratkozz le, leiratkozok, feliratkozás törlése,
        leiratkozást""",
    "ro": """dezabonare, dezabonează, dezabonează mă, dezabonati ma, dezabonez, mă dezabonez,
        dezabonați, renunț, renunțare, opriți, oprește, oprire, stop abonament, dezactivare,
        dezactivează, anulare abonament, anulează abonamentul, anulează abonament""",
    "bg": """стоп, спри, спрете, отпиши, отпиши ме, отписване, отпишете ме, отпишете, отписвам се,
        отказ от абонамент, прекрати, прекратете, спиране, отабонирай, отказвам се, otpishi,
        прекратяване, отказ от известия""",
    "ru": """стоп, отписаться, отписка, отпишите, отпишите меня, отпиши, отпиши меня,
        отписать, отписываюсь, отписывайте, отключить, отключите, откажусь, отказаться,
        отказ от рассылки, отказываюсь, остановить, остановите, отменить подписку,
        отмена подписки, отпишись, прекратить, прекратите, otpisatsya, отключить рассылку""",
    "uk": """стоп, відписатися, відписатись, відписка, відпишіть, відпишіть мене, відпиши,
        відпиши мене, відписуюсь, відмовитися, відмовляюсь, відключити, скасувати підписку,
        зупинити, зупиніть, припинити, припиніть, відмова від розсилки""",
    "tr": """ret, iptal, durdur, durdurun, iptal et, iptal edin, abonelikten çık, aboneliği iptal,
        abonelik iptal, abonelik iptali, aboneliğimi iptal et, abonelikten çıkmak, listeden çık,
        sms ret, sms iptal, üyelik iptal, üyelikten çık, aboneliği sonlandır,
        aboneliği iptal et""",
    "el": """στοπ, διακοπή, διαγραφή, απεγγραφή, κατάργηση εγγραφής, σταματήστε, σταμάτα,
        διακόψτε, διέγραψε με, διαγράψτε με, ακύρωση εγγραφής, ακύρωση συνδρομής, απεγγραφη,
        κατάργηση συνδρομής, diagrafi, diakopi""",
    "he": """הסר, הסרה, להסרה, להסיר, עצור, עצרו, הפסק, הפסיקו, סטופ, הסירו אותי, הסר אותי,
        הסירו, תסירו אותי, ביטול מנוי, בטל מנוי, בטלו מנוי, ביטול הרשמה, לעצור, תסירו,
        הסרה מרשימה, הסרה מהרשימה, הסר מהרשימה, תפסיקו""",
    "ar": """توقف, إيقاف, أوقف, أوقفوا, إلغاء, إلغاء الاشتراك, الغاء اشتراك, ألغ الاشتراك,
        ألغي الاشتراك, قف, ستوب, وقف, أوقف الرسائل, إيقاف الرسائل, الغاء الاشتراك, توقفوا,
        إلغاء اشتراكي, الغي الاشتراك""",
    "et": """stopp, lõpeta, lõpetage, tühista tellimus, loobu, loobun, lõpeta tellimus,
        eemalda listist, tellimuse lõpetamine, peata, lõpetada, loobuda, tellimusest loobumine""",
    "lv": """atteikties, atrakstīties, apturēt, atsakos, pārtraukt, stopp, atcelt abonementu,
        atteikums, beigt, pārtrauciet, atrakstīt, atcelt abonēšanu, apturi, izrakstīties""",
    "lt": """sustabdyti, atsisakyti, atsisakau, stabdyti, atšaukti prenumeratą, nutraukti,
        nebesiųsti, nebesiųskite, sustabdykite, atsisakymas, nesiųsti, atsisakyti prenumeratos,
        stabdyk, nutraukite""",
    "hr": """odjava, odjavi, odjavi me, odjavite me, odjavite, odjaviti, odjavi se, odjavljujem se,
        zaustavi, zaustavite, otkaži pretplatu, prekini pretplatu, obustavi, odjavite se,
        prestani, prestanite, odjaviti se, otkazivanje pretplate""",
    "sl": """odjava, odjavi, odjavi me, odjavite me, odjaviti se, odjavljam se, ustavi, ustavite,
        prekliči naročnino, prekini naročnino, odjavi se, odjaviti, prekini, ustaviti,
        preklic naročnine""",
    "sr": """стоп, одјава, одјави, одјави ме, заустави, одјавите ме, престаните, откажи претплату,
        прекини""",
    "zh": "退订, 退訂, 停止, 取消订阅, 取消訂閱, 拒收",
    "ja": "停止, 配信停止, 解除, 登録解除, 配信解除, ストップ",
    "ko": "수신거부, 중지, 그만, 구독취소, 스톱",
    "vi": "dừng lại, hủy đăng ký, ngừng, từ chối",
    "th": "ยกเลิก, หยุด",
    "id": "berhenti, unreg, batal langganan",
}

#: Everyday words as well: an opt-out only in their own countries, elsewhere a person looks.
WEAK: dict[str, str] = {
    "en": "end, cancel, remove, cancel all, remove all, end all, remove me",
    "cs": "zrušit, konec, ukončit, zrušte, smazat, přestat, přestaňte, zastavit",
    "sk": "zrušiť, koniec, ukončiť, vymazať, prestaňte, zastaviť",
    "no": "slutt, avslutt, slett, fjern, avbryt, avbestill, reserver",
    "sv": "sluta, slut, ta bort, avbryt, radera, säg upp, avbeställ",
    "da": "slut, slet, fjern, annuller, opsig, meld fra",
    "de": "ende, beenden, löschen, aufhören, kündigen, kündigung",
    "fr": "fin, annuler, supprimer, terminer",
    "es": "fin, parar, alto, cancelar, anular, eliminar, borrar, cancela, detener",
    "it": """fine, basta, cancella, annulla, rimuovi, elimina, annullare, ferma, fermare, disdire,
        disdetta""",
    "nl": "einde, verwijder, annuleren, verwijderen, beëindigen",
    "pl": "anuluj, koniec, usuń, przestań, przestańcie, zakończ",
    "pt": "cancelar, remover, fim, parar, cancela, cancele, excluir, apagar, anular, desisto",
    "fi": "peru, peruuta, poista, seis",
    "hu": "vége, állj, töröl, törlés, mondd le, törölj, törölni, lemondás, lemondom, lemondani",
    "ro": "anulare, anulează, sfârșit, șterge, elimină",
    "bg": "отказ, край, премахни, изтрий, отмени",
    "ru": "отмена, хватит, конец, удалить, отменить, отказ, удалите, прекрати",
    "uk": "скасувати, кінець, видалити, відмова, скасуйте",
    "tr": "dur, çık, çıkış, bitir, sil, kapat, istemiyorum",
    "el": "τέλος, ακύρωση, αφαίρεση",
    "he": "ביטול, בטל, מחק, סיום",
    "ar": "نهاية, خروج, حذف, إنهاء",
    "et": "lõpp, tühista, kustuta, eemalda",
    "lv": "beigas, atcelt, dzēst",
    "lt": "pabaiga, atšaukti, ištrinti",
    "hr": "kraj, otkaži, obriši, prekini, ukloni",
    "sl": "konec, prekliči, izbriši, odstrani, nehajte",
    "sr": "крај, откажи, обриши",
    "zh": "取消, t, td",
    "ja": "キャンセル, 終了",
    "ko": "취소",
}

#: Of the weak words, those that beside an object speak of it rather than to us: delete message.
ALONE = """end, ende, fin, fine, fim, slut, slutt, konec, koniec, einde, alto, vége, kraj, край,
    крај, конец, кінець, τέλος, beigas, pabaiga, lõpp, t, td, dur, peru, نهاية, סיום, remove,
    seis, reserver,
    remove all, remove me, smazat, vymazať, slett, fjern, ta bort, radera, slet, löschen,
    supprimer, eliminar, borrar, cancella, rimuovi, elimina, verwijder, verwijderen, usuń,
    excluir, apagar, remover, poista, töröl, törlés, törölj, törölni, șterge, elimină, премахни,
    изтрий, удалить, удалите, видалити, sil, αφαίρεση, מחק, حذف, kustuta, eemalda, dzēst,
    ištrinti, obriši, ukloni, izbriši, odstrani, обриши"""

#: Countries whose people write the language: there a weak word counts as it stands.
COUNTRIES: dict[str, str] = {
    "en": "US CA GB IE AU NZ ZA IN SG MT JM TT BS BB PR GU VI AS MP BM KY AG AI DM GD KN LC MS "
    "SX TC VC VG GG IM JE",
    "cs": "CZ SK",
    "sk": "SK CZ",
    "no": "NO SJ",
    "sv": "SE FI AX",
    "da": "DK GL FO",
    "de": "DE AT CH LI LU BE",
    "fr": "FR BE CH LU MC CA RE GP MQ GF YT NC PF SN CI CM MA TN DZ",
    "es": "ES MX AR CO CL PE VE EC GT CU BO DO HN PY SV NI CR PA UY GQ PR US",
    "it": "IT SM VA CH",
    "nl": "NL BE SR AW CW BQ SX",
    "pl": "PL",
    "pt": "PT BR AO MZ CV GW ST TL",
    "fi": "FI AX",
    "hu": "HU",
    "ro": "RO MD",
    "bg": "BG",
    "ru": "RU BY KZ KG UA MD",
    "uk": "UA",
    "tr": "TR CY",
    "el": "GR CY",
    "he": "IL",
    "ar": "SA AE EG JO LB SY IQ KW QA BH OM YE LY TN DZ MA SD PS IL",
    "et": "EE",
    "lv": "LV",
    "lt": "LT",
    "hr": "HR BA RS ME",
    "sl": "SI",
    "sr": "RS BA ME",
    "zh": "CN TW HK MO SG",
    "ja": "JP",
    "ko": "KR",
}

#: Members of +1, where the FCC's words count whatever the language (47 CFR 64.1200(a)(10)).
PLUS_ONE = frozenset(
    "US CA PR GU VI AS MP AG AI BB BM BS DM DO GD JM KN KY LC MS SX TC TT VC VG".split()
)
FCC = frozenset({"stop", "quit", "end", "revoke", "opt out", "cancel", "unsubscribe"})

START: dict[str, str] = {
    "en": """start, unstop, subscribe, optin, opt in, opt me in, resume, join, subscribe me,
        start all, restart, resubscribe, sign me up, unstop all, start again""",
    "cs": """přihlásit, přihlásit se, přihlásit odběr, odebírat, přihlaste mě, znovu přihlásit,
        obnovit odběr, zahájit odběr, přihlášení, přihlas mě""",
    "sk": """prihlásiť, prihlásiť sa, odoberať, prihláste ma, obnoviť odber, prihlásenie,
        prihlásiť odber""",
    "no": """meld på, meld meg på, påmelding, påmeld, abonner, abonnere, start abonnement,
        meld meg inn, begynn""",
    "sv": """starta, prenumerera, anmäl, anmäl mig, anmälan, börja, starta om, registrera,
        anmäl mig igen""",
    "da": "tilmeld, tilmelding, tilmeld mig, meld til, meld mig til, abonner, begynd",
    "de": "anmelden, anmeldung, abonnieren, starten, mich anmelden, eintragen, beginnen",
    "fr": """s abonner, abonner, abonnez moi, m abonner, inscription, inscrire, m inscrire,
        reprendre, commencer, démarrer, réabonner, s inscrire, inscrivez moi""",
    "es": """alta, suscribir, suscribirse, suscribirme, suscripción, inscribirme, empezar, iniciar,
        comenzar, reanudar, dar de alta, darme de alta, suscríbeme""",
    "it": """iscrivi, iscriviti, iscrivimi, iscrizione, attiva, riattiva, attivare, inizia,
        riprendi, avvia, abbonami""",
    "nl": "aanmelden, aanmelding, inschrijven, meld me aan, meld mij aan, abonneren, beginnen, "
    "inschrijving, schrijf me in",
    "pl": "zapisz, zapisz mnie, zapisuję się, subskrybuj, zacznij, wznów, rozpocznij, dołącz",
    "pt": """inscrever, inscreva me, inscrever me, assinar, subscrever, aderir, iniciar, começar,
        retomar, cadastrar, ativar""",
    "fi": "aloita, tilaa, liity, jatka, tilaa viestit, aloita tilaus",
    "hu": "feliratkozás, feliratkozom, feliratkozni, indít, kezdés, feliratkoz, indítás",
    "ro": "abonare, abonează mă, abonează, mă abonez, începe, pornește, reia, pornire",
    "bg": "старт, абонирай, абонирай ме, запиши, запиши ме, записване, започни",
    "ru": """старт, подписаться, подпишите, подпишите меня, подпиши меня, начать,
        возобновить, подписываюсь""",
    "uk": "старт, підписатися, підписатись, підпишіть мене, почати, відновити",
    "tr": "başla, başlat, abone ol, kayıt, katıl, kaydol, abone",
    "el": "έναρξη, εγγραφή, ξεκίνα, εγγράψτε με, στάρτ, ενεργοποίηση",
    "he": "התחל, הרשמה, הרשם, הצטרף, הצטרפות, חידוש, התחילו, סטארט",
    "ar": "ابدأ, اشتراك, اشترك, بدء, تفعيل, ابدا, الاشتراك, استئناف",
    "et": "alusta, liitu, telli, tellin, jätka",
    "lv": "sākt, pieteikties, abonēt, pievienoties, atsākt",
    "lt": "pradėti, prenumeruoti, užsisakyti, registruotis, prisijungti, atnaujinti",
    "hr": "prijava, prijavi, prijavi me, prijavite me, pretplati me, pretplati, kreni, započni",
    "sl": "prijava, prijavi, prijavi me, prijavite me, naroči, naroči me, začni",
    "sr": "пријава, пријави, пријави ме, почни, старт",
    "zh": "开始, 订阅, 訂閱",
    "ja": "開始, 登録, スタート",
    "ko": "시작, 구독",
}

HELP: dict[str, str] = {
    "en": "help, info, information, helpme",
    "cs": "pomoc, nápověda, informace, info",
    "sk": "pomoc, nápoveda, informácie",
    "no": "hjelp, informasjon",
    "sv": "hjälp, information",
    "da": "hjælp, information",
    "de": "hilfe, infos, information",
    "fr": "aide, infos, information, renseignements",
    "es": "ayuda, información",
    "it": "aiuto, informazioni, assistenza",
    "nl": "hulp, informatie",
    "pl": "pomoc, informacja, informacje",
    "pt": "ajuda, informação, informações",
    "fi": "apua, ohje, ohjeet, tiedot, apu, neuvo",
    "hu": "segítség, súgó, információ, infó",
    "ro": "ajutor, informații, informatii",
    "bg": "помощ, информация, инфо, хелп",
    "ru": "помощь, справка, инфо, информация, хелп",
    "uk": "допомога, довідка, інфо, поміч, інформація",
    "tr": "yardım, bilgi, destek",
    "el": "βοήθεια, πληροφορίες",
    "he": "עזרה, מידע",
    "ar": "مساعدة, معلومات, المساعدة",
    "et": "abi, teave",
    "lv": "palīdzība, palīgā, informācija",
    "lt": "pagalba, informacija",
    "hr": "pomoć, informacije",
    "sl": "pomoč, informacije",
    "sr": "помоћ, инфо",
    "zh": "帮助, 幫助",
    "ja": "ヘルプ",
    "ko": "도움말",
}

#: Said around a word without changing it: thanks, please, greetings, "now".
POLITE = """please pls plz plese thanks thank_you thank_you_very_much many_thanks thx ty tnx tks
    thank kindly cheers regards re fwd yes a_u_b s_v_p p_f
    and und och og et y e i и та és și ve και en hi hello hey
        dear dear_sir sir madam ok okay now immediately today
    right_now asap at_once sorry
    prosím prosim_vás prosím_vas děkuji děkuju díky dík moc_děkuji předem_děkuji dobrý_den ahoj
    hezký_den pěkný_den ihned hned okamžitě ďakujem vďaka ďakujem_pekne dobrý_deň
    takk tusen_takk vennligst vær_så_snill er_du_snill hei mvh hilsen nå
    tack tack_så_mycket snälla vänligen hej nu tack_på_förhand
    tak mange_tak tak_for_det venligst venlig_hilsen
    bitte danke dankeschön danke_schön vielen_dank hallo guten_tag sofort mfg jetzt bitte_sehr
    merci svp stp s_il_vous_plaît s_il_te_plaît sil_vous_plait bonjour cordialement maintenant
    merci_beaucoup merci_d_avance bonsoir
    por_favor gracias muchas_gracias hola saludos ya ahora porfa porfavor buenos_días xfa
    per_favore per_cortesia per_piacere grazie grazie_mille ciao subito buongiorno saluti prego
    alstublieft alsjeblieft aub bedankt dank dank_u dank_je dank_u_wel graag dankjewel nu
    proszę dziękuję dzięki dzień_dobry cześć z_góry_dziękuję teraz natychmiast
    obrigado obrigada faz_favor olá agora se_faz_favor pfv
    kiitos ole_hyvä olkaa_hyvä kiitti hei heti kiitoksia pyydän
    köszönöm kérem köszi kérlek légyszi legyen_szíves most azonnal köszönettel
    mulțumesc vă_rog te_rog mersi acum imediat bună_ziua
    моля благодаря моля_ви мерси здравейте сега веднага
    пожалуйста спасибо пж плиз прошу здравствуйте сейчас немедленно спс заранее_спасибо
    будь_ласка дякую прошу_вас зараз негайно
    lütfen teşekkürler teşekkür_ederim sağol sağolun merhaba hemen şimdi tesekkurler rica_ederim
    παρακαλώ ευχαριστώ σας_παρακαλώ σας_ευχαριστώ τώρα αμέσως parakalo efharisto
    תודה בבקשה תודה_רבה שלום אבקש עכשיו מיד
    شكرا من_فضلك من_فضلكم رجاء لو_سمحت لو_سمحتم السلام_عليكم الآن فورا شكرا_لك
    palun aitäh tänan kohe
    lūdzu paldies tūlīt
    prašau ačiū dabar dėkoju
    molim hvala molim_vas hvala_lijepa odmah lijep_pozdrav pozdrav prosim takoj lp hvala_lepa
    молим хвала
    谢谢 請 请 お願いします 감사합니다"""

#: What a stop word may be followed or preceded by: what is to stop.
OBJECTS = """от из z ze zo od fra från vom von du des van dalla dal da de novinek novinky
    sms smses smsky smsek smska sms_messages text texts text_messages message
    messages msg msgs notifications notification alerts alert newsletter newsletters ads marketing
    promo promos promotions subscription subscriptions mailing mailings
    odběr odběru zprávy zpráv zasílání upozornění reklamy reklamu newsletteru z_odběru
    odber odberu správy správ zasielanie upozornenia
    meldinger melding meldingene varsler varsel varslene reklame abonnement abonnementet nyhetsbrev
    meddelanden meddelande utskick aviseringar prenumeration prenumerationen nyhetsbrevet
    beskeder besked nyhedsbrev tilmelding
    nachrichten nachricht werbung abo newsletter benachrichtigungen rundschreiben
    messages message publicité publicités pub abonnement alertes inscription
    mensajes mensaje publicidad suscripción notificaciones alertas avisos boletín
    messaggi messaggio pubblicità iscrizione abbonamento notifiche avvisi
    berichten bericht reclame meldingen nieuwsbrief abonnement
    wiadomości wiadomość subskrypcję subskrypcja subskrypcji reklamy powiadomienia smsy esemesy
    mensagens mensagem inscrição assinatura subscrição notificações alertas propaganda
    viestit viesti tekstiviestit ilmoitukset tilaus uutiskirje mainokset
    üzenetek üzenet hírlevél értesítések sms_ek
    mesaje mesajele abonament notificări abonamentul smsuri
    съобщения съобщенията смс известия абонамент реклама реклами
    сообщения смс рассылка рассылку рассылки рассылок подписка подписку уведомления реклама рекламу
    повідомлення розсилка розсилку розсилки підписку підписка сповіщення
    mesaj mesajlar mesajları sms_ler bildirim bildirimler abonelik
    μηνύματα sms_μηνύματα ενημερώσεις συνδρομή εγγραφή μηνυμάτων
    הודעות מנוי רשימה התראות דיוור
    الرسائل رسائل الاشتراك الاشعارات الإعلانات
    sõnumid teated tellimus ziņas īsziņas abonements žinutės žinutes pranešimai prenumerata
    poruke poruka obavijesti pretplata pretplatu sporočila obvestila naročnina поруке"""

#: Slips of the finger: not the word, yet nobody can mean another thing.
SLIPS = """stpo sotp tsop stopp_it stip_sms unsubcribe unsuscribe unsubsribe unsubscibe unsubscrib
    unsubscrive unsubscirbe unsubscribed_me ubsubscribe usubscribe unsubscripe unscubscribe
    unsubribe odhlsit odhasit ohlasit abmlden abmelde abbestelen desaboner desincrire desincription
    descadastar wypsz"""
