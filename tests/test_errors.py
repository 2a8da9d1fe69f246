# SPDX-License-Identifier: GPL-3.0-or-later
"""The error tree: its documented table, its JSON form, and that it survives a process boundary."""

from __future__ import annotations

import pickle
import re

import pytest

from zkmargin import errors
from zkmargin.errors import BadInput, ChainUnreachable, ExitStatus, Refused, ZkMarginError


def _tree() -> list[type[ZkMarginError]]:
    return [
        kind
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, ZkMarginError) and kind is not ZkMarginError
    ]


@pytest.mark.parametrize("kind", _tree(), ids=lambda kind: kind.__name__)
def test_the_table_in_the_module_is_true(kind):
    rows = dict(re.findall(r"(?:\|-|'-) (\w+) +(.*)", errors.__doc__ or ""))
    assert kind.__name__ in rows, "every error stands in the module's table"
    code, exit_status, retryable = rows[kind.__name__].split()
    error = kind("message")
    assert (error.code, error.exit_status, error.retryable) == (code, int(exit_status), retryable == "yes")


def test_json_form():
    error = ChainUnreachable("no answer from the node", hint="start it")
    assert error.as_json() == {
        "error": {
            "code": "chain_unreachable",
            "message": "no answer from the node",
            "hint": "start it",
            "retryable": True,
        }
    }
    assert str(error) == "no answer from the node (start it)"
    assert error.exit_status == ExitStatus.UNREACHABLE


def test_fields_survive_another_process():
    error = Refused("too much", hint="less", code="withdraw_too_much", retryable=True, exit_status=2)
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is Refused
    assert (str(copy), copy.as_json(), copy.exit_status) == (str(error), error.as_json(), 2)


def test_a_raise_narrows_the_code_only():
    error = BadInput("size is 0", code="size_zero")
    assert error.code == "size_zero"
    assert error.exit_status == ExitStatus.USAGE
    assert error.retryable is False
