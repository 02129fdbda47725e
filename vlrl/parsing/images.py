"""Which of several images does an answer name? (stdlib only)"""

from __future__ import annotations

import re

_NAMED = re.compile(r"""\bimage(?:_index|_id|_number)?+["']?+\s*+[-:=#_]?+\s*+["']?+(\d{1,4}+)(?!\d)""", re.ASCII | re.IGNORECASE)


def parse_image_number(text: str) -> int | None:
    """The number of the first image that a text names, or None. Only the first counts: listing all earns nothing more.

    >>> parse_image_number('{"image": 2, "bbox_2d": [1, 2, 3, 4]}'), parse_image_number("In Image-3: (1,2),(3,4)")
    (2, 3)
    >>> parse_image_number("the second one") is None
    True
    """
    match = _NAMED.search(text)
    return int(match.group(1)) if match else None
