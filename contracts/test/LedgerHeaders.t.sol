// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {Batch, ILedger} from "../src/interfaces/ILedger.sol";
import {IGroth16Verifier} from "../src/interfaces/IGroth16Verifier.sol";
import {Trapdoor} from "./support/Trapdoor.sol";
import {LedgerFixture} from "./support/LedgerFixture.sol";
import {Words} from "./support/Words.sol";

/// @notice Sweep, regroup and carry: the batches that move the root and change no account.
contract LedgerHeadersTest is LedgerFixture {
    uint8 private constant SWEEP = 3;
    uint8 private constant REGROUP = 5;
    uint8 private constant CARRY = 6;

    function circuits() private pure returns (uint8[3] memory) {
        return [SWEEP, REGROUP, CARRY];
    }

    function batchOf(uint8 circuit, uint256 newRoot) private view returns (Batch memory) {
        if (circuit == SWEEP) return sweepBatch(sweepWords(newRoot));
        if (circuit == REGROUP) return regroupBatch(regroupWords(newRoot));
        return carryBatch(carryWords(newRoot));
    }

    function expectMoved(Batch memory made, uint256[] memory filled) private {
        (uint256 before, uint256 tick) = (ledger.root(), ledger.tickHash());
        vm.expectEmit(address(ledger));
        if (made.circuit == SWEEP) emit ILedger.Swept(1, before, NEW_ROOT, tick, COMMITMENT, filled, made.proof);
        else if (made.circuit == REGROUP) emit ILedger.Regrouped(1, before, NEW_ROOT, tick, COMMITMENT, filled, made.proof);
        else emit ILedger.Carried(1, before, NEW_ROOT, tick, COMMITMENT, filled, made.proof);
    }

    function test_moveTheRootAndNothingElse() public {
        for (uint256 i = 0; i < 3; i++) {
            uint256 snapshot = vm.snapshotState();
            uint256 tick = ledger.tickHash();
            Batch memory made = batchOf(circuits()[i], NEW_ROOT);
            expectMoved(made, Words.fillRoots(made.words, made.circuit, address(ledger), ledger.root(), tick));
            post(made);
            assertEq(ledger.root(), NEW_ROOT);
            assertEq(ledger.tickHash(), tick);
            assertEq(ledger.batch(), 1);
            assertEq(ledger.coveredBatch(), 0);
            vm.revertToState(snapshot);
        }
    }

    function test_refuseWhatTheirProofIsNotOf() public {
        for (uint256 i = 0; i < 3; i++) {
            Batch memory made = batchOf(circuits()[i], NEW_ROOT);
            for (uint256 at = 6; at < made.words.length; at++) {
                made.words[at] ^= 1;
                vm.expectRevert(IGroth16Verifier.ProofInvalid.selector);
                post(made);
                made.words[at] ^= 1;
            }
            assertEq(ledger.batch(), 0);
        }
    }

    function test_refuseTheContractsWordsFilled() public {
        for (uint256 i = 0; i < 3; i++) {
            for (uint256 at = 0; at < 6; at++) {
                Batch memory made = batchOf(circuits()[i], NEW_ROOT);
                made.words[at] = 1;
                vm.expectRevert(abi.encodeWithSelector(ILedger.WordNotZero.selector, at));
                post(made);
            }
        }
    }

    function test_refuseAnotherCircuitsProof() public {
        for (uint256 i = 0; i < 3; i++) {
            Batch memory made = batchOf(circuits()[i], NEW_ROOT);
            for (uint256 other = 1; other <= 6; other++) {
                if (other == made.circuit) continue;
                made.proof = Trapdoor.prove(Trapdoor.deltaOf(other), rootSignals(made.words, made.circuit), 0);
                vm.expectRevert(IGroth16Verifier.ProofInvalid.selector);
                post(made);
            }
        }
    }

    /// No circuit's words pass for another's: each has its number of them, and its number in the header.
    function test_refuseAnotherCircuitsNumber() public {
        uint16[7] memory counts =
            [0, 9 + INSTRUMENTS, 8 + 4 * TOUCHES, 9 + SWEEP_PAGES, 7, 9 + 5 * REGROUP_PAGES, 8 + CARRY_BLOCKS];
        for (uint256 i = 0; i < 3; i++) {
            Batch memory made = batchOf(circuits()[i], NEW_ROOT);
            for (uint8 other = 1; other <= 6; other++) {
                if (other == circuits()[i]) continue;
                made.circuit = other;
                vm.expectRevert(
                    abi.encodeWithSelector(ILedger.WordCountWrong.selector, made.words.length, counts[other])
                );
                post(made);
            }
        }
        // As many words as a carry's, proved as a sweep's.
        Batch memory made = carryBatch(carryWords(NEW_ROOT));
        made.proof = Trapdoor.prove(Trapdoor.CARRY_DELTA, rootSignals(made.words, SWEEP), 0);
        vm.expectRevert(IGroth16Verifier.ProofInvalid.selector);
        post(made);
    }

    function test_refuseMoreAndFewerWords() public {
        for (uint256 i = 0; i < 3; i++) {
            Batch memory made = batchOf(circuits()[i], NEW_ROOT);
            uint256 count = made.words.length;
            for (uint256 given = count - 1; given <= count + 1; given += 2) {
                made.words = new uint256[](given);
                vm.expectRevert(abi.encodeWithSelector(ILedger.WordCountWrong.selector, given, count));
                post(made);
            }
        }
    }

    function test_refuseEntries() public {
        for (uint256 i = 0; i < 3; i++) {
            Batch memory made = batchOf(circuits()[i], NEW_ROOT);
            made.entries = one(deposit(alice, QUOTE, 5));
            vm.expectRevert(abi.encodeWithSelector(ILedger.EntriesLeft.selector, 1, 0));
            post(made);
        }
    }

    function test_refuseValuesOutsideTheField() public {
        for (uint256 i = 0; i < 3; i++) {
            Batch memory made = batchOf(circuits()[i], P);
            vm.expectRevert(abi.encodeWithSelector(ILedger.NotInField.selector, P));
            post(made);

            made = batchOf(circuits()[i], NEW_ROOT);
            made.words[7] |= 1 << 128;
            vm.expectRevert(abi.encodeWithSelector(ILedger.HalfTooLarge.selector, 6));
            post(made);

            made = batchOf(circuits()[i], NEW_ROOT);
            made.words[8] |= 1 << 248;
            vm.expectRevert(abi.encodeWithSelector(ILedger.WordTooLarge.selector, 8));
            post(made);

            made = batchOf(circuits()[i], NEW_ROOT);
            made.commitment += P;
            vm.expectRevert(abi.encodeWithSelector(ILedger.NotInField.selector, made.commitment));
            post(made);
        }
    }

    /// A proof speaks about the root and the tick that it was made at.
    function test_refuseReplayAnotherRootAndAnotherTick() public {
        for (uint256 i = 0; i < 3; i++) {
            Batch memory made = batchOf(circuits()[i], NEW_ROOT);
            uint256 snapshot = vm.snapshotState();
            post(made);
            vm.expectRevert(IGroth16Verifier.ProofInvalid.selector);
            post(made);
            vm.revertToState(snapshot);

            post(settleBatch(emptyWords(NEW_ROOT - 1), none()));
            vm.expectRevert(IGroth16Verifier.ProofInvalid.selector);
            post(made);
            vm.revertToState(snapshot);

            post(tickBatch(tickWords(GENESIS_SLOT + 1, uint64(GENESIS_SLOT + 1) * SLOT_SECONDS)));
            vm.expectRevert(IGroth16Verifier.ProofInvalid.selector);
            post(made);
            vm.revertToState(snapshot);
        }
    }
}
