"""Which letters beyond ASCII each language writes, and its small words: what charset guesses use.

Only languages whose text reaches us in one of the candidate code pages are listed; the words are
chosen so that each tells one language, or one family, from the rest.
"""

ALPHABETS: dict[str, frozenset[str]] = {
    language: frozenset(letters)
    for language, letters in {
        "cs": "áčďéěíňóřšťúůýž",
        "sk": "áäčďéíĺľňóôŕšťúýž",
        "pl": "ąćęłńóśźż",
        "hu": "áéíóöőúüű",
        "sl": "čšžćđ",
        "ro": "ăâîşţșț",
        "de": "äöüß",
        "fr": "àâæçéèêëîïôœùûüÿ",
        "es": "áéíñóúü",
        "ca": "àçèéíïòóúü",
        "it": "àèéìòù",
        "pt": "áâãàçéêíóôõú",
        "nl": "éèëïóöü",
        "no": "æøåéòô",
        "sv": "åäöé",
        "is": "áðéíóúýþæö",
        "tr": "çğışöüâî",
        "ru": "абвгдеёжзийклмнопрстуфхцчшщъыьэюя",
        "uk": "абвгґдеєжзиіїйклмнопрстуфхцчшщьюя",
        "el": "αβγδεζηθικλμνξοπρσςτυφχψωάέήίόύώϊϋΐΰ",
    }.items()
}

COMMON: dict[str, frozenset[str]] = {
    language: frozenset(words.split())
    for language, words in {
        "cs": "je jsou na se si že už ještě prosím dnes zítra bude jsem není kde když ve hodin"
        " dveře čerpadlo nebo pro jako od za při také už přijdu ano dobrý den děkuji a v z ke",
        "sk": "je sú na sa si že už ešte prosím dnes zajtra bude som nie kde keď vo hodín alebo"
        " pre ako od pri tiež dobrý deň ďakujem áno a v z čo",
        "pl": "jest są na się nie tak proszę dziś jutro będzie gdzie kiedy lub dla przy też dzień"
        " dobry dziękuję o w z do już co od i godzinie",
        "hu": "a az és van nem ma holnap kérem köszönöm hogy lesz már még óra nap jó igen vagy",
        "sl": "je so na se ne danes jutri bo kje ali za tudi dober dan hvala in v z že",
        "ro": "este sunt nu da la pe cu si și în din azi mâine bună ziua mulțumesc",
        "de": "der die das ist sind und nicht ein eine heute morgen bitte für mit auf uhr wird",
        "fr": "le la les est sont et ne pas un une des du à au aux demain pour avec sur heures",
        "es": "el la los las es son y no un una hoy mañana por para con en del horas está",
        "ca": "el la els les és són i no un una avui demà per amb en del",
        "it": "il la i le è sono e non un una oggi domani per con in del alle ore perché",
        "pt": "o a os as é são e não um uma hoje amanhã por para com em do da às horas está",
        "nl": "de het een is zijn en niet vandaag morgen voor met op om uur wordt",
        "no": "er og ikke en et i dag morgen for med på klokken til av den det jeg kommer",
        "sv": "är och inte en ett i dag morgon för med på klockan till av den det jag kommer",
        "is": "er og ekki í dag morgun fyrir með á klukkan til af það",
        "tr": "ve bir bu için değil var yok bugün yarın saat kapalı ile",
        "ru": "и в не на что я с это как по из у за от сегодня завтра час да нет",
        "uk": "і в не на що я з це як по із у за від сьогодні завтра так ні є",
        "el": "και το η ο να δεν είναι σήμερα αύριο με για στο την",
    }.items()
}
