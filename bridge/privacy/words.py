"""What stands around the words of `languages`, in all of them, and where the FCC's words bind."""

from __future__ import annotations

#: Of the weak words, those that beside an object speak of it rather than to us: delete message.
ALONE = """end, ende, fin, fine, fim, slut, slutt, konec, koniec, einde, alto, vége, kraj, край,
    крај, конец, кінець, τέλος, beigas, pabaiga, lõpp, t, td, dur, peru, نهاية, סיום, remove,
    seis, reserver,
    remove all, remove me, smazat, vymazať, slett, fjern, ta bort, radera, slet, löschen,
    supprimer, eliminar, borrar, cancella, rimuovi, elimina, verwijder, verwijderen, usuń,
    excluir, apagar, remover, poista, töröl, törlés, törölj, törölni, șterge, elimină, премахни,
    изтрий, удалить, удалите, видалити, sil, αφαίρεση, מחק, حذف, kustuta, eemalda, dzēst,
    ištrinti, obriši, ukloni, izbriši, odstrani, обриши"""

#: Members of +1, where the FCC's words count whatever the language (47 CFR 64.1200(a)(10)).
PLUS_ONE = frozenset(
    "US CA PR GU VI AS MP AG AI BB BM BS DM DO GD JM KN KY LC MS SX TC TT VC VG".split()
)
FCC = frozenset({"stop", "quit", "end", "revoke", "opt out", "cancel", "unsubscribe"})

#: Said around a word without changing it: thanks, please, greetings, "now".
POLITE = """please pls plz plese pleas pf thanks thanx thnx thankyou
    thank_u tyvm tysm thank_you thank_you_very_much many_thanks thx ty tnx tks
    thank kindly cheers regards re fwd yes a_u_b s_v_p p_f
    and und och og et y e i и та és și ve και en hi hello hey
        dear dear_sir sir madam ok okay now immediately today
    right_now asap at_once sorry good_morning good_afternoon good_evening good_day
    prosím prosim_vás prosím_vas děkuji děkuju díky dík moc_děkuji předem_děkuji dobrý_den
    dobré_ráno dobrý_večer ahoj
    hezký_den pěkný_den ihned hned okamžitě ďakujem vďaka ďakujem_pekne dobrý_deň
    takk takk_for_meg tusen_takk god_morgen god_dag god_kveld vennligst vær_så_snill er_du_snill
    hei mvh hilsen nå
    tack tack_så_mycket snälla vänligen hej nu tack_på_förhand
    tak mange_tak tak_for_det venligst venlig_hilsen
    guten_morgen guten_abend bitte danke dankeschön danke_schön vielen_dank hallo guten_tag sofort
    mfg jetzt bitte_sehr
    merci svp stp s_il_vous_plaît s_il_te_plaît sil_vous_plait bonjour cordialement maintenant
    merci_beaucoup merci_d_avance bonsoir
    por_favor gracias muchas_gracias hola buenas buenas_tardes saludos ya ahora porfa porfavor
    buenos_días xfa
    per_favore per_cortesia per_piacere grazie grazie_mille ciao subito buongiorno buonasera
    saluti prego
    goedemorgen goedemiddag goedenavond goedendag alstublieft alsjeblieft aub bedankt dank dank_u
    dank_je dank_u_wel graag dankjewel nu
    proszę dziękuję dzięki dzień_dobry dobry_wieczór cześć z_góry_dziękuję teraz natychmiast
    bom_dia boa_tarde boa_noite obrigado obrigada faz_favor olá agora se_faz_favor pfv
    hyvää_päivää kiitos ole_hyvä olkaa_hyvä kiitti hei heti kiitoksia pyydän
    jó_napot jó_napot_kívánok köszönöm kérem köszi kérlek légyszi legyen_szíves most azonnal
    köszönettel
    mulțumesc vă_rog vă_rog_frumos bună te_rog mersi acum imediat bună_ziua
    моля благодаря моля_ви мерси здравейте добър_ден сега веднага
    пожалуйста спасибо пж плиз прошу добрый_день здравствуйте сейчас немедленно спс заранее_спасибо
    добрий_день доброго_дня будь_ласка дякую прошу_вас зараз негайно
    lütfen teşekkürler teşekkür_ederim sağol sağolun merhaba iyi_günler hemen şimdi tesekkurler
    rica_ederim
    καλημέρα καλησπέρα παρακαλώ ευχαριστώ σας_παρακαλώ σας_ευχαριστώ τώρα αμέσως parakalo efharisto
    תודה בבקשה תודה_רבה שלום אבקש עכשיו מיד
    شكرا من_فضلك من_فضلكم رجاء لو_سمحت لو_سمحتم السلام_عليكم الآن فورا شكرا_لك
    tere palun aitäh tänan kohe
    labdien lūdzu paldies tūlīt
    laba_diena prašau ačiū dabar dėkoju
    molim hvala molim_vas hvala_lijepa hvala_lijepo hvala_puno dobar_dan odmah
    lijep_pozdrav pozdrav prosim dober_dan takoj lp hvala_lepa
    молим хвала
    pretty_please hiya mate bro xx goodbye bye have_a_nice_day have_a_good_day have_a_good_one
    nice_day good_night krásný_den hezký_večer pěkný_večer nashledanou na_shledanou a_nashledanou
    a_hezký_den přeji_hezký_den přeji_pěkný_den
    a_přeji_hezký_den a_přeji_pěkný_den a_prajem_pekný_deň in_lep_dan ויום_טוב ويوم_سعيد
    un_jauku_dienu ir_geros_dienos ja_head_päeva ja_hyvää_päivänjatkoa
    hezký_zbytek_dne prajem_pekný_deň pekný_deň prajem_pekný_večer dovidenia do_videnia
    ha_en_fin_dag ha_en_god_dag hav_det_godt ha_det_godt ha_det fin_dag god_dag_videre ha_det_bra
    ha_en_bra_dag ha_en_trevlig_dag trevlig_dag hej_då hav_en_god_dag hav_en_dejlig_dag
    god_aften farvel
    schönen_tag schönen_tag_noch einen_schönen_tag einen_schönen_tag_noch schönen_abend
    schönes_wochenende auf_wiedersehen tschüss bonne_journée bonne_soirée au_revoir bon_week_end
    buen_día buen_dia que_tengan_buen_día que_tenga_buen_día adiós buenas_noches buona_giornata
    buona_serata arrivederci miłego_dnia dobrego_dnia do_widzenia fijne_dag fijne_dag_nog
    prettige_dag een_fijne_dag tot_ziens szép_napot szép_napot_kívánok viszlát
    viszontlátásra o_zi_bună zi_bună la_revedere adeus tenha_um_bom_dia um_bom_dia
    хорошего_дня всего_доброго до_свидания доброго_дня всего_хорошего гарного_дня
    до_побачення на_все_добре приятен_ден хубав_ден довиждане лек_ден
    καλή_μέρα καλη_συνέχεια καλό_βράδυ αντίο iyi_akşamlar hoşçakalın kolay_gelsin iyi_geceler
    hyvää_päivänjatkoa hyvää_päivän_jatkoa mukavaa_päivää hyvää_iltaa näkemiin
    head_päeva kena_päeva head_aega jauku_dienu labu_dienu uz_redzēšanos
    geros_dienos viso_gero iki_pasimatymo ugodan_dan lijep_dan doviđenja prijatan_dan
    lep_dan lep_dan_še_naprej nasvidenje יום_טוב יום_נעים ערב_טוב להתראות
    مع_السلامة يوم_سعيد نهارك_سعيد صباح_الخير مساء_الخير وشكرا
    cheerio see_you see_ya all_the_best mějte_se mějte_se_hezky mějte_se_dobře majte_sa
    majte_sa_pekne ha_det_fint vi_snakkes ha_det_så_bra vi_hörs vi_ses mach_s_gut machs_gut servus
    à_bientôt cuídense hasta_luego statemi_bene a_presto até_logo até_breve trzymajcie_się na_razie
    groetjes doei tot_later moi_moi terveisin szia sziasztok пока до_встречи бувайте görüşürüz
    vidimo_se visu_labu
    thanks_in_advance thank_you_in_advance much_appreciated appreciate_it thanks_again thanks_a_lot
    thanks_so_much thank_you_so_much thank_you_kindly with_thanks take_care best_wishes sincerely
    předem_díky děkuji_předem děkuji_vám děkuju_vám moc_děkuju mockrát_děkuji díky_moc moc_díky
    zdravím vopred_ďakujem ďakujem_vopred ďakujem_vám på_forhånd_takk takk_på_forhånd mange_takk
    hjertelig_takk tack_så_hemskt_mycket på_forhånd_tak tak_på_forhånd danke_im_voraus besten_dank
    vielen_dank_im_voraus herzlichen_dank danke_sehr merci_par_avance par_avance_merci merci_bien
    gracias_de_antemano de_antemano_gracias mil_gracias un_saludo grazie_in_anticipo molte_grazie
    in_anticipo_grazie desde_já_obrigado desde_já_obrigada obrigado_desde_já muito_obrigado
    muito_obrigada mulțumesc_anticipat mulțumesc_frumos vă_mulțumesc dziękuję_z_góry
    dziękuję_bardzo bardzo_dziękuję alvast_bedankt bedankt_alvast bij_voorbaat_dank hartelijk_dank
    kiitos_etukäteen kiitos_paljon paljon_kiitoksia előre_is_köszönöm köszönöm_előre
    köszönöm_szépen tisztelettel спасибо_заранее большое_спасибо спасибо_большое благодарю
    заздалегідь_дякую щиро_дякую дуже_дякую наперед_дякую предварително_благодаря много_благодаря
    благодаря_предварително şimdiden_teşekkürler çok_teşekkürler ευχαριστώ_εκ_των_προτέρων
    ευχαριστώ_πολύ תודה_מראש شكرا_مقدما شكرا_جزيلا tänan_ette ette_tänades suur_tänu liels_paldies
    jau_iepriekš_paldies iš_anksto_dėkoju labai_ačiū hvala_unaprijed unaprijed_hvala hvala_vnaprej
    najlepša_hvala
    si_us_plau gràcies takk_fyrir vinsamlegast më_falni faleminderit ju_lutem tolong terima_kasih
    mohon cảm_ơn làm_ơn salamat por_fabor eskerrik_asko mesedez go_raibh_maith_agat diolch
    धन्यवाद कृपया لطفا ممنون متشکرم ขอบคุณ
    谢谢 謝謝 請 请 お願いします ありがとう ありがとうございます 감사합니다 부탁드립니다"""

#: What a good wish is for, and what else it is made of: behind STOP it says nothing more.
TIMES = """day evening night weekend week den večer víkend týden deň dne dag kveld aften kväll helg
    tag abend nacht wochenende woche journée soirée semaine day weekend week_end día tarde noche
    semana dia noite giornata serata dnia wieczoru avond päivää iltaa päivänjatkoa viikonloppua
    napot estét hétvégét zi seară päeva õhtut dienu vakaru dienos dan дня вечера вечору ден μέρα
    ημέρα βράδυ günler akşamlar gün יום ערב ויום يوم ويوم"""
WELL = """have a an and the you your very nice good great lovely rest of přeji přeju vám hezký pěkný
    krásný příjemný zbytek prajem pekný príjemný ha hav en et fin god trevlig dejlig rart videre
    ønsker deg dere ein eine einen schönen schönes schöne gute guten wünsche ihnen noch bonne bon
    belle fin à vous passez une un buen buena bonito feliz fin que tenga tengan bom boa ótimo tenha
    buona buon bella miłego dobrego życzę fijne prettige nog een hyvää mukavaa szép jó bună
    frumoasă o și head kena jauku labu geros gražios ugodan lijep lep prijeten želim хорошего
    доброго приятного желаю гарного приятен хубав лек καλή καλό όμορφη iyi güzel dilerim טוב נעים
    سعيد طيب i e y a og och ve и та και ja ir in et und"""

#: What a stop word may be followed or preceded by: what is to stop.
OBJECTS = """от из z ze zo od fra från vom von du des van dalla dal da de novinek novinky
    sms smses smsky smsek smska smskám sms_messages text texts text_messages message
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
    sõnumid sõnumitest teated teadetest tellimus tellimusest ziņas īsziņas
    abonements žinutės žinutes pranešimai prenumerata
    poruke poruka obavijesti pretplata pretplatu sporočila obvestila naročnina поруке"""

#: Slips of the finger: not the word, yet nobody can mean another thing.
SLIPS = """stpo sotp tsop stopp_it stip_sms unsubcribe unsuscribe unsubsribe unsubscibe unsubscrib
    unsubscrive unsubscirbe unsubscribed_me ubsubscribe usubscribe unsubscripe unscubscribe
    unsubribe odhlsit odhasit ohlasit abmlden abmelde abbestelen desaboner desincrire desincription
    descadastar wypsz stoop spam txt_stop text_stop reply_stop send_stop
    write_stop stop_to_all reply_with_stop"""
