"""Pronounceable names for people who do not exist."""

_ONSETS = ("b", "d", "f", "g", "k", "l", "m", "n", "p", "r", "s", "t", "v", "z")
_VOWELS = ("a", "e", "i", "o", "u")
_ENDINGS = ("n", "r", "s", "l", "m", "th", "nd", "rk", "st", "lt")
_SYLLABLES = tuple(onset + vowel for onset in _ONSETS for vowel in _VOWELS)
_FIRST_NAMES = len(_SYLLABLES) ** 2
NAMES = _FIRST_NAMES * len(_SYLLABLES) * len(_ENDINGS) * len(_SYLLABLES)
"""How many different names there are."""

_STRIDE = 104_729_003
"""Shares no factor with NAMES (2, 5, 7 only), so that multiples of it visit every name once."""


def invented_name(number: int) -> str:
    """Name ``number``, e.g. ``Velo_Tarin``; letters and one underscore, safe in file names.

    Numbers 0..NAMES-1 have different names, after that they repeat.

    >>> invented_name(1), invented_name(2)
    ('Gopo_Manil', 'Nige_Vebund')
    """
    code = number * _STRIDE % NAMES
    code, first = divmod(code, _FIRST_NAMES)
    code, ending = divmod(code, len(_ENDINGS))
    return f"{_two_syllables(first)}_{_two_syllables(code)}{_ENDINGS[ending]}"


def _two_syllables(code: int) -> str:
    start, end = divmod(code, len(_SYLLABLES))
    return (_SYLLABLES[start] + _SYLLABLES[end]).capitalize()
