// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

/// @title OnChainMargin
/// @notice What it takes to check accounts on the chain itself: the reference that proofs are measured against. Not part of the product.
///
/// Accounts and prices are packed as tightly as the same numbers allow: an account is five words (its balance, and twelve holdings of 72 bits, three to a
/// word, of instrument 12, tier 2, side 1, size 48), an instrument's equity a unit and four charges are three words. Prices are read once a call.
contract OnChainMargin {
    struct Account {
        int256 balance;
        uint256[4] holdings;
    }

    struct Instrument {
        int128 equity;
        uint128[4] maintenance;
    }

    Account[] private _accounts;
    Instrument[] private _instruments;

    function setInstruments(Instrument[] calldata rows) external {
        delete _instruments;
        for (uint256 i = 0; i < rows.length; i++) _instruments.push(rows[i]);
    }

    function addAccounts(Account[] calldata rows) external {
        for (uint256 i = 0; i < rows.length; i++) _accounts.push(rows[i]);
    }

    /// @notice How many of the accounts `from` .. `until` - 1 are below maintenance margin.
    function unhealthy(uint256 from, uint256 until) external view returns (uint256 found) {
        Instrument[] memory rows = _instruments;
        unchecked {
            for (uint256 i = from; i < until; i++) {
                Account storage account = _accounts[i];
                int256 health = account.balance;
                for (uint256 word = 0; word < 4; word++) {
                    uint256 packed = account.holdings[word];
                    for (uint256 slot = 0; slot < 3; slot++) {
                        uint256 size = (packed >> 15) & ((1 << 48) - 1);
                        if (size != 0) {
                            Instrument memory row = rows[packed & 0xfff];
                            int256 unit = (packed >> 14) & 1 == 0 ? int256(row.equity) : -int256(row.equity);
                            health += int256(size) * (unit - int256(uint256(row.maintenance[(packed >> 12) & 3])));
                        }
                        packed >>= 72;
                    }
                }
                if (health < 0) found++;
            }
        }
    }
}
