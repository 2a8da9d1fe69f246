# SPDX-License-Identifier: GPL-3.0-or-later
"""ERC-20 calls: balances, approval, and the minting of development tokens."""

from __future__ import annotations

from typing import Any

from web3 import Web3

from zkmargin.chain.artifacts import artifact
from zkmargin.chain.node import chain_errors
from zkmargin.chain.transactions import Call

UNLIMITED = (1 << 256) - 1


def _contract(web3: Web3, token: str) -> Any:
    return web3.eth.contract(address=Web3.to_checksum_address(token), abi=artifact("DevelopmentToken").abi)


def balance(web3: Web3, token: str, account: str, block: int | None = None) -> int:
    """Token base units that `account` holds, in a block or the latest."""
    with chain_errors():
        view = _contract(web3, token).functions.balanceOf(Web3.to_checksum_address(account))
        return int(view.call(block_identifier="latest" if block is None else block))


def approve_call(web3: Web3, token: str, spender: str, amount: int = UNLIMITED) -> Call:
    """Let `spender` pull up to `amount` token base units."""
    return _call(web3, token, "approve", Web3.to_checksum_address(spender), amount)


def mint_call(web3: Web3, token: str, account: str, amount: int) -> Call:
    """Create `amount` base units of a development token."""
    return _call(web3, token, "mint", Web3.to_checksum_address(account), amount)


def _call(web3: Web3, token: str, function: str, *arguments: Any) -> Call:
    data = _contract(web3, token).encode_abi(function, args=list(arguments))
    return Call(token, bytes.fromhex(data.removeprefix("0x")))
