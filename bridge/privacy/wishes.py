"""What a wish to be left alone is made of, in each language; `keywords` has the rules.

A `*` ends a stem, `_` joins the words of a phrase.  Classes:

    cease    stop, quit (told to us)           not      don't, never
    send     to send, write, contact, bother   do       its form after "don't"
    nosend   "don't send" where it is one word nowant   I do not want
    msg      messages, notifications           recv     to receive
    me       me, us                            more     again, any more
    it       these, this, nothing              how      how, where, can I
    erase    delete, remove                    data     number, contact, data
    mine     my, this                          list     list, database
    unsub    to unsubscribe, in any form       phrase   a whole wish in itself
    short    one where little else is said     veto     it is about something else
    source   who gave you, where did you get   cancel   to cancel, a message or a visit
    visit    an appointment, a shift, a day
"""

from __future__ import annotations

WISHES: dict[str, dict[str, str]] = {
    "en": {
        "cease": "stop quit cease stopping turn_off switch_off disable cancel",
        "send": """
            texting txting messaging msging sending writing contacting spamming bothering
            harassing emailing
            sms_ing smsing pestering calling bugging notifying""",
        "do": "text txt message msg sms contact send spam bother_me bother_us email write notify",
        "it": "these this them it anything such nothing those that any my your you of from for",
        "not": "don_t dont do_not never not no_need_to",
        "msg": """
            messages texts sms smses notifications alerts text_messages spam newsletter
            newsletters msgs txts ads offers promos promotions adverts advertising mailings
            reminders updates marketing crap messaging""",
        "me": "we me us him her he she",
        "more": "again anymore any_more more ever further",
        "nowant": """
            don_t_want dont_want do_not_want don_t_wish do_not_wish no_longer_want
            no_longer_wish don_t_need dont_need do_not_need never_wanted don_t_like rather_not
            no_need_for sick_of tired_of fed_up_with never_asked_for didn_t_ask_for
            not_interested_in enough_of enough_with dont_wanna don_t_wanna did_not_agree_to
            didn_t_agree_to never_agreed_to did_not_consent_to don_t_agree_to""",
        "recv": """
            receive receiving recieve recieving get getting contacted be_contacted hear
            communication
            communications hearing""",
        "erase": """
            delete remove erase take drop scrub removing deleted removed cancel forget wipe
            unlist delist purge""",
        "data": "number nr phone contact contact_details details info data cell mobile",
        "mine": "my our this her his their me",
        "list": "list lists database system records mailing_list contacts subscription file",
        "unsub": "unsubscribe unsubscribing unsub opt_out opting_out opt_me_out sign_off",
        "how": "how where want_to like_to wish_to need_to can_i can_you please let_me trying_to",
        "phrase": """
            leave_me_alone leave_us_alone stop_spamming i_said_stop told_you_to_stop
            asked_you_to_stop i_already_said_stop stop_bothering stop_harassing
            withdraw_my_consent revoke_my_consent withdraw_consent revoke_consent
            no_longer_consent do_not_consent don_t_consent take_me_off remove_me_from
            get_me_off_your get_me_off_this get_me_off_the_list
            remove_my_number delete_my_number lose_my_number lose_this_number
            stop_contacting stop_texting stop_messaging take_my_number_off take_my_number_out
            wish_to_opt_out want_to_opt_out want_to_unsubscribe unsubscribe_me_from
            never_signed_up did_not_sign_up didn_t_sign_up don_t_want_to_hear_from
            do_not_want_to_hear_from never_text never_message never_contact reported_as_spam
            object_to_you_using object_to_the_use object_to_the_processing reporting_you
            report_you_to report_you_if cease_and_desist make_it_stop telling_you_to_stop
            keep_asking_you_to_stop
            make_them_stop""",
        "short": """
            not_interested no_longer_interested just_stop go_away get_lost enough_already stop_this
            stop_it stop_that stop_already please_stop_this wrong_number wrong_person
            knock_it_off leave_me_be delete_me this_is_spam last_time_stop want_out piss_off
            fuck_off stop_please_i block_me no_more_texts no_more_txts no_more_messages
            no_more_msgs no_more_sms
            no_more_of_these no_more_spam""",
        "source": """
            who_gave who_has_given how_did_you_get how_did_u_get where_did_you_get
            where_did_u_get how_do_you_have how_come_you_have where_have_you_got
            how_have_you_got""",
        "cancel": "cancel",
        "visit": """
            appointment* appt booking* reservation* visit shift shifts rota roster order
            slot table tomorrow tmrw monday tuesday wednesday thursday friday saturday
            sunday""",
        "veto": """
            the_generator the_pump stop_by stop_at stop_over bus_stop full_stop pit_stop
            systemctl one_stop non_stop nonstop stop_sign until_further call_me""",
    },
    "cs": {
        "cease": """
            přestaly
            přestaň* přestat přestanete skonč* ukonč* nechte nechat zastav* zrušt* zruš*
            zrusit stopn* vypn* stop dost""",
        "send": """
            posíla* psát zasíl* otravovat obtěžovat spamovat kontaktovat esemeskovat smskovat
            psaní posílání poslat odesíla* volat zasílání toho""",
        "not": "ne nikdy",
        "nosend": """
            neposíl* nepiš* nezasíl* neotravuj* neobtěžuj* nekontaktuj* nespamuj* neposla*
            nepsat neposlali neesemeskuj* nenapiš*""",
        "msg": """
            sms smsky smsek smskami smskama esemesky esemesek zpráv* upozornění reklam* spam*
            newsletter* nabíd* notifikac* oznámení zasílání odběr* marketing* sdělení
            obchodní_sdělení""",
        "me": "mi mě mně nám nás mne sem ode",
        "more": "už víc více dál dále nikdy znovu pořád furt",
        "nowant": """
            nechci nechceme nepřeji_si nepřeju_si nemám_zájem nemáme_zájem nežádám
            nechtěl_bych nestojím nezajím* nesouhlasím nepotřebuj* netouž* žádné_další
            už_žádné""",
        "recv": """
            chodit
            dostávat dostat přijímat odebírat odběr* kontaktován* kontaktovan* být_kontaktov*""",
        "erase": "smaž* vymaž* odstra* vyřa* vyškrtn* odeber* vyhoď* smazat zrušte zruš zrušit",
        "data": "číslo čísla číslu kontakt* údaje telefon* tel mobil",
        "mine": "mé moje můj naše tohle toto moji svoje mého mému mi",
        "list": "seznam* databáz* evidence listu systému adresář* rozesíl*",
        "unsub": """
            zrušit_odběr zruš*_odběr ukončit_odběr odhlášení zrušit_zasílání odhlásit odhlaste
            odhlas odhlašte odhlásím odhlašuji odhlašuju odhlásil_bych odhlásila_bych""",
        "how": "jak kde chci chtěl chtěla prosím můžete mohu lze dá chtěli chtěl_bych rád",
        "phrase": """
            už_od_vás_nic od_vás_nic_nechci dejte_mě_pryč
            dejte_mi_pokoj dejte_mi_už_pokoj dejte_mi_konečně_pokoj dejte_nám_pokoj
            nechte_mě_být nechte_mě_na_pokoji dej_mi_pokoj odvolávám_souhlas
            odvolávám_svůj_souhlas odvolávám_svůj stahuji_souhlas beru_zpět_souhlas
            psal_jsem_stop psala_jsem_stop říkal_jsem_stop řekl_jsem_stop napsal_jsem_stop
            nepřeji_si_dostávat neposílejte_mi_už už_mi_nic neobtěžovat""",
        "short": """
            nemám_zájem nemáme_zájem přestaňte_s_tím nechte_toho už_stop nezájem už_dost
            jděte_do_háje špatné_číslo to_je_spam děláte_si_legraci_stop běžte_pryč""",
        "it": "to tohle toto ty takové tyhle tyto nic žádné",
        "source": """
            odkud kdo_vám_dal kde_jste_vzal* kde_jste_přišl* kde_jste_sehnal*
            kde_jste_získal* jak_jste_přišl* jak_jste_získal* kdo_vám_poskytl*""",
        "cancel": "zruš* ukonč*",
        "visit": """
            termín* návštěv* směn* objednáv* rozvrh* zítra pondělí úterý středu čtvrtek
            pátek pátk* sobot* neděl*""",
        "veto": """
            volejte
            oběd* oběda školení zkoušk* kurz* schůzk* lekc* trénink* tábor* přednášk*
            rezervac* fakturu faktury mhd zastávk* generátor* obědů balík* zboží pumpu
            čerpadlo zavolejte zavolej""",
    },
    "sk": {
        "cease": "prestaň* prestať skonč* ukonč* nechajte zastav* zrušt* zruš* stopn* stop dosť",
        "send": """
            posielať písať zasiela* otravovať obťažovať spamovať kontaktovať posielanie
            písanie poslať posielani* volať toho""",
        "not": "nie nikdy",
        "nosend": """
            neposiela* nepíš* nezasiela* neotravuj* neobťažuj* nekontaktuj* nespamuj* nepísať
            neposla*""",
        "msg": """
            sms smsky smsiek esemesky správ* upozorneni* reklam* spam* newsletter* ponuk*
            notifikác* oznámeni* odber* zasielanie""",
        "me": "mi ma mne nám nás",
        "more": "už viac ďalej nikdy znova stále",
        "nowant": """
            nechcem nechceme neželám_si neprajem_si nemám_záujem nemáme_záujem nežiadam
            nestojím nezaujím* nesúhlasím žiadne_ďalšie už_žiadne""",
        "recv": "dostávať dostať prijímať odoberať",
        "erase": "vymaž* zmaž* odstráň* vyraď* vyškrtn* odober* zrušte",
        "data": "číslo čísla kontakt* údaje telefón* mobil",
        "mine": "moje môj naše toto moju svoje mi",
        "list": "zoznam* databáz* evidenc* systému listu",
        "unsub": """
            zrušiť_odber zruš*_odber odhlásenie odhlásiť odhláste odhlás odhlásim odhlasujem
            odhlásil_by""",
        "how": "ako kde chcem chcel chcela prosím môžete môžem dá",
        "phrase": """
            dajte_mi_pokoj dajte_nám_pokoj nechajte_ma_na_pokoji nechajte_ma odvolávam_súhlas
            odvolávam_svoj_súhlas písal_som_stop povedal_som_stop""",
        "short": """
            nemám_záujem nemáme_záujem už_dosť prestaňte_s_tým nechajte_toho nezáujem
            zlé_číslo""",
        "it": "to toto tieto také nič žiadne",
        "source": """
            odkiaľ kto_vám_dal kde_ste_vzal* kde_ste_prišl* kde_ste_získal*
            ako_ste_prišl* ako_ste_získal*""",
        "cancel": "zruš* ukonč*",
        "visit": """
            termín* návštev* zmenu zmeny smen* objednáv* zajtra pondelok utorok stredu
            štvrtok piatok sobot* nedeľ*""",
        "veto": """
            volejte
            obed* školeni* skúšk* kurz* stretnuti* faktúr* zastávk* tréning* zavolajte zavolaj""",
    },
    "no": {
        "cease": "hold_opp holde_opp nok slutt slutte stopp stopp* avslutt* kutt stop",
        "send": """
            sende skrive plage spamme kontakte mase tekste ringe sending utsending* forstyrre""",
        "do": "send skriv kontakt sms plag spam tekst",
        "it": "jeg disse dette det denne dere noe slikt sånt fra",
        "not": "ikke aldri slutt_å",
        "msg": """
            sms smser sms_er sms_ene melding* meldingene varsel varsler varslene reklame* spam
            nyhetsbrev tilbud notiser tekstmelding* utsendels*""",
        "me": "meg oss mitt min",
        "more": "mer igjen lenger flere noe_mer noe",
        "nowant": """
            vil_ikke ønsker_ikke ikke_ønsker ikke_interessert orker_ikke trenger_ikke
            vil_ikke_lenger gidder_ikke lei_av lei_disse har_ikke_bedt_om ikke_vil
            vil_jeg_ikke ønsker_jeg_ikke""",
        "recv": "motta få ha",
        "erase": "slett* fjern* stryk ta ta_bort ta_vekk",
        "data": "nummer nummeret telefonnummer* mobilnummer* kontakt* data opplysninger info",
        "mine": "mitt min mine dette vårt",
        "list": "liste lista listen listene lister database* register* system*",
        "unsub": """
            avmeld* melde_meg_av melder_meg_av meld_meg_av avregistrer* meldt_av
            melder_jeg_meg_av melde_seg_av avslutt*_abonnement* si_opp_abonnement*
            melder_man_seg_av melde_meg_ut""",
        "how": "hvordan hvor vil ønsker kan vennligst må ville_gjerne",
        "phrase": """
            la_meg_være_i_fred la_meg_være la_oss_være_i_fred trekker_samtykke*
            trekker_tilbake_samtykke* trekke_samtykke* jeg_sa_stopp har_sagt_stopp sa_stopp
            skrev_stopp ta_meg_av fjern_meg_fra vil_ikke_høre_fra slutte_å_få slutter_jeg_å_få
            få_slutt_på""",
        "short": """
            ikke_interessert slett_meg gi_dere hold_opp nok_nå feil_person stopp_dette
            slutt_med_dette slutt_med_det feil_nummer dette_er_spam ikke_flere_meldinger
            ikke_flere_sms ikke_mer_sms ikke_mer_spam ingen_flere_meldinger ingen_flere_sms
            ikke_mer_reklame""",
        "source": """
            hvor_har_dere hvor_har_du hvor_fikk hvordan_fikk hvordan_har_dere hvem_ga
            hvem_har_gitt""",
        "cancel": "avslutt avbestill",
        "visit": """
            timen avtale* vakt vakta vakten skift* bestilling* morgen mandag tirsdag
            onsdag torsdag fredag lørdag søndag""",
        "veto": "møtet møte pumpen generator* bussen ferien vakt skiftet festen ring_meg",
    },
    "sv": {
        "cease": "sluta slutar stoppa stopp upphör avsluta lägg_av stop",
        "send": "skicka skriva störa spamma kontakta smsa messa ringa sända tjata plåga utskick*",
        "do": "skicka skriv sms_a smsa kontakta sänd stör",
        "it": "jag dessa detta det sådant de här",
        "not": "inte aldrig ej",
        "msg": """
            sms smsen meddelande* reklam* spam nyhetsbrev* utskick* avisering* notis*
            erbjudande* notiser""",
        "me": "mig oss mej mitt min",
        "more": "mer igen längre fler mera något_mer något",
        "nowant": """
            vill_inte önskar_inte inte_vill vill_ej inte_intresserad orkar_inte behöver_inte
            vill_jag_inte trött_på undanber* har_inte_bett_om""",
        "recv": "ha få ta_emot mottaga",
        "erase": "radera ta_bort tag_bort stryk* avlägsna plocka_bort",
        "data": "nummer numret telefonnummer mobilnummer uppgifter kontakt* data",
        "mine": "mitt min mina detta mig",
        "list": "lista listan listor databas* register* system* sändlista*",
        "unsub": "avregistrera* avprenumerera* avanmäl* säga_upp_prenumeration*",
        "how": "hur var vill kan vänligen måste skulle_vilja",
        "phrase": """
            lämna_mig_ifred lämna_mig_i_fred låt_mig_vara återkallar_mitt_samtycke
            återkallar_samtycke tar_tillbaka_mitt_samtycke jag_sa_stopp sa_stopp skrev_stopp
            ta_bort_mig_från kontakta_mig_inte undanber_mig vill_inte_höra""",
        "short": """
            inte_intresserad ta_bort_mig stryk_mig sluta_med_det_här nu_räcker_det fel_person
            fel_nummer inga_fler_sms inga_fler_meddelanden inga_fler inte_fler_sms""",
        "source": """
            var_har_ni var_har_du var_fick hur_fick hur_har_ni vem_gav vem_har_gett
            vem_har_givit""",
        "cancel": "avsluta avbeställ",
        "visit": """
            tid tiden bokning* pass passet skift* schema* imorgon morgon måndag tisdag
            onsdag torsdag fredag lördag söndag""",
        "veto": "ring_meg mötet pumpen generator* regna röka ring_mig",
    },
    "da": {
        "cease": "stop stoppe hold_op holde_op ophør slut",
        "send": "sende skrive genere spamme kontakte sms_e smse chikanere forstyrre ringe plage",
        "do": "send skriv kontakt sms skrive sende",
        "it": "jeg disse dette det dem dem_her noget",
        "not": "ikke aldrig",
        "msg": """
            sms sms_er smser besked* meddelels* reklame* spam nyhedsbrev* notifikation* tilbud
            påmindels* underretning*""",
        "me": "mig os mit min",
        "more": "mere igen længere flere",
        "nowant": """
            vil_ikke ønsker_ikke ikke_ønsker ikke_interesseret gider_ikke har_ikke_brug_for
            vil_jeg_ikke træt_af ønsker_jeg_ikke har_ikke_bedt_om""",
        "recv": "modtage have få",
        "erase": "slet slette fjern fjerne tag",
        "data": "nummer telefonnummer mobilnummer kontakt* oplysninger data",
        "mine": "mit min mine dette vores",
        "list": "liste listen lister database* register* system*",
        "unsub": """
            afmeld* framelde* melde_mig_fra melder_mig_fra meld_mig_af afmelder_jeg
            melder_jeg_mig_fra opsige_abonnement* melde_mig_af""",
        "how": "hvordan hvor vil kan venligst gerne ønsker",
        "phrase": """
            lad_mig_være_i_fred lad_mig_være lad_os_være trækker_mit_samtykke
            trækker_samtykke* tilbagekalder_mit_samtykke tilbagekalder_samtykke jeg_sagde_stop
            sagde_stop skrev_stop fjern_mig_fra tag_mig_af kontakt_mig_ikke vil_ikke_høre""",
        "short": """
            ikke_interesseret slet_mig så_er_det_nok forkert_person forkert_nummer stop_det
            ikke_flere_beskeder ikke_flere_sms ikke_mere_spam""",
        "source": """
            hvor_har_i hvor_har_du hvor_fik hvordan_fik hvordan_har_i hvem_gav
            hvem_har_givet""",
        "cancel": "annuller",
        "visit": """
            tid tiden aftale* vagt vagten bestilling* morgen mandag tirsdag onsdag
            torsdag fredag lørdag søndag""",
        "veto": "ring_meg mødet pumpen generator* ring_til_mig ring_mig",
    },
    "de": {
        "cease": """
            hör_auf hören_sie_auf hört_auf aufhören stopp stoppen_sie stoppt stoppen
            beenden_sie beenden unterlassen_sie unterlassen lassen_sie_das einstellen
            stellen_sie stop beende""",
        "send": """
            schreiben schicken senden belästigen kontaktieren nerven spammen simsen texten
            zuschicken zusenden zu_schreiben zu_schicken zu_senden anschreiben schreibt
            schickt schick schreib sende sendet schicke anrufen zusendung* versand""",
        "not": "nicht nie niemals nichts keine kein",
        "msg": """
            sms nachrichten nachricht werbung werbe* spam newsletter mitteilung*
            benachrichtigung* angebote smsen zusendung* erinnerungen meldungen""",
        "me": "mir mich uns meine",
        "more": "mehr wieder weitere weiterhin nochmal",
        "nowant": """
            will_keine möchte_keine wünsche_keine will_nicht möchte_nicht brauche_keine
            wollen_keine möchten_keine kein_interesse will_ich_nicht nicht_interessiert
            habe_genug_von möchte_ich_nicht wünsche_ich will_ich_keine möchte_ich_keine
            bitte_keine nie_bestellt nicht_bestellt ich_will_nicht_mehr""",
        "recv": "erhalten bekommen haben empfangen kriegen",
        "erase": "lösch* loesch* entfern* streich* nehmen nimm gelöscht rausnehmen",
        "data": """
            nummer telefonnummer handynummer rufnummer kontakt* daten mobilnummer kontaktdaten""",
        "mine": "meine mein diese unsere mich dieser meiner",
        "list": "liste verteiler* datenbank* system kartei adressliste empfängerliste",
        "unsub": """
            abmelden abbestell* melden_sie_mich_ab melde_mich_ab meld_mich_ab austragen
            abmeldung tragen_sie_mich_aus trag_mich_aus melde_ich_mich_ab abzumelden
            kündige_das_abo abbestelle""",
        "how": "wie wo möchte will kann können bitte",
        "phrase": """
            melden_sie_mich_ab meld_mich_bitte_ab
            lassen_sie_mich_in_ruhe lass_mich_in_ruhe lasst_mich_in_ruhe in_ruhe_lassen
            widerrufe_meine_einwilligung widerrufe_die_einwilligung widerrufe_hiermit
            ziehe_meine_einwilligung ich_sagte_stopp ich_habe_stopp habe_stopp stopp_gesagt
            stop_gesagt stopp_geschrieben stop_geschrieben nehmen_sie_mich_von
            nehmen_sie_mich_aus nimm_mich_aus streichen_sie_mich nicht_mehr_kontaktieren
            nicht_mehr_bekommen nicht_mehr_erhalten widerspreche_der_nutzung
            widerspreche_der_verwendung widerspreche_der_verarbeitung widerspreche_der_werbung""",
        "short": """
            kein_interesse nicht_interessiert jetzt_reicht es_reicht keine_werbung
            unterlassen_sie_das falsche_nummer hören_sie_auf_damit hört_auf_damit
            lassen_sie_das kein_bedarf keine_weiteren_nachrichten keine_weiteren_sms
            keine_sms_mehr keine_nachrichten_mehr keine_werbung_mehr""",
        "it": "ich wir das diese dieser sowas die so etwas sie bitte davon",
        "source": """
            woher_hab* woher_hast woher_kenn* wer_hat_ihnen wer_hat_euch wer_hat_dir
            wie_kommen_sie wie_kommt_ihr wie_sind_sie von_wem""",
        "cancel": "kündig* widerruf*",
        "visit": """
            termin* schicht* buchung* reservierung* dienstplan* kurs morgen montag*
            dienstag* mittwoch* donnerstag* freitag* samstag* sonntag*""",
        "veto": """
            generator* pumpe maschine besprechung termin meeting nicht_stoppen nicht_aufhören
            rechnung ruf_mich rufen_sie_mich""",
    },
    "fr": {
        "cease": "arrête* arrêter arrêt cessez cesser cesse stop stopper stoppez finissez",
        "send": """
            écrire envoyer envoi* contacter harceler spammer déranger embêter texter sms
            m_écrire m_envoyer me_contacter écrivez envoyez contactez envoie écris dérangez
            d_envoyer appeler message recontacter""",
        "not": "ne n pas plus",
        "msg": """
            sms msg msgs message* textos texto notification* publicité* pub pubs spam newsletter*
            alertes alerte offres promos rappels mailings""",
        "me": "me m moi nous mon",
        "more": "plus encore jamais davantage",
        "nowant": """
            ne_veux_plus ne_veux_pas veux_plus jveux_plus veux_pas jveux_pas ne_souhaite_plus
            ne_souhaite_pas
            souhaite_plus ne_désire_plus ne_suis_pas_intéressé* pas_intéressé* j_en_ai_marre
            marre_de assez_de ras_le_bol_de n_ai_pas_demandé pas_besoin_de je_refuse
            ne_voulons_plus""",
        "recv": "recevoir avoir",
        "erase": "supprime* effac* retire* enleve* enlevez retirer radier ôte* rayez",
        "data": "numéro contact coordonnées données téléphone portable num",
        "mine": "mon mes ma ce notre moi",
        "list": "liste listes base fichier* système répertoire",
        "unsub": "désabonn* désinscri* désinscrire me_désabonner résili*",
        "how": "comment où veux voudrais souhaite puis peut merci_de pouvez je_veux",
        "phrase": """
            laissez_moi_tranquille laisse_moi_tranquille fichez_moi_la_paix foutez_moi_la_paix
            retire_mon_consentement retire_mon_accord révoque_mon_consentement j_ai_dit_stop
            ai_dit_stop ai_déjà_dit_stop envoyé_stop retirez_moi enlevez_moi rayez_moi
            supprimez_moi ne_me_contactez_plus ne_m_écrivez_plus ne_m_envoyez_plus sortez_moi
            stop_aux_sms stop_aux_messages""",
        "short": """
            pas_intéressé* plus_intéressé* ça_suffit mauvais_numéro arrêtez_ça lâchez_moi
            m_intéresse_pas foutez_le_camp plus_de_sms plus_de_messages plus_aucun_sms
            plus_aucun_message plus_de_pub""",
        "it": "je suis ça cela ces ce rien de les vos",
        "source": "qui_vous_a qui_t_a d_où où_avez_vous comment_avez_vous comment_vous_avez",
        "cancel": "annul* résili*",
        "visit": """
            rdv rendez_vous rendezvous commande* réservation* visite planning demain
            lundi mardi mercredi jeudi vendredi samedi dimanche""",
        "veto": """
            réunion pompe générateur bus autobus train machine facture appelez_moi appelle_moi""",
    },
    "es": {
        "cease": """
            deja_de dejen_de deje_de dejad_de dejar_de dejes_de paren pare parad basta_de
            parar_de stop cesen""",
        "it": "esto estos esos eso nada de tanto tantos estas",
        "send": """
            enviar* mandar* escribir* molestar* contactar* envíe* mande* escriba* moleste*
            contacte* envíes mandes escribas manden envíen escriban molesten llamar* mensajear
            spamear enviarme mandarme escribirme molestarme contactarme fastidiar""",
        "not": "no nunca ni",
        "msg": """
            sms msj* mensaje* publicidad spam notificacion* alertas avisos ofertas promociones
            propaganda boletín* promos textos""",
        "me": "me nos mi mis",
        "more": "más nunca jamás nuevamente otra_vez ya",
        "nowant": """
            no_quiero no_deseo no_queremos no_me_interesa no_estoy_interesad* harto_de
            harta_de ya_no_quiero cansado_de no_necesito no_he_pedido no_me_gusta* no_solicité""",
        "recv": "recibir recibiendo recibo",
        "erase": """
            borra* borren borre elimina* eliminen elimine quita* quiten quite saque* saquen
            retiren suprima* saca* bórrenme""",
        "data": "número numero contacto datos teléfono celular móvil",
        "mine": "mi mis este nuestro me",
        "list": "lista listas base sistema registro agenda",
        "unsub": """
            baja desuscrib* darme_de_baja dar_de_baja dame_de_baja denme_de_baja
            cancelar_suscripción cancelar_la_suscripción desapunt* cancelar_mi_suscripción""",
        "how": "cómo dónde quiero quisiera puedo deseo solicito necesito favor",
        "phrase": """
            déjenme_en_paz déjame_en_paz dejadme_en_paz déjeme_en_paz retiro_mi_consentimiento
            revoco_mi_consentimiento dije_stop dije_baja he_dicho_stop ya_dije quítenme
            sáquenme elimínenme bórrenme quítame_de sácame_de bórrame elimíname no_me_molesten
            dejen_de_molestar no_molesten""",
        "short": """
            no_me_interesa no_estoy_interesad* no_mas ya_no_más basta_ya número_equivocado
            sácame quítame no_más_mensajes no_más_sms basta_de_mensajes""",
        "source": """
            de_dónde quién_le quién_les quién_te quién_os cómo_consigui* cómo_obtuv*
            dónde_consigui* cómo_tienen""",
        "cancel": "cancel* anul*",
        "visit": """
            cita citas turno* reserva* pedido* visita mañana lunes martes miércoles
            jueves viernes sábado domingo""",
        "veto": """
            persiana reunión generador bomba volumen factura autobús parada llámame llámeme
            llámenme""",
    },
    "it": {
        "cease": """
            smett* smettete smettetela smettila basta fermate stop finitela piantatela cessate
            smetterla""",
        "send": """
            scriver* mandar* inviar* disturbar* contattar* spammare scrivete* mandate*
            inviate* contattate* disturbate* molestar* scrivermi mandarmi inviarmi chiamar*
            tempestar*""",
        "not": "non nn mai nessun",
        "msg": """
            sms msg messaggi messaggio pubblicità spam notific* avvisi offerte newsletter
            promozioni comunicazioni messaggini""",
        "me": "mi me ci mio mia",
        "more": "più ancora mai altri altro",
        "nowant": """
            non_voglio nn_voglio non_desidero non_vogliamo non_mi_interess* non_sono_interessat*
            stufo_di stufa_di non_intendo non_vorrei non_ho_chiesto non_ho_mai_chiesto
            non_ho_bisogno""",
        "recv": "ricevere ricevo avere",
        "erase": "cancella* elimina* rimuov* toglie* togli* leva* depenn*",
        "data": "numero contatto dati telefono cellulare recapito nominativo",
        "mine": "mio miei mia questo nostro",
        "list": "lista liste elenco database sistema rubrica archivio",
        "unsub": """
            disiscriv* disiscrizione annullare_l_iscrizione annullare_iscrizione cancellarmi
            cancellare_l_iscrizione disdire cancellatemi""",
        "how": "come dove voglio vorrei posso desidero chiedo potete",
        "phrase": """
            lasciatemi_in_pace lasciami_in_pace lasciateci_in_pace basta_con_questi
            revoco_il_consenso revoco_il_mio_consenso ritiro_il_consenso ho_detto_stop
            toglietemi rimuovetemi eliminatemi cancellatemi non_contattatemi non_scrivetemi
            non_disturbatemi toglimi_dal* cancellami_dal*""",
        "short": """
            non_mi_interess* non_sono_interessat* numero_sbagliato toglimi smettila basta_così
            basta_messaggi basta_sms niente_più_messaggi niente_più_sms basta_pubblicità""",
        "it": "questi questo queste nulla niente di questa",
        "source": """
            da_dove da_chi chi_vi_ha chi_le_ha chi_ti_ha come_avete come_ha_avuto
            dove_avete""",
        "cancel": "disd* annull*",
        "visit": """
            appuntament* visita turn* prenotazion* ordine domani lunedì martedì
            mercoledì giovedì venerdì sabato domenica""",
        "veto": "riunione pompa generatore fattura autobus fermata chiamami chiamatemi",
    },
    "nl": {
        "cease": "stop stoppen hou houd ophouden stopt staak",
        "send": """
            sturen schrijven sms_en smsen berichten lastigvallen spammen contacteren
            lastig_te_vallen te_sturen appen lastig bellen mailen stuur schrijf stuurt zenden
            versturen benaderen""",
        "not": "niet nooit geen niets",
        "msg": """
            sms smsjes sms_jes sms_en berichten berichtjes bericht meldingen reclame spam
            nieuwsbrief nieuwsbrieven aanbiedingen notificaties herinneringen""",
        "me": "me mij ons mijn",
        "more": "meer nog weer opnieuw",
        "nowant": """
            wil_geen wil_niet wens_geen wil_deze_niet geen_interesse niet_geïnteresseerd
            heb_geen_behoefte wil_ik_niet wil_ik_geen ben_het_zat wil_graag_geen hoef_geen
            nooit_gevraagd niet_gevraagd""",
        "recv": "ontvangen krijgen",
        "erase": "verwijder* wis haal schrap* verwijderen",
        "data": "nummer telefoonnummer gegevens contact mobiel",
        "mine": "mijn dit ons mij",
        "list": "lijst lijsten database bestand systeem verzendlijst",
        "unsub": """
            uitschrijven afmelden uit_te_schrijven af_te_melden schrijf_me_uit meld_me_af
            opzeggen""",
        "how": "hoe waar wil kan graag willen",
        "phrase": """
            laat_me_met_rust laat_mij_met_rust laat_ons_met_rust trek_mijn_toestemming_in
            ik_trek_mijn_toestemming intrekken_toestemming ik_zei_stop zei_stop stop_gezegd
            haal_me_van haal_mij_van niet_meer_benaderen val_me_niet_lastig""",
        "short": """
            geen_interesse niet_geïnteresseerd verwijder_me verwijder_mij verkeerd_nummer
            hou_ermee_op hou_op stop_ermee geen_berichten_meer geen_sms_meer geen_smsjes_meer
            geen_reclame_meer geen_spam_meer""",
        "it": "ik dit deze dat die met zulke ermee",
        "source": """
            hoe_komt hoe_kom hoe_komen van_wie wie_heeft_u wie_heeft_jullie wie_gaf
            waar_heeft_u waar_hebben_jullie waar_heb hoe_heeft_u""",
        "cancel": "opzeg* annuleer annuleren",
        "visit": """
            afspra* reservering* bestelling* rooster ploeg morgen maandag dinsdag
            woensdag donderdag vrijdag zaterdag zondag""",
        "veto": "vergadering pomp bushalte generator factuur bel_me bel_mij",
    },
    "pl": {
        "cease": """
            przestań* przestan* przestańcie skończ* zakończ* zaprzesta* dość zatrzyma* stop""",
        "send": """
            wysyłać pisać przysyłać nękać spamować kontaktować wysyłania pisania dzwonić
            wysyłajcie piszcie pisz wysyłaj przysyłajcie kontaktujcie nękajcie męczyć
            wysyłanie przysyłania zawracać""",
        "not": "nie nigdy",
        "msg": """
            sms smsy smsów sms_ów sms_y esemesy wiadomoś* powiadomie* reklam* spam*
            newsletter* ofert* esemesów""",
        "me": "mi mnie nam nas",
        "more": "więcej już nigdy ponownie",
        "nowant": """
            nie_chcę nie_życzę_sobie nie_chcemy nie_jestem_zainteresowan* nie_interesuj*
            mam_dość nie_zgadzam_się nie_potrzebuję nie_zamawia* nie_wyrażam_zgody""",
        "recv": "otrzymywać dostawać",
        "erase": "usuń* usunąć usunięcie skasuj* wykreśl* wymaż* wyrzuć*",
        "data": "numer numeru kontakt dane danych telefon telefonu",
        "mine": "mój moje ten mojego moich nasz",
        "list": "listy lista bazy baza systemu",
        "unsub": """
            wypisać wypisz* wypisać_się rezygnuj* zrezygnować wyrejestr* odsubskryb*
            anulować_subskrypcję""",
        "how": "jak gdzie chcę chciał* proszę mogę można",
        "phrase": """
            dajcie_mi_spokój daj_mi_spokój dajcie_nam_spokój zostawcie_mnie cofam_zgodę
            wycofuję_zgodę odwołuję_zgodę napisałem_stop pisałem_stop mówiłem_stop
            powiedziałem_stop nie_nękajcie odczepcie_się nie_życzę_sobie
            wykreślenie_z usunięcie_z_listy usunięcie_z_bazy""",
        "short": """
            nie_jestem_zainteresowan* zły_numer nie_interesuje_mnie pomyłka to_spam
            żadnych_więcej""",
        "it": "tego to tych te nic takich",
        "source": """
            skąd kto_wam_dał kto_dał_wam kto_panu_dał kto_pani_dał kto_wam_podał
            jak_zdobyli* od_kogo_macie""",
        "cancel": "rezygn* anuluj*",
        "visit": """
            wizyt* termin* zmian* rezerwacj* grafik* jutro jutra poniedział* wtorek
            środę czwartek piątek sobot* niedziel*""",
        "veto": "spotkanie pomp* generator* przystanek faktur* zadzwoń*",
    },
    "pt": {
        "cease": "pare parem parar_de para_de deixem_de deixe_de chega_de cessem stop",
        "it": "isso isto esses essas estas estes de nada",
        "send": """
            enviar mandar escrever incomodar perturbar contactar contatar mandem enviem
            escrevam mande envie escreva incomodem perturbem contactem contatem ligar mandando
            enviando spam chatear me_enviar me_mandar""",
        "not": "não nao n nunca nem",
        "msg": """
            sms msg msgs mensage* mensagens publicidade propaganda* spam notificaç* alertas ofertas
            avisos newsletter promoç* torpedos""",
        "me": "me mim nos meu minha",
        "more": "mais nunca jamais novamente",
        "nowant": """
            não_quero n_quero não_desejo não_queremos não_tenho_interesse não_estou_interessad*
            farto_de cansado_de já_não_quero não_pretendo não_preciso não_pedi não_autorizo
            não_gosto""",
        "recv": "receber recebendo",
        "erase": "apague* apaga* remova* remov* elimin* exclu* retire* tire* apagar tirem",
        "data": "número numero contacto contato dados telefone telemóvel celular",
        "mine": "meu meus este nosso minha",
        "list": "lista listas base sistema cadastro banco",
        "unsub": """
            descadastr* desinscrev* cancel*_inscrição cancel*_a_inscrição
            cancel*_subscrição cancel*_a_subscrição cancel*_assinatura
            cancel*_a_assinatura anul*_a_subscrição""",
        "how": "como onde quero queria gostaria posso favor desejo",
        "phrase": """
            deixem_me_em_paz deixe_me_em_paz me_deixe_em_paz me_deixem_em_paz deixa_me_em_paz
            retiro_o_meu_consentimento retiro_meu_consentimento revogo_o_meu_consentimento
            revogo_meu_consentimento eu_disse_stop disse_para_parar não_mande_mais
            não_mandem_mais não_enviem_mais tirem_me me_tire_da me_tirem_da me_remova
            me_removam não_perturbe""",
        "short": """
            não_tenho_interesse sem_interesse não_estou_interessad* número_errado chega
            mais_nenhuma_mensagem""",
        "source": """
            de_onde quem_deu quem_vos_deu quem_lhe* quem_te_deu onde_consegui*
            como_consegui* onde_arranj* como_arranj* como_obtiv*""",
        "cancel": "cancel* anul*",
        "visit": """
            consulta* marcaç* reserva* turno* encomenda* pedido* visita amanhã segunda
            terça quarta quinta sexta sábado domingo""",
        "veto": "reunião bomba gerador fatura autocarro ligue_me me_ligue liga_me",
    },
    "fi": {
        "cease": "lopeta* lopettakaa stop",
        "send": """
            lähettä* kirjoitta* häirit* viestit* viestien spämm* ottamasta_yhteyttä lähettely
            häirintä tekstaa* laittamasta soittelu* soittamasta""",
        "not": "älkää älä ei en",
        "msg": """
            viesti* viestejä tekstiviest* sms mainos* mainoks* roskapost* ilmoitu* uutiskirj*
            tarjou* spämmi* muistutu*""",
        "me": "minulle mulle meille minua minun",
        "more": "enää lisää enempää koskaan",
        "nowant": """
            en_halua emme_halua en_tahdo ei_kiinnosta en_ole_kiinnostunut en_haluaisi
            en_tarvitse en_ole_tilannut""",
        "recv": "saada vastaanottaa ottaa_vastaan",
        "erase": "poista* poistakaa poistattehan",
        "data": "numero* yhteystie* tieto* tiedot puhelinnumero*",
        "mine": "minun tämä numeroni tietoni minut puhelinnumeroni",
        "list": "lista* listal* rekister* järjestelm* tietokan*",
        "unsub": """
            peruuttaa_tilau* perun_tilau* peruuttaa_tekstiviest* perua_tilau* eroan
            eroa_lista* perua""",
        "how": "miten mistä haluan voinko kuinka haluaisin voiko",
        "phrase": """
            jättäkää_minut_rauhaan jätä_minut_rauhaan antakaa_minun_olla peruutan_suostumu*
            perun_suostumu* sanoin_stop sanoin_jo poistakaa_minut poista_minut
            poistakaa_numeroni poista_numeroni en_halua_näitä älkää_häiritkö""",
        "short": """
            ei_kiinnosta väärä_numero väärä_henkilö en_ole_kiinnostunut lopettakaa_tämä
            ei_enää ei_enää_viestejä""",
        "it": "näitä tätä mitään näiden",
        "source": "mistä_sait* mistä_teillä mistä_olette keneltä_sait* miten_sait* kuka_antoi",
        "cancel": "peru peruuta",
        "visit": """
            aika aikani ajan varau* vuoro* huomen* huomis* maanantai* tiistai*
            keskiviik* torstai* perjantai* lauantai* sunnuntai*""",
        "veto": "kokous* pumppu generaattori*",
    },
    "hu": {
        "cease": """
            hagyj* hagyd hagyják hagyja_abba hagyják_abba fejezz* állíts* szüntess* állj* stop""",
        "send": """
            küld* írj* írni írogat* zaklat* küldöz* sms_ez* spammel* küldését zavar* üzenget*
            keres* írjanak hívogat*""",
        "not": "ne nem többé soha",
        "msg": """
            sms sms_t sms_eket sms_ek üzenet* hirdetés* reklám* értesítés* hírlevel* hírlevél
            spam* ajánlat*""",
        "me": "nekem engem nekünk minket",
        "more": "többet többé tovább több soha már",
        "nowant": """
            nem_kérek nem_akarok nem_szeretnék nem_kérem nem_érdekel nem_kívánok nem_kérünk
            elegem_van nem_kértem""",
        "recv": "kapni fogadni",
        "erase": "töröl* törölj* vegyen* vegyék távolítsa* töröljék vegyetek",
        "data": "számom* számot telefonszám* adataim* elérhetőség* szám adatait",
        "mine": "számomat adataimat telefonszámomat engem az a",
        "list": "listáról listájáról listából lista adatbázis* nyilvántartás* rendszer*",
        "unsub": "leiratkoz* iratkozni_le lemondani_a_feliratkozást lemondani_az_sms",
        "how": "hogyan hogy hol szeretnék tudok lehet akarok kérem",
        "phrase": """
            hagyjanak_békén hagyj_békén hagyjatok_békén ne_zaklassanak ne_zaklass
            visszavonom_a_hozzájárulás* visszavonom_hozzájárulás* azt_mondtam_stop töröljenek
            töröljék_a_számom* vegyenek_le több_üzenetet_ne""",
        "short": "nem_érdekel elég_volt téves_szám nem_kérek_több nem_kérem többet_ne",
        "it": "ezt ezeket ilyet ilyeneket semmit",
        "source": "honnan ki_adta kitől hogyan_jutott* hogy_jutott*",
        "cancel": "lemond*",
        "visit": """
            időpont* műszak* foglalás* holnap* hétfő* kedd* szerda* szerdá* csütörtök*
            péntek* szombat* vasárnap*""",
        "veto": "szivattyú* generátor* értekezlet* számlát megbeszélés*",
    },
    "ro": {
        "cease": """
            opriți* opriti* oprește* încetați* incetati* terminați* nu_mai stop gata_cu
            încetează lăsați*""",
        "send": """
            trimite* trimiteți scrie* scrieți contacta* contactați deranja* deranjați spam*
            hărțui* mai_trimite* sunați scrieti enerva* trimiterea""",
        "not": "nu niciodată",
        "msg": """
            sms sms_uri smsuri mesaj* notificări* notificari* reclame* publicitate spam
            oferte* newsletter* alerte*""",
        "me": "mi mă ma îmi imi ne",
        "more": "mai niciodată iar din_nou",
        "nowant": """
            nu_vreau nu_doresc nu_mai_vreau nu_mai_doresc nu_mă_interesează nu_ma_intereseaza
            nu_sunt_interesat* m_am_săturat nu_am_cerut nu_am_nevoie""",
        "recv": "primesc primi",
        "erase": "șterge* ștergeți stergeti elimin* scoate* scoateți sterge*",
        "data": "numărul numarul număr contactul datele telefonul",
        "mine": "meu mele acest nostru mă ma",
        "list": "listă lista baza sistem",
        "unsub": "dezabon* dezabonez renunț anulez_abonament* anula_abonament*",
        "how": "cum unde vreau doresc pot aș",
        "phrase": """
            lăsați_mă_în_pace lasati_ma_in_pace lasă_mă_în_pace retrag_consimțământul
            îmi_retrag_consimțământul îmi_retrag_acordul am_zis_stop am_spus_stop ștergeți_mă
            scoateți_mă""",
        "short": "nu_mă_interesează nu_sunt_interesat* număr_greșit ajunge destul",
        "it": "asta astea acestea nimic cu vă",
        "source": "de_unde cine_v_a cine_ți_a cine_va_dat cum_ați_obținut cum_ați_făcut_rost",
        "cancel": "renunț* anul*",
        "visit": """
            programar* tură tura comand* rezervar* mâine luni marți miercuri joi vineri
            sâmbătă duminică""",
        "veto": "ședința pompa generator* factura",
    },
    "bg": {
        "cease": "спрете спри престанете престани прекратете стига стоп stop",
        "send": """
            пращ* изпращ* пишете пиша писане безпоко* спам* изпращането пращането тормоз*
            контакт* пишеш да_пращате да_пишете звъните""",
        "not": "не недейте никога",
        "msg": "смс sms смси съобщени* реклам* спам* известия* бюлетин* оферти* есемес*",
        "me": "ми ме мен ни нас",
        "more": "повече вече никога отново",
        "nowant": """
            не_искам не_желая не_искаме не_се_интересувам не_ме_интересува* омръзна* писна_ми
            не_съм_искал*""",
        "recv": "получавам получаваме получава*",
        "erase": "изтри* премахн* махн* заличе* изтриите",
        "data": "номер номера контакт* данни* телефон*",
        "mine": "ми моя моите този номера",
        "list": "списък* списъц* база* система*",
        "unsub": "отпиш* отпис* отабон* откаж*",
        "how": "как къде искам мога желая моля може",
        "phrase": """
            оставете_ме_на_мира остави_ме_на_мира оставете_ме оттеглям_съгласие*
            оттеглям_си_съгласие* казах_стоп писах_стоп не_ме_безпокойте махнете_ме_от""",
        "short": """
            не_ме_интересува* стига_вече грешен_номер махнете_ме не_се_интересувам
            без_повече_съобщения""",
        "it": "тези това нищо с такива",
        "source": "откъде от_къде от_кого кой_ви_даде кой_ви_е как_взехте",
        "cancel": "отказ* отмен*",
        "visit": """
            часа смян* поръчк* резервац* утре понеделник вторник сряда четвъртък петък
            събота неделя""",
        "veto": "среща* помпа* генератор* спирка* автобус*",
    },
    "ru": {
        "cease": """
            прекрати* перестан* хватит хорош остановите закончите завязывайте стоп прекращайте
            кончайте stop""",
        "send": """
            писать слать присылать отправлять рассылать беспокоить спамить звонить надоедать
            пишите пиши присылайте шлите отправляйте беспокойте присылай шли доставать
            тревожить рассылк* отправку""",
        "not": "не никогда нельзя",
        "msg": """
            смс sms смски смсок эсэмэс* сообщени* рассылк* уведомлени* реклам* спам*
            оповещени* предложени* смсками""",
        "me": "мне меня нам нас мой",
        "more": "больше никогда снова ещё опять",
        "nowant": """
            не_хочу не_желаю не_хотим не_надо не_нужн* не_интересу* не_заинтересован* надоел*
            достал* задолбал* не_подписывал* я_не_давал не_просил*""",
        "recv": "получать видеть",
        "erase": "удали* сотри* уберите убери вычеркн* исключи* стереть удаляй* уберете",
        "data": "номер* контакт* данные телефон*",
        "mine": "мой мои этот наш меня моего моём",
        "list": "списк* базы баз* рассылк* реестр*",
        "unsub": """
            отписа* отпишит* отписыва* отказат* отказыва* отключит* отмени*_подписку
            отмените_рассылку""",
        "how": "как где хочу можно прошу могу хотел* нужно",
        "phrase": """
            оставьте_меня_в_покое оставь_меня_в_покое отстаньте отвалите отзываю_согласие
            отзываю_своё_согласие отзываю_свое_согласие я_сказал_стоп я_же_сказал я_писал_стоп
            сказал_стоп написал_стоп больше_не_пиши* больше_не_присыла* хватит_спам*
            уберите_меня_из удалите_меня_из не_беспокойте_меня""",
        "short": """
            не_интересует не_интересно ошиблись_номером прекратите_это хватит_уже удалите_меня
            уберите_меня отстань""",
        "it": "это эти этого ничего такие",
        "source": "откуда от_кого кто_вам_дал кто_дал_вам кто_дал где_вы_взяли",
        "cancel": "отказ* откаж* отмен*",
        "visit": """
            запись записи приём* визит* смену смены заказ* брон* завтра понедельник*
            вторник* среду четверг* пятниц* суббот* воскресень*""",
        "veto": """
            встреч* насос* генератор* остановк* кран* счет* счёт* автобус* позвоните позвони""",
    },
    "uk": {
        "cease": "припиніть припини перестаньте перестань досить зупиніть годі стоп stop",
        "send": """
            писати надсилати слати присилати турбувати спамити дзвонити відправляти пишіть
            надсилайте присилайте турбуйте шліть розсилати розсилк* набридати""",
        "not": "не ніколи",
        "msg": "смс sms смски есемес* повідомлен* розсилк* реклам* спам* сповіщен* пропозиц*",
        "me": "мені мене нам нас мій",
        "more": "більше ніколи знову ще",
        "nowant": """
            не_хочу не_бажаю не_хочемо не_потрібн* не_цікав* не_треба набрид* не_підписував*""",
        "recv": "отримувати одержувати",
        "erase": "видал* приберіть зітріть викресл* вилуч* видаліть",
        "data": "номер* контакт* дані телефон*",
        "mine": "мій мої цей наш мене мого",
        "list": "списк* бази баз* розсилк*",
        "unsub": "відпис* відпиш* відмов* скасува*_підписку",
        "how": "як де хочу можна прошу можу хотів",
        "phrase": """
            залиште_мене_в_спокої дайте_мені_спокій відчепіться відкликаю_згоду
            відкликаю_свою_згоду я_сказав_стоп сказав_стоп приберіть_мене_з видаліть_мене_з""",
        "short": "не_цікавить не_цікаво помилились_номером не_турбуйте видаліть_мене досить_вже",
        "it": "це ці цього нічого такі",
        "source": "звідки від_кого хто_вам_дав хто_дав_вам де_ви_взяли",
        "cancel": "відмов* скасу*",
        "visit": """
            запис* візит* зміни зміну замовлен* бронюв* завтра понеділ* вівтор* середу
            четвер п_ятниц* субот* неділ*""",
        "veto": "зустріч* насос* генератор* зупинк* автобус* подзвоніть зателефонуйте",
    },
    "tr": {
        "cease": "durdur* kesin bırakın bırak artık_yeter yeter son_verin vazgeçin keser stop",
        "send": """
            göndermeyi atmayı yazmayı rahatsız_etmeyi göndermekten mesaj_atmayı mesaj_atmaktan
            yollamayı göndermek gönderimi""",
        "nosend": """
            göndermeyin* gönderme göndermeyiniz atmayın* atma yazmayın* yazma yollamayın*
            rahatsız_etmeyin* rahatsız_etme aramayın* iletmeyin* gelmesin göndermesin*""",
        "msg": "mesaj* sms sms_ler sms_leri reklam* bildirim* spam kampanya* bülten* duyuru*",
        "me": "bana bize beni bizi benim",
        "more": "artık bir_daha daha fazla tekrar",
        "nowant": """
            istemiyorum istemiyoruz istemem ilgilenmiyorum ilgilenmiyoruz bıktım ihtiyacım_yok
            izin_vermiyorum""",
        "recv": "almak alma",
        "erase": """
            silin* sil siliniz çıkarın* çıkar çıkartın* kaldırın* silinsin çıkarınız
            silinmesini""",
        "data": "numaram* numaramı telefonum* bilgilerim* numarayı numara verilerimi",
        "mine": "numaramı numaram telefonumu benim bu beni bilgilerimi verilerimi",
        "list": "listeden listenizden liste* rehber* sistem* listenden",
        "unsub": """
            abonelikten_çık* aboneliğimi abonelikten aboneliği_iptal üyelikten_çık*
            üyeliğimi_iptal""",
        "how": "nasıl nereden istiyorum nasil lütfen",
        "phrase": """
            beni_rahat_bırakın beni_rahat_bırak rahat_bırakın mesaj_atmayın mesaj_göndermeyin
            sms_göndermeyin sms_atmayın rızamı_geri rızamı_geri_çekiyorum iznimi_geri
            onayımı_geri dur_dedim stop_dedim mesaj_istemiyorum sms_istemiyorum beni_listeden
            numaramı_silin""",
        "short": "ilgilenmiyorum yeter_artık artık_istemiyorum yanlış_numara istemiyorum_artık",
        "it": "bu bunu bunları bunlar hiçbir şey",
        "source": "nereden_buldu* nereden_aldı* nereden_bili* kimden_aldı* kim_verdi nasıl_buldu*",
        "cancel": "iptal",
        "visit": """
            randevu* vardiya* sipariş* rezervasyon* yarın* pazartesi salı çarşamba
            perşembe cuma cumartesi pazar""",
        "veto": "toplantı* pompa* jeneratör* durak* otobüs* fatura*",
    },
    "el": {
        "cease": "σταματ* σταματήστε πάψτε πάψε διακόψτε τέρμα στοπ κόψτε stop",
        "send": """
            στέλνετε στέλνεις γράφετε ενοχλείτε στείλετε στέλνει γράφεις ενοχλείς στείλεις
            ξαναστείλετε αποστολή επικοινωνείτε καλείτε""",
        "not": "μη μην δεν ποτέ",
        "msg": """
            sms μηνύματα μήνυμα μηνυμάτων διαφημ* ενημερώσεις ειδοποιήσεις σπαμ spam προσφορές
            newsletter""",
        "me": "μου με μας εμένα",
        "more": "άλλο πια ξανά άλλα πλέον ποτέ",
        "nowant": """
            δεν_θέλω δεν_επιθυμώ δεν_θέλουμε δεν_ενδιαφέρομαι δεν_με_ενδιαφέρ* βαρέθηκα
            δε_θέλω""",
        "recv": "λαμβάνω παίρνω λάβω",
        "erase": "διαγράψτε διέγραψε σβήστε αφαιρέστε βγάλτε σβήσε αφαίρεσε διαγραφ*",
        "data": "αριθμό αριθμός νούμερο τηλέφωνο στοιχεία κινητό δεδομένα επαφή",
        "mine": "μου μας αυτό με",
        "list": "λίστα λίστες βάση σύστημα κατάλογο",
        "unsub": "απεγγραφ* διαγραφώ ξεγραφτώ να_διαγραφώ απεγγραφώ διακόψω",
        "how": "πώς που θέλω μπορώ πως επιθυμώ παρακαλώ",
        "phrase": """
            αφήστε_με_ήσυχο αφήστε_με_ήσυχη αφήστε_με άσε_με_ήσυχο ανακαλώ_τη_συγκατάθεσ*
            ανακαλώ_την_συγκατάθεσ* είπα_στοπ μη_μου_ξαναστείλετε μην_μου_ξαναστείλετε
            μη_με_ενοχλείτε μην_με_ενοχλείτε βγάλτε_με_από διαγράψτε_με_από""",
        "short": """
            δεν_ενδιαφέρομαι δεν_με_ενδιαφέρ* λάθος_αριθμό* λάθος_νούμερο βγάλτε_με
            διαγράψτε_με όχι_άλλα όχι_άλλα_μηνύματα όχι_άλλα_sms""",
        "it": "αυτά τίποτα αυτό τα αυτές να",
        "source": "που_βρήκατε που_βρήκες πως_βρήκατε από_που ποιος_σας ποιος_σου ποιος_έδωσε",
        "cancel": "ακυρώσ* διακοπ*",
        "visit": """
            ραντεβού βάρδια κράτηση παραγγελία αύριο δευτέρα τρίτη τετάρτη πέμπτη
            παρασκευή σάββατο κυριακή""",
        "veto": "συνάντηση αντλία γεννήτρια στάση λεωφορείο",
    },
    "he": {
        "cease": "תפסיקו תפסיק הפסיקו הפסק די מספיק תחדלו תעצרו להפסיק תפסיקי stop",
        "send": "לשלוח לכתוב להטריד לסמס להציק לפנות לשגע להתקשר תשלחו תכתבו תשלח תטרידו משלוח",
        "not": "אל לא אף",
        "msg": """
            הודעות הודעה sms סמסים סמס פרסומות ספאם פרסומת דיוור התראות מסרונים עדכונים
            ההודעות""",
        "me": "לי אותי לנו שלי אלי",
        "more": "יותר עוד שוב",
        "nowant": "לא_רוצה לא_מעוניין לא_מעוניינת לא_רוצים לא_מעוניינים לא_ביקשתי נמאס לא_מעונין",
        "recv": "לקבל מקבל",
        "erase": "תמחקו מחקו תסירו הסירו תורידו הורידו תמחק תסיר תוציאו למחוק להסיר נא_להסיר",
        "data": "המספר מספר הטלפון הפרטים פרטים טלפון",
        "mine": "שלי שלנו הזה אותי",
        "list": "מהרשימה רשימה הרשימה מרשימת המאגר מאגר רשימת מהמאגר",
        "unsub": "להסיר_את_עצמי לבטל_מנוי לבטל_את_המנוי להתנתק לבטל_הרשמה להסיר_אותי להסרה",
        "how": "איך איפה רוצה אפשר מבקש כיצד מבקשת נא",
        "phrase": """
            תעזבו_אותי עזבו_אותי תעזבו_אותי_בשקט תניחו_לי אמרתי_די אמרתי_לכם_להפסיק
            מבטל_את_הסכמתי מושך_את_הסכמתי אני_חוזר_בי תורידו_אותי_מ* תסירו_אותי_מ*
            הסירו_אותי_מ*""",
        "short": """
            לא_מעוניין לא_מעוניינת מספר_שגוי טעות_במספר תמחקו_אותי תורידו_אותי די_כבר
            אל_תטרידו בלי_הודעות""",
        "it": "זה אלה את כלום האלה",
        "source": "מאיפה מהיכן מאין מי_נתן איך_השגתם",
        "cancel": "ביטול לבטל",
        "visit": "תור משמרת מחר ראשון שני שלישי רביעי חמישי שישי שבת",
        "veto": "הפגישה המשאבה הגנרטור תחנה אוטובוס פגישה",
    },
    "ar": {
        "cease": "توقفوا توقف أوقفوا أوقف كفى كفوا اوقفوا وقفوا بطلوا ايقاف خلاص stop",
        "send": """
            إرسال ارسال الإرسال مراسلتي إزعاجي ازعاجي إرسالكم التواصل الكتابة الاتصال مراسلة
            ازعاج""",
        "not": "لا لن ما عدم",
        "msg": """
            رسائل الرسائل رسالة رسائلكم إعلانات الإعلانات إشعارات الإشعارات sms مسجات المسجات
            العروض""",
        "me": "لي إلي ني لنا الي",
        "more": "بعد مرة مجددا أخرى المزيد",
        "nowant": """
            لا_أريد لا_اريد لا_أرغب لا_ارغب لست_مهتم* غير_مهتم* ما_أريد ما_ابي ما_أبغى مش_عايز
            لم_أعد_أريد""",
        "recv": "استلام استقبال تلقي",
        "erase": "احذفوا احذف امسحوا امسح أزيلوا ازيلوا شيلوا حذف إزالة ازالة",
        "data": "رقمي رقم بياناتي الرقم معلوماتي هاتفي",
        "mine": "رقمي بياناتي هاتفي معلوماتي هذا",
        "list": "القائمة قائمتكم قائمة قوائمكم",
        "unsub": """
            إلغاء_الاشتراك الغاء_الاشتراك إلغاء_اشتراكي الغاء_اشتراكي ألغوا_اشتراكي
            الغوا_اشتراكي""",
        "how": "كيف أين أريد اريد يمكنني ارجو أرجو",
        "phrase": """
            اتركوني_وشأني اتركوني اتركني دعوني_وشأني لا_تراسلوني لا_تراسلني لا_تزعجوني
            أسحب_موافقتي اسحب_موافقتي قلت_توقف احذفوني شيلوني احذفوا_رقمي""",
        "short": "لست_مهتما غير_مهتم* الرقم_خطأ رقم_خاطئ الرقم_غلط لا_تتصلوا لا_مزيد_من",
        "do": "ترسلوا ترسل تبعثوا تكتبوا تتصلوا تراسلوني ترسلون",
        "it": "هذه هذا شيء اي أي",
        "source": "من_أين من_أعطاكم كيف_حصلتم",
        "cancel": "إلغاء",
        "visit": """
            موعد موعدي الموعد حجز مناوبة غدا الأحد الاثنين الثلاثاء الأربعاء الخميس
            الجمعة السبت""",
        "veto": "الاجتماع المضخة المولد الحافلة الباص",
    },
    "et": {
        "cease": "lõpetage lõpeta lõpetada stopp stop",
        "send": """
            saatmine saatmast kirjutamine kirjutamast tülitamine tülitamast spämmimine
            saatmise helistamine saata saatke kirjutage""",
        "not": "ärge ära ei",
        "msg": "sms sõnum* teateid teated teavitu* reklaam* spämm* uudiskir* pakkumis*",
        "me": "mulle meile mind minule",
        "more": "enam rohkem edaspidi",
        "nowant": "ei_soovi ei_taha ei_huvita pole_huvitatud ei_ole_huvitatud ma_ei_soovi",
        "recv": "saada vastu_võtta",
        "erase": "kustuta* eemalda* võtke",
        "data": "number numbri andmed kontakt* telefoninumber telefoninumbri",
        "mine": "minu mu see meie mind",
        "list": "nimekirjast listist andmebaas* loendist",
        "unsub": "loobu* tellimusest_loobu* tühista_tellimus tellimuse_tühista*",
        "how": "kuidas kus soovin tahan saan palun",
        "phrase": """
            jätke_mind_rahule jäta_mind_rahule võtan_nõusoleku ütlesin_stopp eemaldage_mind
            kustutage_mind ärge_tülitage""",
        "short": "ei_huvita ei_ole_huvitatud vale_number ei_soovi_enam rohkem_mitte",
        "it": "neid seda midagi selliseid",
        "source": "kust_te kust_sa kust_saite kes_andis kuidas_te_saite",
        "cancel": "loobu* tühista*",
        "visit": """
            aeg aega aja visii* vahetus* broneering* homme esmaspäev* teisipäev*
            kolmapäev* neljapäev* reede* laupäev* pühapäev*""",
        "veto": "koosolek* pump generaator*",
    },
    "lv": {
        "cease": "beidziet beidz pārtrauciet pārtrauc pietiek apturiet stop",
        "send": "sūtīt rakstīt traucēt spamot sūtīšanu apgrūtināt zvanīt",
        "not": "ne",
        "nosend": """
            nesūtiet nerakstiet nesūti neraksti netraucējiet nesūtīt nespamojiet nezvaniet""",
        "msg": "sms īsziņ* ziņ* ziņojum* reklām* spam* paziņojum* jaunum*",
        "me": "man mums mani mūs",
        "more": "vairs vairāk nekad",
        "nowant": "nevēlos negribu nevēlamies neinteresē mani_neinteresē nepiekrītu",
        "recv": "saņemt",
        "erase": "dzēsiet izdzēsiet dzēst izdzēs noņemiet izņemiet",
        "data": "numuru numurs datus kontaktu tālruni telefonu",
        "mine": "manu manus mans mūsu šo mani",
        "list": "saraksta saraksts datubāzes datu_bāzes",
        "unsub": "atteikties atrakstīties izrakstīties atrakstiet",
        "how": "kā kur vēlos gribu varu lūdzu",
        "phrase": """
            lieciet_mani_mierā liec_mani_mierā atsaucu_piekrišanu atsaucu_savu_piekrišanu
            teicu_stop""",
        "short": "neinteresē nepareizs_numurs man_neinteresē",
        "it": "šīs šo neko to tādas šādas",
        "source": "no_kurienes kas_jums_iedeva kas_iedeva kur_dabūjāt kā_dabūjāt",
        "cancel": "atsak* atteik* atcel*",
        "visit": """
            vizīt* maiņ* pasūtījum* rezervācij* rīt pirmdien* otrdien* trešdien*
            ceturtdien* piektdien* sestdien* svētdien*""",
        "veto": "sapulc* sūkn* ģenerator* pietur*",
    },
    "lt": {
        "cease": """
            nustokite nustok liaukitės liaukis baikite baik stabdykite užteks sustabdykite
            stop""",
        "send": "siųsti siuntinėti rašyti trukdyti spaminti rašinėti siuntę skambinti siuntimą",
        "not": "ne",
        "nosend": """
            nesiųskite nerašykite nebesiųskite neberašykite nesiųsk nerašyk netrukdykite
            nebesiųsk neberašyk nebetrukdykite nesiuntinėkite neskambinkite""",
        "msg": "sms žinut* žinučių pranešim* reklam* šlamšt* spam* naujienlaišk* pasiūlym*",
        "me": "man mums mane mūsų",
        "more": "daugiau nebe toliau niekada",
        "nowant": """
            nenoriu nebenoriu nepageidauju nenorime nedomina neįdomu nesutinku nebepageidauju""",
        "recv": "gauti",
        "erase": "ištrinkite ištrink pašalinkite pašalink išbraukite išimkite",
        "data": "numerį numeris duomenis kontaktą telefoną",
        "mine": "mano savo šį mūsų mane",
        "list": "sąrašo sąrašas duomenų_bazės",
        "unsub": "atsisakyti atsisakau atšaukti_prenumeratą išsiregistruoti atsisakyt",
        "how": "kaip kur noriu norėčiau galiu prašau",
        "phrase": """
            palikite_mane_ramybėje palik_mane_ramybėje atšaukiu_sutikimą
            atšaukiu_savo_sutikimą sakiau_stop pašalinkite_mane_iš""",
        "short": "nedomina neįdomu ne_tas_numeris pašalinkite_mane",
        "it": "šių šitų to nieko tokių",
        "source": "iš_kur kas_jums_davė kas_davė_jums kaip_gavote",
        "cancel": "atsisak* atšauk*",
        "visit": """
            vizit* pamain* užsakym* rezervacij* rytoj pirmadien* antradien* trečiadien*
            ketvirtadien* penktadien* šeštadien* sekmadien*""",
        "veto": "susitikim* siurbl* generator* stotel*",
    },
    "hr": {
        "cease": """
            prestanite prestani prekinite prekini stanite zaustavite dosta nehajte obustavite
            stop""",
        "send": """
            slati pisati gnjaviti spamati kontaktirati šaljite pišite slanje slanjem gnjavite
            kontaktirajte dosađivati zvati uznemiravati šalji piši slat pisat""",
        "not": "ne nemojte nemoj nikad više_ne",
        "msg": """
            sms sms_ove smsove poruke poruka porukama reklam* obavijesti spam* ponud*
            newsletter* obaveštenja""",
        "me": "mi me mene nam nas meni",
        "more": "više nikad opet ponovo",
        "nowant": """
            ne_želim ne_zelim neću ne_želimo ne_zanima nisam_zainteresiran* dosta_mi_je
            nisam_tražio""",
        "recv": "primati dobivati dobijati",
        "erase": "obrišite obriši izbrišite izbriši uklonite ukloni maknite makni brišite",
        "data": "broj kontakt podatke telefon",
        "mine": "moj moje ovaj naš me",
        "list": "liste lista popisa popis baze",
        "unsub": "odjav* otkazati_pretplat* otkaži*_pretplat*",
        "how": "kako gdje želim mogu molim htio htjela",
        "phrase": """
            ostavite_me_na_miru pustite_me_na_miru ostavi_me_na_miru povlačim_privolu
            povlačim_pristanak rekao_sam_stop maknite_me_s uklonite_me_s izbrišite_me_s""",
        "short": """
            ne_zanima_me ne_zanima nisam_zainteresiran* krivi_broj pogrešan_broj maknite_me
            uklonite_me izbrišite_me dosta_poruka""",
        "it": "ovo to ništa ove ovakve takve",
        "source": "odakle otkud od_koga tko_vam_je ko_vam_je kako_ste_došli",
        "cancel": "otkaž* prekin*",
        "visit": """
            termin* smjen* narudžb* rezervacij* sutra ponedjelj* utorak srijedu četvrtak
            petak subot* nedjelj*""",
        "veto": "sastan* pump* generator* stanic* račun",
    },
    "sl": {
        "cease": "nehajte nehaj prenehajte prenehaj ustavite prekinite dovolj stop",
        "send": """
            pošiljati pisati nadlegovati spamati kontaktirati pošiljajte pišite pošiljanjem
            motiti klicati pošiljat""",
        "not": "ne nikoli nikar",
        "msg": "sms sms_e sms_ov sms_ov sporočil* obvestil* reklam* spam* oglas* ponudb* novic*",
        "me": "mi me mene nam nas",
        "more": "več nikoli spet",
        "nowant": """
            nočem ne_želim ne_zelim nočemo ne_zanima nisem_zainteresiran* dovolj_imam
            nisem_naročil*""",
        "recv": "prejemati dobivati",
        "erase": "izbrišite izbriši odstranite odstrani zbrišite črtajte umaknite",
        "data": "številko številka kontakt podatke telefon",
        "mine": "mojo moje to našo me moj",
        "list": "seznama seznam baze bazo",
        "unsub": "odjav* odpovedati_naročnin* odpoved_naročnin*",
        "how": "kako kje želim lahko rad rada prosim",
        "phrase": """
            pustite_me_pri_miru pusti_me_pri_miru umikam_soglasje preklicujem_soglasje
            preklicujem_privolitev rekel_sem_stop izbrišite_me_iz odstranite_me_iz""",
        "short": """
            ne_zanima_me ne_zanima napačna_številka nisem_zainteresiran* izbrišite_me
            odstranite_me dovolj_sporočil""",
        "it": "to tega teh nič takih",
        "source": "od_kod odkod kdo_vam_je kje_ste_dobili kako_ste_dobili kako_ste_prišli",
        "cancel": "prekli* prekin*",
        "visit": """
            termin* izmen* rezervacij* jutri ponedelj* torek sredo četrtek petek soboto
            nedelj*""",
        "veto": "sestan* črpalk* generator* postaj* avtobus*",
    },
}
