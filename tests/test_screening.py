"""Free text: what names a person or leads to one is found, what does not is left alone, and it never takes long."""

import time
import unicodedata
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.work_samples import SOME
from work.screening import Found, Kind, described, findings, flat, masked

# What has to be found in made-up sentences, between the brackets.
FOUND: list[tuple[Kind, str]] = [
    (Kind.email, "Écrivez-moi à [jean.dupont+pro@example.org], merci."),
    (Kind.email, "mail: [A_B-c%d@sub.example.co.uk]."),
    (Kind.email, "mon adresse: [jean＠example.org]"),
    (Kind.email, "jean [(at)] exemple point fr"),
    (Kind.email, "jean [[arobase]] exemple.fr"),
    (Kind.email, "jdupont [gmail point com]"),
    (Kind.phone, "Appelez le [06 12 34 56 78] le soir"),
    (Kind.phone, "tél. [06.12.34.56.78]"),
    (Kind.phone, "tél. [06-12-34-56-78]"),
    (Kind.phone, "tél:[0612345678]"),
    (Kind.phone, "au [01 23 45 67 89]"),
    (Kind.phone, "au [+33 6 12 34 56 78]"),
    (Kind.phone, "au [+33 (0)6 12 34 56 78]"),
    (Kind.phone, "au [+33612345678]"),
    (Kind.phone, "au [0033 6 12 34 56 78]"),
    (Kind.phone, "au [0 6 1 2 3 4 5 6 7 8]"),
    (Kind.phone, "au [06\u00a012\u202f34\u00a056\u00a078]"),
    (Kind.phone, "au [٠٦ ١٢ ٣٤ ٥٦ ٧٨]"),
    (Kind.phone, "call [+44 7911 123456] or text"),
    (Kind.phone, "call [07911 123456] or text"),
    (Kind.phone, "call [(555) 234-5678] now"),
    (Kind.phone, "call [555-234-5678] now"),
    (Kind.phone, "call [+1 555 234 5678] now"),
    (Kind.phone, "in Berlin: [+49 30 901820]"),
    (Kind.link, "voir [https://www.facebook.com/jean.dupont]"),
    (Kind.link, "my page is [linkedin.com/in/jdupont]"),
    (Kind.link, "[https://jdupont:secret@example.org] for access"),
    (Kind.link, "see [https://forum.example.org/users/jdupont]"),
    (Kind.link, "see [https://social.example/@jdupont]"),
    (Kind.handle, "suivez [@jdupont_75] partout"),
    (Kind.handle, "mon [insta : jdupont75]"),
    (Kind.account, "virement sur [FR76 3000 6000 0112 3456 7890 189] merci"),
    (Kind.account, "pay to [de89370400440532013000]"),
    (Kind.account, "pay to [GB82 WEST 1234 5698 7654 32] please"),
    (Kind.card, "ma carte est [4111 1111 1111 1111]"),
    (Kind.card, "card [5555555555554444]"),
    (Kind.identity, "mon numéro : [1 85 05 78 006 084 91]"),
    (Kind.address, "livré au [12 rue V]ictor Hugo"),
    (Kind.address, "livré au [3 bis, avenue d]e la République"),
    (Kind.address, "livré au [8 place de la Ba]stille"),
    (Kind.address, "picked up at [221B Baker Street] as agreed"),
    (Kind.address, "picked up at [10 Old Mill Road]"),
    (Kind.address, "un client à [75011 Paris] très content"),
    (Kind.address, "delivered to [SW1A 1AA]"),
    (Kind.address, "le [digicode est 12B45]"),
    (Kind.name, "Merci à [Mme Durand] pour l’accueil"),
    (Kind.name, "[M. Lefèvre] était là"),
    (Kind.name, "we met [Mr. Okafor] at the door"),
    (Kind.name, "vu avec le [Dr Benali]"),
    (Kind.name, "merci [Julien], c’était parfait"),
    (Kind.name, "Merci beaucoup [Julien] !"),
    (Kind.name, "thank you so much [Priya] for the logo"),
    (Kind.name, "mon collègue [Karim] confirme"),
    (Kind.name, "fait par [Julien Moreau] hier"),
    (Kind.name, "fait par [Julien MOREAU] hier"),
    (Kind.name, "work by [Anne-Sophie Le Goff] was great"),
    (Kind.name, "[Anna K]. was on time"),
    (Kind.name, "painted by [K. Anders] in May"),
    (Kind.hidden, "très[\u200b] bien"),
    (Kind.hidden, "tr[\u202e]sèb"),
]


@pytest.mark.parametrize(("kind", "marked"), FOUND, ids=[marked for _, marked in FOUND])
def test_what_names_or_leads_to_a_person_is_found_where_it_stands(kind: Kind, marked: str) -> None:
    first, last = marked.index("["), marked.rindex("]")
    text = marked[:first] + marked[first + 1 : last] + marked[last + 1 :]
    assert Found(kind, first, last - 1) in findings(text)


ORDINARY = [
    "Livré le 01/02/2024 à 10:30, parfait.",
    "Le 12.05.2023 14:30 tout était prêt.",
    "Du 01.02.2024 au 03.04.2024, aucun retard.",
    "2024-01-02 10:20:30",
    "10/10, je recommande !",
    "5/5 5/5 5/5 4/5 5/5",
    "Prix : 1 234,56 € pour 10 heures.",
    "500 000 EUR de budget, 0,10 € la ligne",
    "$1,200.50 for 35 hours",
    "commande 123456789 bien reçue",
    "Facture 2024-11-0001234 réglée",
    "order no. 20240611 arrived",
    "Version 1.2.3 puis 10.0.26100.4061",
    "de 2020 à 2024, 350 courses",
    "réponse en 24/48h, 7j/7",
    "15000 livraisons en 2024, 75000 euros",
    "en 2 min, 5 étoiles",
    "Température entre 18 et 21, ISO 9001:2015",
    "3 places de parking, 2 rues plus loin",
    "à 2 rue d’ici",
    "une rue calme, une place assise",
    "1 route barrée",
    "Colis déposé à La Poste du quartier",
    "Nous habitons Le Mans et La Rochelle",
    "J’ai pris Uber Eats à Saint Denis",
    "Trajet de Gare de Lyon à Porte Maillot",
    "près de Notre Dame et du Mont Blanc",
    "un vol pour New York et San Francisco",
    "habite en Île de France",
    "une mission à Clermont-Ferrand et à Aix-en-Provence",
    "de Paris à Lyon, puis Marseille",
    "Google Maps s’est trompé",
    "avec Adobe Premiere et Microsoft Office",
    "un site WordPress et React, Power BI aussi",
    "pendant le Black Friday",
    "Plan B. Ensuite tout va bien",
    "Terminal E. Rien à dire",
    "Merci Uber, merci La Poste",
    "Merci. Travail impeccable. Bravo !",
    "Bonjour, très bon travail, cordialement",
    "Merci à toute l’équipe",
    "Great work. Very fast. Thank you!",
    "On Monday and in June it was perfect",
    "Excellent communication, would hire again",
    "Très bon développeur Python et SQL",
    "Un grand merci, à bientôt",
    "J’ai adoré : rapide, soigné, ponctuel",
    "voir https://www.example.org/tarifs et www.example.com",
    "écrit en C++ @ 60 Hz",
    "rendez-vous @ 10h",
    "Ratio 3:1, note 4.5, 98 %",
    "TRÈS BON TRAVAIL JE RECOMMANDE",
    "l’Opéra, l’Hôtel de Ville",
    "le RER B, le TGV",
    "Il a dit : Parfait",
    "😀 Super ! 👍🏽",
]


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_text_is_left_alone(text: str) -> None:
    assert findings(text) == ()


KNOWN_MISTAKES = [
    ("sophie était en retard", False),  # a first name alone: whoever lists names calls Rose and Pierre people
    ("avec Julien", False),
    ("Julien Moreau est venu", False),  # at the beginning of a sentence every word is capitalised
    ("zéro six douze trente-quatre", False),
    ("un séjour à Bourg Madame puis Font Romeu", True),  # a town of two capitalised words
    ("What A Truly Amazing Pace", True),  # written as titles are
]


@pytest.mark.parametrize(("text", "found"), KNOWN_MISTAKES)
def test_mistakes_that_are_known_and_told(text: str, found: bool) -> None:
    """docs/screening.md tells them; a change here changes that page."""
    assert bool(findings(text)) is found


@pytest.mark.parametrize(
    ("text", "names", "found"),
    [
        ("merci à odile", ["Odile Brunel"], ["odile"]),
        ("MERCI ÉLODIE", ["elodie"], ["ÉLODIE"]),
        ("merci elodie", ["Élodie"], ["elodie"]),
        ("merci a muller", ["Bjørn Müller"], ["muller"]),
        ("signé jean pierre", ["Jean-Pierre B."], ["jean", "pierre"]),
        ("un mot de Li Bo hier", ["Li Bo"], ["Li Bo"]),
        ("un vélib et du libre", ["Li Bo"], []),
        ("Odilette est passée", ["Odile"], []),
        ("la rue de la paix", ["Marie de la Tour"], []),
        ("un travail de maître", ["Maître Dubois"], []),
        ("rien", ["", " ", "-"], []),
    ],
)
def test_given_names_are_found_whatever_case_and_accents(text: str, names: list[str], found: list[str]) -> None:
    forms: tuple[Literal["NFC", "NFD"], ...] = ("NFC", "NFD")
    for form in forms:
        spelt = unicodedata.normalize(form, text)
        told = [spelt[one.start : one.end] for one in findings(spelt, names=names)]
        assert sorted(set(told)) == sorted(unicodedata.normalize(form, name) for name in found)


def test_a_finding_is_told_and_shown_without_what_it_is() -> None:
    text = "Appelez O. Brunel au 06 12 34 56 78 ou o.brunel@example.org"
    found = findings(text, names=["Brunel"])
    assert described(found) == "an e-mail address, a phone number and a person's name"
    shown = [masked(text, one) for one in found]
    assert "0• •• •• •• ••" in shown
    assert "o.••••••@•••••••.•••" in shown
    assert not any("12" in one or "runel" in one for one in shown)


def test_a_number_without_its_checksum_is_no_account_and_no_card() -> None:
    assert not findings("FR76 3000 6000 0112 3456 7890 188")
    assert Kind.card not in {one.kind for one in findings("4111 1111 1111 1112")}


def test_layout_is_no_part_of_a_text() -> None:
    assert flat(" Très bien,\r\n\n merci\t ! ") == "Très bien, merci !"


HOSTILE = [
    *("a", "A", "@", "a@", "1", "1 ", "0 ", "+1", "(", ".1", "1-", "a.", "a-", "é", "e\u0301", "\u0301", "\u200b"),
    *("FR76", "Aa ", "A. ", "Mr ", "merci ", "Merci à ", "http://", "x:y@", "/in/", "insta: ", "[at", "digicode "),
    *("12 rue ", "1 Aa Aa Aa ", "75011 ", "(555) ", "4111 ", "1 85 05 ", "a arobase ", "gmail dot ", "Aa-", "M. "),
]


@pytest.mark.parametrize("unit", HOSTILE)
def test_hostile_text_takes_time_in_proportion_to_its_length(unit: str) -> None:
    def taken(length: int) -> float:
        text = (unit * length)[:length]
        return min(_seconds(text) for _ in range(3))

    short, long = taken(2000), taken(16_000)
    assert short < 0.25  # seconds; some milliseconds on an idle machine
    assert long < max(40 * short, 0.05)  # eight times as long; squared it would be 64 times


def _seconds(text: str) -> float:
    start = time.process_time()
    findings(text, names=["Aa Bb", "Odile"])
    return time.process_time() - start


@SOME
@given(st.text(max_size=300), st.lists(st.text(max_size=12), max_size=3))
def test_any_text_can_be_looked_through(text: str, names: list[str]) -> None:
    found = findings(text, names=names)
    assert all(0 <= one.start < one.end <= len(text) for one in found)
    assert all(len(masked(text, one)) == one.end - one.start for one in found)
    assert list(found) == sorted(found, key=lambda one: (one.start, one.end, one.kind))


@SOME
@given(
    st.integers(1, 9),
    st.lists(st.integers(0, 99), min_size=4, max_size=4),
    st.sampled_from(("", " ", ".", "-", " . ")),
    st.text("abé ,!", max_size=20),
)
def test_french_numbers_are_found_in_any_text(first: int, pairs: list[int], between: str, around: str) -> None:
    number = between.join((f"0{first}", *(f"{pair:02d}" for pair in pairs)))
    text = f"{around} {number} {around}"
    assert any(one.kind is Kind.phone for one in findings(text))
