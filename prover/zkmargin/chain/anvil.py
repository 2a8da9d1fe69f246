# SPDX-License-Identifier: GPL-3.0-or-later
"""A local Ethereum node of one's own: anvil on a free port, gone when its user is."""

from __future__ import annotations

import ctypes
import os
import re
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from eth_account import Account
from web3 import Web3
from web3.types import RPCEndpoint

from zkmargin.chain.node import connect, request
from zkmargin.errors import BadInput, ChainUnreachable
from zkmargin.protocol.constants import LOCAL_CHAIN_IDS
from zkmargin.toolchain import anvil as anvil_program

LOCAL_CHAIN_ID = LOCAL_CHAIN_IDS[0]
MNEMONIC = "test test test test test test test test test test test junk"
"""Everybody knows it: accounts of it hold value on local chains only."""

_START_SECONDS = 30.0
_STOP_SECONDS = 10.0
_LISTENING = re.compile(r"Listening on 127\.0\.0\.1:(\d+)")
_PR_SET_PDEATHSIG = 1


def development_key(index: int) -> str:
    """Private key number `index` of the well-known mnemonic; anvil funds the first ten."""
    Account.enable_unaudited_hdwallet_features()
    account = Account.from_mnemonic(MNEMONIC, account_path=f"m/44'/60'/0'/0/{index}")
    return "0x" + bytes(account.key).hex()


@dataclass(frozen=True)
class Anvil:
    """A running node. Its methods are the node's own test calls; everything else goes through `web3`."""

    url: str
    chain_id: int
    pid: int
    web3: Web3

    def call(self, method: str, *parameters: Any) -> Any:
        """Any JSON-RPC method, such as `anvil_setBalance`."""
        return request(self.web3, cast(RPCEndpoint, method), list(parameters))

    def fund(self, address: str, wei: int) -> None:
        """Set the balance of an account."""
        self.call("anvil_setBalance", address, hex(wei))

    def next_block_at(self, timestamp: int) -> None:
        """Set the time of the next block, in seconds since 1970 and after the last; it goes on from there."""
        self.call("evm_setNextBlockTimestamp", timestamp)

    def advance_to(self, timestamp: int) -> None:
        """Mine a block at `timestamp`, so that calls and gas estimates see that time too."""
        self.next_block_at(timestamp)
        self.mine()

    def mine(self, blocks: int = 1) -> None:
        """Mine blocks now."""
        self.call("anvil_mine", hex(blocks))

    def automine(self, on: bool) -> None:
        """Whether each transaction gets a block at once (the default)."""
        self.call("evm_setAutomine", on)

    def snapshot(self) -> str:
        """Remember the state; `revert` goes back to it once."""
        return str(self.call("evm_snapshot"))

    def revert(self, snapshot: str) -> None:
        """Go back to a snapshot."""
        self.call("evm_revert", snapshot)


@contextmanager
def anvil(
    *,
    chain_id: int = LOCAL_CHAIN_ID,
    timestamp: int | None = None,
    state: Path | None = None,
    port: int = 0,
    hardfork: str = "prague",
) -> Iterator[Anvil]:
    """Run a node until the block ends.

    `timestamp`: time of the genesis block. `state`: file to load the chain from, if it is there, and to save
    it to at the end. `port` 0 takes a free one. Raises ChainUnreachable, with the node's own words, when it
    does not start.
    """
    arguments = [
        str(anvil_program()),
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        "--chain-id",
        str(chain_id),
    ]
    arguments += ["--hardfork", hardfork, "--mnemonic", MNEMONIC, "--color", "never"]
    arguments += [] if timestamp is None else ["--timestamp", str(timestamp)]
    arguments += [] if state is None else ["--state", str(state)]
    with tempfile.NamedTemporaryFile(prefix="zkmargin-anvil-", suffix=".txt") as log:
        process = subprocess.Popen(
            arguments,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # an interrupt at the keyboard is for the parent, which stops the node
            preexec_fn=_end_with_parent(),  # noqa: PLW1509 - one system call, looked up before the fork
        )
        try:
            url = f"http://127.0.0.1:{_wait_for_port(process, Path(log.name))}"
            web3 = connect(url)
            if web3.eth.chain_id != chain_id:
                raise BadInput(
                    f"the saved chain has another id than {chain_id}", hint="start with its own id"
                )
            yield Anvil(url, chain_id, process.pid, web3)
        finally:
            _stop(process)


def _end_with_parent() -> Callable[[], None] | None:
    """Has the kernel stop the node when the thread that started it is gone, however it ended; Linux only."""
    if os.uname().sysname != "Linux":
        return None
    prctl = ctypes.CDLL(None).prctl  # found before the fork: afterwards only the call is safe

    def tie() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)

    return tie


def _wait_for_port(process: subprocess.Popen[bytes], log: Path) -> int:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        found = _LISTENING.search(log.read_text(errors="replace"))
        if found:
            return int(found[1])
        if process.poll() is not None:
            break
        time.sleep(0.02)
    words = log.read_text(errors="replace").strip().splitlines()[-3:]
    raise ChainUnreachable(
        f"the local node did not start: {' / '.join(words) or 'it said nothing'}",
        hint="run it again; if it still fails, run `make setup`",
    )


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGINT)  # saves the state, if asked to
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
