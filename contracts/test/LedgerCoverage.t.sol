// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {Batch, Config, ILedger} from "../src/interfaces/ILedger.sol";
import {Ledger} from "../src/Ledger.sol";
import {IGroth16Verifier} from "../src/interfaces/IGroth16Verifier.sol";
import {Trapdoor} from "./support/Trapdoor.sol";
import {LedgerFixture} from "./support/LedgerFixture.sol";

contract LedgerCoverageTest is LedgerFixture {
    /* SWEEP */

    function test_sweepMovesTheRoot() public {
        (uint256 before, uint256 tick) = (ledger.root(), ledger.tickHash());
        Batch memory made = sweepBatch(sweepWords(NEW_ROOT));
        vm.expectEmit(true, false, false, false, address(ledger));
        uint256[] memory none_;
        emit ILedger.Swept(1, before, NEW_ROOT, tick, made.commitment, none_, made.proof);
        post(made);
        assertEq(ledger.root(), NEW_ROOT);
        assertEq(ledger.tickHash(), tick);
        assertEq(ledger.batch(), 1);
    }

    function test_sweepRefusesWhatItsProofIsNotOf() public {
        for (uint256 at = 6; at < 11; at++) {
            Batch memory made = sweepBatch(sweepWords(NEW_ROOT));
            made.words[at] ^= 1;
            vm.expectRevert(IGroth16Verifier.ProofInvalid.selector);
            post(made);
        }
        assertEq(ledger.batch(), 0);
    }

    function test_sweepRefusesTheContractsWordsFilled() public {
        for (uint256 at = 0; at < 6; at++) {
            Batch memory made = sweepBatch(sweepWords(NEW_ROOT));
            made.words[at] = 1;
            vm.expectRevert(abi.encodeWithSelector(ILedger.WordNotZero.selector, at));
            post(made);
        }
    }

    function test_sweepRefusesAnotherCircuitsProof() public {
        Batch memory made = sweepBatch(sweepWords(NEW_ROOT));
        made.proof = Trapdoor.prove(Trapdoor.SETTLE_DELTA, rootSignals(made.words, 3), 0);
        vm.expectRevert(IGroth16Verifier.ProofInvalid.selector);
        post(made);
    }

    function test_sweepRefusesAReplayAnotherRootAndValuesOutsideTheField() public {
        Batch memory made = sweepBatch(sweepWords(NEW_ROOT));
        post(made);
        vm.expectRevert(IGroth16Verifier.ProofInvalid.selector);
        post(made);

        made = sweepBatch(sweepWords(P));
        vm.expectRevert(abi.encodeWithSelector(ILedger.NotInField.selector, P));
        post(made);

        made = sweepBatch(sweepWords(NEW_ROOT));
        made.commitment += P;
        vm.expectRevert(abi.encodeWithSelector(ILedger.NotInField.selector, made.commitment));
        post(made);

        made = sweepBatch(sweepWords(NEW_ROOT));
        uint256[] memory longer = new uint256[](made.words.length + 1);
        for (uint256 i = 0; i < made.words.length; i++) longer[i] = made.words[i];
        made.words = longer;
        vm.expectRevert(abi.encodeWithSelector(ILedger.WordCountWrong.selector, longer.length, longer.length - 1));
        post(made);
    }

    /* REGROUP */

    function test_regroupMovesTheRoot() public {
        (uint256 before, uint256 tick) = (ledger.root(), ledger.tickHash());
        Batch memory made = regroupBatch(regroupWords(NEW_ROOT));
        vm.expectEmit(true, false, false, false, address(ledger));
        uint256[] memory none_;
        emit ILedger.Regrouped(1, before, NEW_ROOT, tick, made.commitment, none_, made.proof);
        post(made);
        assertEq(ledger.root(), NEW_ROOT);
        assertEq(ledger.tickHash(), tick);
    }

    function test_regroupRefusesWhatItsProofIsNotOf() public {
        for (uint256 at = 6; at < 9 + 5 * REGROUP_PAGES; at++) {
            Batch memory made = regroupBatch(regroupWords(NEW_ROOT));
            made.words[at] ^= 1;
            vm.expectRevert(IGroth16Verifier.ProofInvalid.selector);
            post(made);
        }
        Batch memory other = regroupBatch(regroupWords(NEW_ROOT));
        other.proof = Trapdoor.prove(Trapdoor.SWEEP_DELTA, rootSignals(other.words, 5), 0);
        vm.expectRevert(IGroth16Verifier.ProofInvalid.selector);
        post(other);
        other = regroupBatch(regroupWords(P));
        vm.expectRevert(abi.encodeWithSelector(ILedger.NotInField.selector, P));
        post(other);
    }

    function test_regroupVoidsCoverageUnderWay() public {
        post(coverBatch(0, 8));
        post(regroupBatch(regroupWords(NEW_ROOT)));
        expectOrder(8, PAGES, 0);
    }

    /* COVERAGE */

    function expectOrder(uint32 first, uint32 until, uint32 covered) private {
        Batch memory made = coverBatch(first, until);
        vm.expectRevert(abi.encodeWithSelector(ILedger.CoverageOutOfOrder.selector, first, until, covered));
        post(made);
    }

    function test_aWholeLedgerInOneProof() public {
        vm.expectEmit(address(ledger));
        emit ILedger.Covered(GENESIS_SLOT, ledger.tickHash(), ledger.root(), 1);
        post(coverBatch(0, PAGES));
        assertEq(ledger.coveredRoot(), ledger.root());
        assertEq(ledger.coveredTick(), ledger.tickHash());
        assertEq(ledger.coveredSlot(), GENESIS_SLOT);
        assertEq(ledger.coveredBatch(), 1);
        assertEq(ledger.coveredPages(), 0);
        assertEq(ledger.root(), 1 << 200);
    }

    function test_aWholeLedgerInThreeProofs() public {
        post(coverBatch(0, 8));
        assertEq(ledger.coveredPages(), 8);
        post(coverBatch(8, 16));
        assertEq(ledger.coveredBatch(), 0);
        post(coverBatch(16, PAGES));
        assertEq(ledger.coveredBatch(), 3);
        assertEq(ledger.coveredTick(), ledger.tickHash());
    }

    function test_gapsOverlapsAndEmptyRanges() public {
        expectOrder(1, PAGES, 0);
        expectOrder(0, 0, 0);
        expectOrder(0, PAGES + 1, 0);
        post(coverBatch(0, 8));
        expectOrder(0, 8, 8);
        expectOrder(0, PAGES, 8);
        expectOrder(9, 16, 8);
        expectOrder(7, 16, 8);
        expectOrder(8, 8, 8);
        expectOrder(8, 7, 8);
        post(coverBatch(8, PAGES));
        expectOrder(8, PAGES, 0);
        assertEq(ledger.coveredBatch(), 2);
    }

    /// Half of one root and half of another, or of one tick and another, is no coverage.
    function test_anotherRootOrTickStartsItAnew() public {
        post(coverBatch(0, 8));
        post(sweepBatch(sweepWords(NEW_ROOT)));
        expectOrder(8, PAGES, 0);
        post(coverBatch(0, 8));
        post(settleBatch(emptyWords(NEW_ROOT - 1), none()));
        expectOrder(8, PAGES, 0);
        post(coverBatch(0, 8));
        post(tickBatch(tickWords(GENESIS_SLOT + 1, uint64(GENESIS_SLOT + 1) * SLOT_SECONDS)));
        expectOrder(8, PAGES, 0);
        assertEq(ledger.coveredBatch(), 0);
    }

    function test_aBatchThatChangesNothingDoesNot() public {
        post(coverBatch(0, 8));
        Batch memory last = coverBatch(8, PAGES);
        post(settleBatch(emptyWords(ledger.root()), none()));
        post(sweepBatch(sweepWords(ledger.root())));
        post(last);
        assertEq(ledger.coveredBatch(), 4);
    }

    /* ALL OF A TICK AT ONCE */

    function wholeTick() private returns (Batch[] memory batches) {
        batches = new Batch[](5);
        uint256 snapshot = vm.snapshotState();
        // Each is made for the ledger as those before it leave it.
        post(batches[0] = tickBatch(tickWords(GENESIS_SLOT + 1, uint64(GENESIS_SLOT + 1) * SLOT_SECONDS)));
        uint256[] memory words = emptyWords(NEW_ROOT);
        putWithdrawal(words, 0, bob, QUOTE, 30);
        post(batches[1] = settleBatch(words, none()));
        post(batches[2] = sweepBatch(sweepWords(NEW_ROOT - 1)));
        post(batches[3] = sweepBatch(sweepWords(NEW_ROOT - 2)));
        post(batches[4] = coverBatch(0, PAGES));
        vm.revertToState(snapshot);
    }

    function test_aTickInOneTransaction() public {
        Batch[] memory batches = wholeTick();
        ledger.post(batches);
        assertEq(ledger.batch(), 5);
        assertEq(ledger.root(), NEW_ROOT - 2);
        assertEq(ledger.coveredRoot(), NEW_ROOT - 2);
        assertEq(ledger.coveredSlot(), GENESIS_SLOT + 1);
        assertEq(ledger.claim(bob, QUOTE), 30);
    }

    function test_allOrNothing() public {
        for (uint256 i = 0; i < 5; i++) {
            Batch[] memory batches = wholeTick();
            batches[i].proof[6] = batches[(i + 1) % 5].proof[6];
            batches[i].proof[7] = batches[(i + 1) % 5].proof[7];
            vm.expectRevert(IGroth16Verifier.ProofInvalid.selector);
            ledger.post(batches);
            assertEq(ledger.batch(), 0);
        }
        Batch[] memory swapped = wholeTick();
        (swapped[2], swapped[3]) = (swapped[3], swapped[2]);
        vm.expectRevert(IGroth16Verifier.ProofInvalid.selector);
        ledger.post(swapped);
    }

    function test_refusesUnknownCircuitsAndNoBatches() public {
        Batch[] memory batches = wholeTick();
        uint8[3] memory unknown = [0, 6, 255];
        for (uint256 i = 0; i < 3; i++) {
            batches[4].circuit = unknown[i];
            vm.expectRevert(abi.encodeWithSelector(ILedger.CircuitUnknown.selector, unknown[i]));
            ledger.post(batches);
        }
        vm.expectRevert(IGroth16Verifier.NothingToVerify.selector);
        ledger.post(new Batch[](0));
    }

    /// A sweep's words as a coverage's, or the other way round: each circuit has its own header word.
    function test_refusesAnotherCircuitsNumber() public {
        Batch memory made = sweepBatch(sweepWords(NEW_ROOT));
        made.circuit = 4;
        vm.expectRevert(abi.encodeWithSelector(ILedger.WordCountWrong.selector, 11, 7));
        post(made);
        made = sweepBatch(sweepWords(NEW_ROOT));
        made.entries = one(deposit(alice, QUOTE, 5));
        vm.expectRevert(abi.encodeWithSelector(ILedger.EntriesLeft.selector, 1, 0));
        post(made);
    }

    function test_coverRefusesWhatItsProofIsNotOf() public {
        Batch memory made = coverBatch(0, 8);
        made.words[6] = uint256(PAGES) << 32;
        vm.expectRevert(IGroth16Verifier.ProofInvalid.selector);
        post(made);
        made = coverBatch(0, 8);
        made.proof = Trapdoor.prove(Trapdoor.SWEEP_DELTA, rootSignals(made.words, 4), 0);
        vm.expectRevert(IGroth16Verifier.ProofInvalid.selector);
        post(made);
        for (uint256 at = 0; at < 6; at++) {
            made = coverBatch(0, 8);
            made.words[at] = 1;
            vm.expectRevert(abi.encodeWithSelector(ILedger.WordNotZero.selector, at));
            post(made);
        }
        made = coverBatch(0, PAGES);
        post(sweepBatch(sweepWords(NEW_ROOT)));
        vm.expectRevert(IGroth16Verifier.ProofInvalid.selector);
        post(made);
        assertEq(ledger.coveredBatch(), 0);
    }

    /// Bits above both fields of the head would be read as nothing by the contract and as something by the circuit.
    function test_bitsAboveTheRangeAreOfNoProof() public {
        Batch memory made = coverBatch(0, PAGES);
        made.words[6] |= 1 << 64;
        vm.expectRevert(IGroth16Verifier.ProofInvalid.selector);
        post(made);
    }

    /* FOR INTEGRATORS */

    /// A genesis tick of 0 would equal the covered tick of a ledger that was never covered.
    function test_aLedgerThatWasNeverCoveredIsNot() public {
        Config memory config = configuration();
        config.genesisTick = 0;
        assertFalse(new Ledger(config).isCovered(type(uint64).max));
    }

    function test_isCoveredUntilItIsTooOldOrThereIsANewerTick() public {
        post(coverBatch(0, PAGES));
        uint256 time = uint256(GENESIS_SLOT) * SLOT_SECONDS;
        assertTrue(ledger.isCovered(uint64(block.timestamp - time)));
        assertFalse(ledger.isCovered(uint64(block.timestamp - time - 1)));
        vm.warp(block.timestamp + 1000);
        assertFalse(ledger.isCovered(1000));
        assertTrue(ledger.isCovered(uint64(block.timestamp - time)));

        vm.warp(uint256(GENESIS_SLOT + 30) * SLOT_SECONDS);
        post(tickBatch(tickWords(GENESIS_SLOT + 30, uint64(GENESIS_SLOT + 30) * SLOT_SECONDS)));
        assertFalse(ledger.isCovered(type(uint64).max));
        post(coverBatch(0, PAGES));
        assertTrue(ledger.isCovered(0));
        assertEq(ledger.coveredSlot(), GENESIS_SLOT + 30);
    }
}
