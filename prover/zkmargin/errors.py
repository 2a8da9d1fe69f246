# SPDX-License-Identifier: GPL-3.0-or-later
"""The one error tree of the package.

    ZkMarginError                  code              exit  retryable
    |- UsageError                  usage                2  no
    |  '- BadInput                 bad_input            2  no
    |- Invalid                     invalid              1  no
    |  |- ProofInvalid             proof_invalid        1  no
    |  '- RootMismatch             root_mismatch        1  no
    |- Refused                     refused              2  no
    |- MissingData                 missing_data         3  no
    |  |- ToolMissing              tool_missing         3  no
    |  '- StaleData                stale_data           3  yes
    |- ChainUnreachable            chain_unreachable    4  yes
    |- ChainRejected               chain_rejected       1  no
    '- InternalError               internal             5  no
       |- CompileError             compile_failed       5  no
       |- WitnessError             witness_failed       5  no
       '- ProvingError             proving_failed       5  no

Every error says what is wrong (`message`), what to do about it (`hint`), whether the same call may succeed
later (`retryable`) and with which status a command ends (`exit_status`). The defaults stand on the classes; a
raise may give a narrower `code`. A new error is a subclass of the nearest one here, or a raise of it with its
own code.
"""

from __future__ import annotations

from enum import IntEnum
from typing import ClassVar


class ExitStatus(IntEnum):
    """Exit statuses of every command."""

    VALID = 0
    INVALID = 1
    USAGE = 2
    MISSING = 3
    UNREACHABLE = 4
    INTERNAL = 5


class ZkMarginError(Exception):
    """Base of all errors of the package; `str(error)` is the message with the hint, if there is one."""

    default_code: ClassVar[str] = "internal"
    default_hint: ClassVar[str] = ""
    default_retryable: ClassVar[bool] = False
    default_exit_status: ClassVar[int] = ExitStatus.INTERNAL

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        code: str | None = None,
        retryable: bool | None = None,
        exit_status: int | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = self.default_hint if hint is None else hint
        self.code = self.default_code if code is None else code
        self.retryable = self.default_retryable if retryable is None else retryable
        self.exit_status = int(self.default_exit_status if exit_status is None else exit_status)

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message

    def __reduce__(self) -> tuple[object, tuple[type[ZkMarginError], dict[str, object]]]:
        """Keep every field when an error crosses a process boundary."""
        return _rebuild, (type(self), dict(self.__dict__, message=self.message))

    def as_json(self) -> dict[str, dict[str, object]]:
        """The form printed to standard error by commands run with `--json`."""
        return {
            "error": {
                "code": self.code,
                "message": self.message,
                "hint": self.hint,
                "retryable": self.retryable,
            }
        }


def _rebuild(kind: type[ZkMarginError], fields: dict[str, object]) -> ZkMarginError:
    error = kind.__new__(kind)
    Exception.__init__(error, fields["message"])
    error.__dict__.update(fields)
    return error


class UsageError(ZkMarginError):
    """The command or call was put wrongly."""

    default_code = "usage"
    default_exit_status = ExitStatus.USAGE


class BadInput(UsageError):
    """A value handed in is malformed, oversized or out of range."""

    default_code = "bad_input"


class Refused(ZkMarginError):
    """A well-formed request that the rules refuse (withdraw too much, stale nonce, margin too low)."""

    default_code = "refused"
    default_exit_status = ExitStatus.USAGE


class Invalid(ZkMarginError):
    """Something claimed does not hold."""

    default_code = "invalid"
    default_exit_status = ExitStatus.INVALID


class ProofInvalid(Invalid):
    """A proof does not verify against its public signals and verifying key."""

    default_code = "proof_invalid"


class RootMismatch(Invalid):
    """A state root, tick hash or commitment differs from the one it should equal."""

    default_code = "root_mismatch"


class MissingData(ZkMarginError):
    """A file, key, event or other datum that is needed is not there."""

    default_code = "missing_data"
    default_exit_status = ExitStatus.MISSING


class ToolMissing(MissingData):
    """A program or package of the set-up is not installed."""

    default_code = "tool_missing"
    default_hint = "run `make setup`"


class StaleData(MissingData):
    """Data is there but too old to be used, such as a price past its age limit."""

    default_code = "stale_data"
    default_retryable = True


class ChainUnreachable(ZkMarginError):
    """The node does not answer."""

    default_code = "chain_unreachable"
    default_hint = "check the --rpc address and that the node runs"
    default_retryable = True
    default_exit_status = ExitStatus.UNREACHABLE


class ChainRejected(ZkMarginError):
    """The chain refused a transaction: the contract reverted."""

    default_code = "chain_rejected"
    default_exit_status = ExitStatus.INVALID


class InternalError(ZkMarginError):
    """A step that should succeed on any valid input failed."""

    default_code = "internal"


class CompileError(InternalError):
    """A circuit or a contract does not compile."""

    default_code = "compile_failed"


class WitnessError(InternalError):
    """The witness generator refused its inputs: they do not meet the statement."""

    default_code = "witness_failed"


class ProvingError(InternalError):
    """A backend could not make a proof that verifies."""

    default_code = "proving_failed"
