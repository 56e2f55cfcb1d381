"""Languages and voices: what a `locale` of the platform means to an engine that has other voices.

An application names a language (`sv-SE`), a language and a gender (`sv-SE/female`) or a voice of the big clouds
(`Astrid`).  None of those voices is ours; what counts is that Swedish text is read as Swedish, by a voice of the same
gender, and that two names of one language are two voices.  So there is one table, and whatever it does not have becomes
the nearest that it has: another region of the language, else US English.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from gateway.speech.port import Gender, Voice

__all__ = ["DEFAULT", "LANGUAGES", "Language", "espeak_voice", "language_of", "voice_of"]


@dataclass(frozen=True, slots=True)
class Language:
    """A row of the table."""

    locale: str
    espeak: str
    """The nearest language of espeak-ng."""
    female: tuple[str, ...]
    male: tuple[str, ...]
    first: Gender
    """Who speaks when no gender is asked for."""


# locale, espeak-ng's language, female names, male names; "-" is nobody.
_TABLE: Final = """
arb       ar             Zeina                                     -
az-AZ     az             Banu                                      Babek
ca-ES     ca             Arlet                                     -
zh-HK     yue            HiuGaai,HiuMaan                           WanLung
cmn-CN    cmn            Zhiyu                                     -
hr-HR     hr             Gabrijela                                 Srecko
cs-CZ     cs             Vlasta                                    Antonin
da-DK     da             Naja                                      Mads
nl-NL     nl             Lotte                                     Ruben
en-US     en-us          Joanna,Ivy,Kendra,Kimberly,Salli          Joey,Justin,Kevin,Matthew
en-GB     en-gb          Amy,Emma                                  Brian,Arthur
en-AU     en-gb-x-rp     Nicole,Olivia                             Russell
en-IN     en-gb          Aditi,Raveena,Kajal                       -
en-NZ     en-gb-x-rp     Aria                                      -
en-ZA     en-gb-x-rp     Ayanda                                    -
en-CA     en-us-nyc      -                                         -
en-GB-WLS en-gb-x-gbclan -                                         Geraint
et-EE     et             Anu                                       Kert
fil-PH    id             Blessica                                  Angelo
fi-FI     fi             Suvi                                      -
fr-FR     fr             Celine,Lea                                Mathieu
fr-CA     fr             Chantal,Gabrielle                         Liam
ka-GE     ka             Eka                                       Giorgi
de-DE     de             Marlene,Vicki                             Hans,Daniel
de-AT     de             Hannah                                    -
el-GR     el             Athina                                    Nestoras
hi-IN     hi             Aditi,Kajal                               -
hu-HU     hu             Noemi                                     Tamas
is-IS     is             Dora                                      Karl
id-ID     id             Gadis                                     Ardi
it-IT     it             Carla,Bianca                              Giorgio
ja-JP     ja             Mizuki                                    Takumi
ko-KR     ko             Seoyeon                                   -
mt-MT     mt             Grace                                     Joseph
ms-MY     ms             Yasmin                                    Osman
nb-NO     nb             Liv                                       -
lv-LV     lv             Everita                                   Nils
lt-LT     lt             Ona                                       Leonas
pl-PL     pl             Ewa,Maja                                  Jacek,Jan
pt-BR     pt-br          Camila,Vitoria                            Ricardo
pt-PT     pt             Ines                                      Cristiano
ro-RO     ro             Carmen                                    -
ru-RU     ru             Tatyana                                   Maxim
es-ES     es             Conchita,Lucia                            Enrique
es-MX     es-419         Mia                                       -
es-US     es-419         Lupe,Penelope                             Miguel,Pedro
es-CA     es-419         -                                         -
sk-SK     sk             Viktoria                                  Lukas
sl-SI     sl             Petra                                     Rok
sv-SE     sv             Astrid                                    -
th-TH     th             Achara,Premwadee                          Niwat
tr-TR     tr             Filiz                                     -
uk-UA     uk             Polina                                    Ostap
uz-UZ     uz             Madina                                    Sardor
vi-VN     vi             HoaiMy                                    NamMinh
cy-GB     cy             Gwyneth                                   -
zh-CN     cmn            -                                         -
zh-TW     cmn            -                                         -
"""

_ALIASES: Final[Mapping[str, str]] = {
    "ar": "arb",
    "cmn": "cmn-CN",
    "no": "nb-NO",
    "nn": "nb-NO",
    "zn": "zh-CN",
    "tl": "fil-PH",
}
"""Languages under another name than the table's; `zn-CN` stood in a list of 2015."""
_VARIANTS: Final[Mapping[Gender, tuple[str, ...]]] = {
    Gender.FEMALE: ("f2", "f5", "f4", "f3", "f1"),
    Gender.MALE: ("m3", "m7", "m1", "m4", "m2"),
}
"""espeak-ng's changes of voice, one for each name of a language."""


def _rows() -> Iterator[Language]:
    for line in _TABLE.strip().splitlines():
        locale, espeak, female, male = line.split()
        women, men = ((() if names == "-" else tuple(names.split(","))) for names in (female, male))
        first = Gender.MALE if men and not women else Gender.FEMALE
        yield Language(locale, espeak, women, men, first)


def _plain(text: str) -> str:
    """Return a name without accents and case, as callers write it: `Léa` and `lea` are one."""
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c)).casefold()


LANGUAGES: Final[Mapping[str, Language]] = {row.locale: row for row in _rows()}
"""Locale -> its row, in the table's order."""
DEFAULT: Final = Voice("en-US", Gender.FEMALE)
"""Who speaks when nobody is asked for."""

_LOCALES: Final = {_plain(locale): row for locale, row in LANGUAGES.items()}
_NAMES: Final = {
    _plain(name): Voice(row.locale, gender, name)
    for row in reversed(tuple(LANGUAGES.values()))  # of two languages with the same name, the first one wins
    for gender, names in ((Gender.FEMALE, row.female), (Gender.MALE, row.male))
    for name in names
}


def voice_of(wish: str | None) -> Voice:
    """Return the voice that `wish` means: a locale, a locale and a gender, a voice's name; None is the default."""
    spelled = _plain((wish or "").strip()).replace("_", "-")
    if spelled in _NAMES:
        return _NAMES[spelled]
    locale, _, gender = spelled.partition("/")
    row = _nearest(locale)
    if gender in _NAMES and _NAMES[gender].language == row.locale:
        return _NAMES[gender]
    return Voice(row.locale, Gender(gender) if gender in tuple(Gender) else row.first)


def _nearest(locale: str) -> Language:
    """Return the row of a locale, of what it begins with (`en-US-JennyNeural`), of its language, or the default."""
    if not re.fullmatch(r"[a-z]{2,3}(-[a-z0-9]+)*", locale):
        return LANGUAGES[DEFAULT.language]
    parts = locale.split("-")
    for count in range(len(parts), 0, -1):
        if found := _LOCALES.get("-".join(parts[:count])):
            return found
    if parts[0] in _ALIASES:
        return LANGUAGES[_ALIASES[parts[0]]]
    same = (row for row in LANGUAGES.values() if row.locale.split("-")[0] == parts[0])
    return next(same, LANGUAGES[DEFAULT.language])


def language_of(voice: Voice) -> Language:
    """Return the row of the voice's language."""
    return LANGUAGES.get(voice.language, LANGUAGES[DEFAULT.language])


def espeak_voice(voice: Voice) -> str:
    """Return what espeak-ng calls the nearest voice: `sv+f2`."""
    row = language_of(voice)
    names = row.female if voice.gender is Gender.FEMALE else row.male
    place = names.index(voice.name) if voice.name in names else 0
    variants = _VARIANTS[voice.gender]
    return f"{row.espeak}+{variants[place % len(variants)]}"
