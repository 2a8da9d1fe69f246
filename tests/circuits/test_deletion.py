# SPDX-License-Identifier: GPL-3.0-or-later
"""Any constraint deleted is noticed: a wire is no longer determined, or a false witness passes.

The slow run deletes every constraint of every template, one at a time; what goes unnoticed there is counted
in templates.py. The fast run deletes a sample.
"""

from __future__ import annotations

import pytest

from circuits.deletion import unnoticed
from circuits.templates import LARGE, SMALL, UNNOTICED, template

SAMPLE = 9  # constraints a template, or all that there are
ATTEMPTS = 60
ALIKE = 8  # in large templates: checks of one kind (one line of a loop) that witnesses are searched for
FEW = 20  # attempts where not all are found: most false witnesses stand among the starts


def test_the_sample_is_of_hundreds() -> None:
    assert sum(min(SAMPLE, len(template(name).system)) for name in SMALL) >= 300


@pytest.mark.parametrize("name", SMALL)
def test_a_sampled_deletion_is_noticed(name: str) -> None:
    assert unnoticed(name, ATTEMPTS, SAMPLE) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in SMALL if name != "ChallengeMul"])
def test_any_deletion_is_noticed(name: str) -> None:
    assert unnoticed(name, ATTEMPTS) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ChallengeMul", *LARGE])
def test_any_deletion_in_a_large_template_is_noticed(name: str) -> None:
    left = unnoticed(name, FEW if name in UNNOTICED else ATTEMPTS, members=ALIKE)
    assert len(left) <= UNNOTICED.get(name, 0), left
