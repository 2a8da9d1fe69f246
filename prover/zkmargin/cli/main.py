# SPDX-License-Identifier: GPL-3.0-or-later
"""The command `zkmargin`: subcommands, and errors turned into exit statuses."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer
from typer.exceptions import TyperException

from zkmargin.cli.account import account_command
from zkmargin.cli.audit import register as register_audit
from zkmargin.cli.circuits import circuits_command
from zkmargin.cli.submit import submit_command
from zkmargin.cli.verify import verify_command
from zkmargin.errors import ExitStatus, InternalError, UsageError, ZkMarginError

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Margin computed off-chain and proved on-chain.",
)
app.command("circuits")(circuits_command)
app.command("verify")(verify_command)
app.command("account")(account_command)
app.command("submit")(submit_command)
register_audit(app)


@app.command("demo")
def demo_command(
    out: Annotated[
        Path, typer.Option(help="Folder for the summary, the bundle and the sequencer's files.")
    ] = Path("build/demo"),
    prices: Annotated[
        Path | None, typer.Option(help="Price file to replay in place of the project's own table.")
    ] = None,
    backend: Annotated[
        str | None, typer.Option(help="native, groth16py or snarkjs; the fastest built if not given.")
    ] = None,
    ticks: Annotated[int | None, typer.Option(help="Replay fewer ticks.", min=1)] = None,
    cluster: Annotated[
        str | None,
        typer.Option(envvar="ZKMARGIN_CLUSTER", help="HOST:PORT of a Ray cluster to prove on."),
    ] = None,
) -> None:
    """Replay a crash: margin, liquidate, prove, post and audit every batch on a node of its own."""
    from zkmargin.demo.run import run_demo

    run_demo(out, prices, backend, ticks, cluster)


def _fail(error: ZkMarginError, as_json: bool) -> int:
    if as_json:
        print(json.dumps(error.as_json()), file=sys.stderr)
    else:
        print(f"error: {error.message}", file=sys.stderr)
        if error.hint:
            print(f"hint: {error.hint}", file=sys.stderr)
    return error.exit_status


def run(arguments: list[str]) -> int:
    """Run a command; returns its exit status."""
    as_json = "--json" in arguments
    try:
        result = app(args=arguments, standalone_mode=False)
        return int(result) if isinstance(result, int) else ExitStatus.VALID
    except typer.Exit as stop:
        return int(stop.exit_code)
    except typer.Abort:
        return 130
    except TyperException as error:
        words = error.format_message() if hasattr(error, "format_message") else str(error)
        if not words:  # called with nothing: the help was shown
            return ExitStatus.USAGE
        return _fail(UsageError(str(words), hint="see `zkmargin --help`"), as_json)
    except ZkMarginError as error:
        return _fail(error, as_json)
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        import traceback

        traceback.print_exc()
        return _fail(InternalError(f"{type(error).__name__}: {error}", hint="please report this"), as_json)


def main() -> None:
    """Entry point of the command."""
    sys.exit(run(sys.argv[1:]))
