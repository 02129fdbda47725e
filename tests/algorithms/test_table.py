import re

import pytest

from vlrl.algorithms.aggregation import AGGREGATIONS
from vlrl.algorithms.table import ALGORITHMS


@pytest.mark.parametrize("name", list(ALGORITHMS))
def test_rows_are_well_formed(name: str) -> None:
    row = ALGORITHMS[name]
    assert row.aggregation in AGGREGATIONS
    assert 0 < row.epsilon <= row.epsilon_high
    assert row.beta >= 0
    assert re.fullmatch(r"\d{4}\.\d{5}", row.paper)
