import json
import time

import pytest

from vlrl.parsing.items import listed_items


@pytest.mark.parametrize(
    ("text", "count", "distinct"),
    [
        ('[{"bbox_2d": [1, 2, 3, 4], "label": "a"}, {"bbox_2d": [1, 2, 3, 4], "label": "b"}]', 2, 2),
        ('[{"bbox_2d": [1, 2, 3, 4], "label": "a"}, {"label": "a", "box": [1.0, 2.0, 3, 4], "score": 0.5}]', 2, 1),
        ('[{"point_2d": [1, 2]}, {"point": [1, 2], "id": 7}]', 2, 1),
        ('{"action": "click"} {"action": "click"} {"action": "type"}', 3, 2),
        ('{"a": {"b": 1}}', 1, 1),  # the inner object
        ('{"a": 1', 0, 0),
        ("{} {} {'a': 1}", 0, 0),
        ('{"a": ' + "9" * 5000 + "}", 1, 1),
        ('{"a": 1e400} {"a": Infinity}', 2, 1),
        ("", 0, 0),
    ],
)
def test_listed_items(text: str, count: int, distinct: int) -> None:
    found = listed_items(text)
    assert (len(found), len(set(found))) == (count, distinct)
    assert all(isinstance(json.loads(item), (list, dict)) for item in found)


@pytest.mark.parametrize("text", ["{" * 10**6, '{"a":1}' * 140_000, "{}" * 500_000, '{"a":' * 200_000 + "}" * 200_000])
def test_a_hostile_megabyte_takes_seconds(text: str) -> None:
    start = time.process_time()
    listed_items(text)
    assert time.process_time() - start < 5
