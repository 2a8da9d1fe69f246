# SPDX-License-Identifier: GPL-3.0-or-later
"""The subcommands of `zkmargin`, each imported when it is called.

So `zkmargin audit` loads nothing of the prover's side, and no command waits for what only another one needs.
"""

from __future__ import annotations

from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from zkmargin import __version__

COMMANDS = {
    "demo": "Replay a crash: margin, liquidate, prove, post and audit every batch on a node of its own.",
    "audit": "Re-check every batch of a ledger from the chain alone, or from a bundle.",
    "verify": "Verify one proof file.",
    "account": "Show an account and every number behind its margin.",
    "sign": "Sign an operation with the keys of a demo's people.",
    "submit": "Submit a signed operation.",
    "adopt": "Adopt the chain's state after batches of others overtook those of a sequencer.",
    "circuits": "List circuits: what they cost, their sources and keys.",
}
"""What `zkmargin --help` says of each; the module of the same name has the rest."""


def load_command(name: str) -> TyperCommand:
    """The command `name`, from the function `<name>_command` of the module of that name."""
    module = import_module(f"zkmargin.cli.{name}")
    single = typer.Typer(add_completion=False)
    single.command(name)(getattr(module, f"{name}_command"))
    made = get_command(single)
    assert isinstance(made, TyperCommand)
    return made


class _Lazy(TyperGroup):
    """A group that lists its commands by name, and imports the one that is called."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        for name, words in COMMANDS.items():
            self.add_command(TyperCommand(name, help=words))

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that `args` begin with, loaded."""
        name, found, rest = super().resolve_command(ctx, args)
        return name, found and load_command(str(found.name)), rest


app = typer.Typer(
    cls=_Lazy,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Margin computed off-chain and proved on-chain.",
)


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"zkmargin {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version and stop."),
    ] = False,
) -> None:
    """What stands before the subcommand."""
