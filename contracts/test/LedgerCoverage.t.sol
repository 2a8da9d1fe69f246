// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {Batch, ILedger} from "../src/interfaces/ILedger.sol";
import {IGroth16Verifier} from "../src/interfaces/IGroth16Verifier.sol";
import {Trapdoor} from "./support/Trapdoor.sol";
import {LedgerFixture} from "./support/LedgerFixture.sol";
import {Words} from "./support/Words.sol";

contract LedgerCoverageTest is LedgerFixture {
    /* COVERAGE */

    function nextTick(uint256 tick) private view returns (Batch memory) {
        uint32 slot = ledger.slot() + 1;
        uint256[] memory words = tickWords(slot, uint64(slot) * SLOT_SECONDS);
        (words[6], words[7]) = (tick >> 128, tick & type(uint128).max);
        return tickBatch(words);
    }

    function test_aWholeLedgerInOneProof() public {
        for (uint256 solvent = 0; solvent < 2; solvent++) {
            (uint256 root, uint256 tick) = (ledger.root(), ledger.tickHash());
            Batch memory made = coverBatch(solvent == 1);
            uint64 number = ledger.batch() + 1;
            uint256[] memory filled = Words.fillRoots(made.words, 4, address(ledger), root, tick);
            vm.expectEmit(address(ledger));
            emit ILedger.CoverageProved(number, root, tick, COMMITMENT, filled, made.proof);
            vm.expectEmit(address(ledger));
            emit ILedger.Covered(GENESIS_SLOT, tick, root, number);
            post(made);
            assertEq(ledger.coveredRoot(), root);
            assertEq(ledger.coveredTick(), tick);
            assertEq(ledger.coveredSlot(), GENESIS_SLOT);
            assertEq(ledger.coveredBatch(), number);
            assertEq(ledger.solventBatch(), solvent == 1 ? number : 0);
            assertEq(ledger.root(), root);
            assertEq(ledger.tickHash(), tick);
        }
    }

    /// Nothing says that a ledger is covered once only: the second time it is, by the later batch.
    function test_twice() public {
        Batch memory made = coverBatch(true);
        post(made);
        post(made);
        assertEq(ledger.coveredBatch(), 2);
        assertEq(ledger.solventBatch(), 2);
        post(coverBatch(false));
        assertEq(ledger.coveredBatch(), 3);
        assertEq(ledger.solventBatch(), 2);
        assertTrue(ledger.isCovered(type(uint64).max));
    }

    /// A coverage is of the root it was made for, whichever batch moves on from it.
    function test_ofAnotherRoot() public {
        Batch memory made = coverBatch(true);
        Batch[4] memory moves = [
            settleBatch(emptyWords(NEW_ROOT), none()),
            sweepBatch(sweepWords(NEW_ROOT)),
            regroupBatch(regroupWords(NEW_ROOT)),
            carryBatch(carryWords(NEW_ROOT))
        ];
        for (uint256 i = 0; i < 4; i++) {
            uint256 snapshot = vm.snapshotState();
            post(moves[i]);
            vm.expectRevert(IGroth16Verifier.ProofInvalid.selector);
            post(made);
            assertEq(ledger.coveredBatch(), 0);
            vm.revertToState(snapshot);
        }
        post(made);
    }

    /// An old coverage, accepted at its tick, says nothing at the next; nor does one of a root that stood then.
    function test_ofAnotherTick() public {
        Batch memory old = coverBatch(true);
        post(old);
        post(nextTick(NEW_TICK));
        vm.expectRevert(IGroth16Verifier.ProofInvalid.selector);
        post(old);
        assertFalse(ledger.isCovered(type(uint64).max));
        assertEq(ledger.coveredSlot(), GENESIS_SLOT);
        cover();
        assertTrue(ledger.isCovered(type(uint64).max));
    }

    function test_aBatchThatChangesNothingDoesNotVoidOneUnderWay() public {
        Batch memory made = coverBatch(true);
        post(settleBatch(emptyWords(ledger.root()), none()));
        post(sweepBatch(sweepWords(ledger.root())));
        post(carryBatch(carryWords(ledger.root())));
        post(made);
        assertEq(ledger.coveredBatch(), 4);
    }

    /// A tick once covered stays so while batches move the root on; what is covered is the root that was.
    function test_coveredTickStaysCoveredUnderLaterRoots() public {
        cover();
        uint256 covered = ledger.root();
        post(settleBatch(emptyWords(NEW_ROOT), none()));
        post(carryBatch(carryWords(NEW_ROOT - 1)));
        assertTrue(ledger.isCovered(type(uint64).max));
        assertEq(ledger.coveredRoot(), covered);
        assertEq(ledger.coveredBatch(), 1);
    }

    function test_refusesWhatItsProofIsNotOf() public {
        for (uint256 solvent = 0; solvent < 2; solvent++) {
            Batch memory made = coverBatch(solvent == 1);
            for (uint256 bit = 0; bit < 248; bit += 31) {
                made.words[6] ^= 1 << bit; // the first is whether there is a deficit; bits above it say nothing to the contract
                vm.expectRevert(IGroth16Verifier.ProofInvalid.selector);
                post(made);
                made.words[6] ^= 1 << bit;
            }
        }
        assertEq(ledger.coveredBatch(), 0);
        assertEq(ledger.solventBatch(), 0);
    }

    function test_refusesAnotherCircuitsProof() public {
        Batch memory made = coverBatch(true);
        for (uint256 circuit = 1; circuit <= 6; circuit++) {
            if (circuit == 4) continue;
            made.proof = Trapdoor.prove(Trapdoor.deltaOf(circuit), rootSignals(made.words, 4), 0);
            vm.expectRevert(IGroth16Verifier.ProofInvalid.selector);
            post(made);
        }
    }

    function test_refusesOtherWords() public {
        for (uint256 at = 0; at < 6; at++) {
            Batch memory made = coverBatch(true);
            made.words[at] = 1;
            vm.expectRevert(abi.encodeWithSelector(ILedger.WordNotZero.selector, at));
            post(made);
        }
        for (uint256 count = 6; count <= 8; count += 2) {
            Batch memory made = coverBatch(true);
            made.words = new uint256[](count);
            vm.expectRevert(abi.encodeWithSelector(ILedger.WordCountWrong.selector, count, 7));
            post(made);
        }
        Batch memory withEntries = coverBatch(true);
        withEntries.entries = one(deposit(alice, QUOTE, 5));
        vm.expectRevert(abi.encodeWithSelector(ILedger.EntriesLeft.selector, 1, 0));
        post(withEntries);
    }

    /* ALL OF A TICK AT ONCE */

    function wholeTick(bool solvent) private returns (Batch[] memory batches) {
        batches = new Batch[](6);
        uint256 snapshot = vm.snapshotState();
        // Each is made for the ledger as those before it leave it.
        post(batches[0] = tickBatch(tickWords(GENESIS_SLOT + 1, uint64(GENESIS_SLOT + 1) * SLOT_SECONDS)));
        uint256[] memory words = emptyWords(NEW_ROOT);
        putWithdrawal(words, 0, bob, QUOTE, 30);
        post(batches[1] = settleBatch(words, none()));
        post(batches[2] = sweepBatch(sweepWords(NEW_ROOT - 1)));
        post(batches[3] = sweepBatch(sweepWords(NEW_ROOT - 2)));
        post(batches[4] = carryBatch(carryWords(NEW_ROOT - 3)));
        post(batches[5] = coverBatch(solvent));
        vm.revertToState(snapshot);
    }

    function test_aTickInOneTransaction() public {
        Batch[] memory batches = wholeTick(true);
        ledger.post(batches);
        assertEq(ledger.batch(), 6);
        assertEq(ledger.root(), NEW_ROOT - 3);
        assertEq(ledger.coveredRoot(), NEW_ROOT - 3);
        assertEq(ledger.coveredSlot(), GENESIS_SLOT + 1);
        assertEq(ledger.claim(bob, QUOTE), 30);
    }

    function test_aTickWithADeficitPaysNothing() public {
        ledger.post(wholeTick(false));
        assertTrue(ledger.isCovered(SLOT_SECONDS));
        assertEq(ledger.claim(bob, QUOTE), 0);
        assertEq(ledger.pending(bob, QUOTE), 30);
    }

    function test_allOrNothing() public {
        for (uint256 i = 0; i < 6; i++) {
            Batch[] memory batches = wholeTick(true);
            batches[i].proof[6] = batches[(i + 1) % 6].proof[6];
            batches[i].proof[7] = batches[(i + 1) % 6].proof[7];
            vm.expectRevert(IGroth16Verifier.ProofInvalid.selector);
            ledger.post(batches);
            assertEq(ledger.batch(), 0);
        }
        Batch[] memory swapped = wholeTick(true);
        (swapped[2], swapped[3]) = (swapped[3], swapped[2]);
        vm.expectRevert(IGroth16Verifier.ProofInvalid.selector);
        ledger.post(swapped);
    }

    function test_refusesUnknownCircuitsAndNoBatches() public {
        Batch[] memory batches = wholeTick(true);
        uint8[3] memory unknown = [0, 7, 255];
        for (uint256 i = 0; i < 3; i++) {
            batches[5].circuit = unknown[i];
            vm.expectRevert(abi.encodeWithSelector(ILedger.CircuitUnknown.selector, unknown[i]));
            ledger.post(batches);
        }
        vm.expectRevert(IGroth16Verifier.NothingToVerify.selector);
        ledger.post(new Batch[](0));
    }

    /* FOR INTEGRATORS */

    function test_isCoveredUntilItIsTooOldOrThereIsANewerTick() public {
        cover();
        uint256 time = uint256(GENESIS_SLOT) * SLOT_SECONDS;
        assertTrue(ledger.isCovered(uint64(block.timestamp - time)));
        assertFalse(ledger.isCovered(uint64(block.timestamp - time - 1)));
        vm.warp(block.timestamp + 1000);
        assertFalse(ledger.isCovered(1000));
        assertTrue(ledger.isCovered(uint64(block.timestamp - time)));

        vm.warp(uint256(GENESIS_SLOT + 30) * SLOT_SECONDS);
        post(tickBatch(tickWords(GENESIS_SLOT + 30, uint64(GENESIS_SLOT + 30) * SLOT_SECONDS)));
        assertFalse(ledger.isCovered(type(uint64).max));
        cover();
        assertTrue(ledger.isCovered(0));
        assertEq(ledger.coveredSlot(), GENESIS_SLOT + 30);
    }
}
