// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {Batch, Entry} from "../src/interfaces/ILedger.sol";
import {LedgerFixture} from "./support/LedgerFixture.sol";

/// @notice Deposits, settles that refund or pay out, and withdrawals in any order, never paying out more than was taken in: the proofs'
/// part of conservation, which here stands in for the circuit.
contract Player is LedgerFixture {
    Entry[] private _waiting;
    uint256 private _served;
    address[] private _accounts;
    uint16[2] private _assets = [QUOTE, ETHER];

    mapping(uint16 asset => uint256) public deposited;
    mapping(uint16 asset => uint256) public credited;
    mapping(uint16 asset => uint256) public matured;
    mapping(uint16 asset => uint256) public paid;

    constructor() {
        setUp();
        _accounts = [alice, bob];
    }

    function requestDeposit(uint256 who, uint256 which, uint64 amount) external {
        uint16 asset = _assets[which % 2];
        amount = uint64(bound(amount, 1, 1 << 40));
        _waiting.push(deposit(_accounts[who % 2], asset, amount));
        deposited[asset] += amount;
    }

    function serve(bool performed, uint64 pay, uint256 who, uint256 which) external {
        uint256[] memory words = emptyWords(uint256(keccak256(abi.encode(ledger.batch()))) % P);
        Entry[] memory entries = none();
        if (_served < _waiting.length) {
            entries = one(_waiting[_served++]);
            putDeposit(words, 0, performed);
            if (!performed) credited[entries[0].asset] += entries[0].amount;
        }
        uint16 asset = _assets[which % 2];
        uint256 free = ledgerOwes(asset);
        if (free != 0) {
            pay = uint64(bound(pay, 1, free));
            putWithdrawal(words, 1, _accounts[who % 2], asset, pay);
            credited[asset] += pay;
        }
        post(settleBatch(words, entries));
    }

    function coverAll(bool solvent) external {
        post(coverBatch(solvent));
        if (!solvent) return;
        for (uint256 i = 0; i < 2; i++) matured[_assets[i]] = credited[_assets[i]];
    }

    function nextTick() external {
        if (ledger.coveredTick() != ledger.tickHash()) return;
        uint32 slot = ledger.slot() + 1;
        vm.warp(uint256(slot) * SLOT_SECONDS);
        uint256[] memory words = tickWords(slot, uint64(slot) * SLOT_SECONDS);
        words[7] = slot;
        post(tickBatch(words));
    }

    function takeOut(uint256 who, uint256 which) external {
        uint16 asset = _assets[which % 2];
        address account = _accounts[who % 2];
        if (ledger.claim(account, asset) == 0) return;
        vm.prank(account);
        paid[asset] += ledger.withdraw(asset);
    }

    /// @dev What the accounts hold: deposits served and not refunded, less what was credited.
    function ledgerOwes(uint16 asset) public view returns (uint256) {
        uint256 waiting = 0;
        for (uint256 i = _served; i < _waiting.length; i++) {
            if (_waiting[i].asset == asset) waiting += _waiting[i].amount;
        }
        return deposited[asset] - waiting - credited[asset];
    }

    function vault(uint16 asset) external view returns (uint256) {
        return asset == QUOTE ? quote.balanceOf(address(ledger)) : wrapped.balanceOf(address(ledger)) / ETHER_UNIT;
    }

    function claims(uint16 asset) external view returns (uint256) {
        return ledger.claim(alice, asset) + ledger.claim(bob, asset);
    }

    function pending(uint16 asset) external view returns (uint256) {
        return ledger.pending(alice, asset) + ledger.pending(bob, asset);
    }

    function counters() external view returns (uint64 requested, uint64 consumed) {
        return (ledger.requested(), ledger.consumed());
    }
}

contract LedgerInvariantTest is LedgerFixture {
    Player private _player;
    uint16[2] private _assets = [QUOTE, ETHER];

    function setUp() public override {
        _player = new Player();
        targetContract(address(_player));
        bytes4[] memory selectors = new bytes4[](5);
        selectors[0] = Player.requestDeposit.selector;
        selectors[1] = Player.serve.selector;
        selectors[2] = Player.takeOut.selector;
        selectors[3] = Player.coverAll.selector;
        selectors[4] = Player.nextTick.selector;
        targetSelector(FuzzSelector(address(_player), selectors));
    }

    /// The vault holds what came in less what went out, to the unit.
    function invariant_vaultIsDepositsLessPayments() public view {
        for (uint256 i = 0; i < 2; i++) {
            uint16 asset = _assets[i];
            assertEq(_player.vault(asset), _player.deposited(asset) - _player.paid(asset));
        }
    }

    /// What was credited and not yet paid is claimed or pending, and the vault covers it.
    function invariant_claimsAreCreditsLessPayments() public view {
        for (uint256 i = 0; i < 2; i++) {
            uint16 asset = _assets[i];
            uint256 open = _player.claims(asset) + _player.pending(asset);
            assertEq(open, _player.credited(asset) - _player.paid(asset));
            assertLe(open, _player.vault(asset));
        }
    }

    /// Payable is exactly what was credited before the last coverage of a ledger without a deficit.
    function invariant_payableIsWhatWasCoveredSolvent() public view {
        for (uint256 i = 0; i < 2; i++) {
            uint16 asset = _assets[i];
            assertEq(_player.claims(asset) + _player.paid(asset), _player.matured(asset));
        }
    }

    /// No deposit is consumed before it is queued.
    function invariant_queueOrder() public view {
        (uint64 requested, uint64 consumed) = _player.counters();
        assertLe(consumed, requested);
    }
}
