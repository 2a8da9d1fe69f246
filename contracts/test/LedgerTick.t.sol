// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {Batch, ILedger} from "../src/interfaces/ILedger.sol";
import {IGroth16Verifier} from "../src/interfaces/IGroth16Verifier.sol";
import {Ledger} from "../src/Ledger.sol";
import {LedgerFixture} from "./support/LedgerFixture.sol";
import {Words} from "./support/Words.sol";

contract LedgerTickTest is LedgerFixture {
    uint32 private constant SLOT = GENESIS_SLOT + 1;
    uint64 private constant TIME = uint64(SLOT) * SLOT_SECONDS;

    function test_movesTheTick() public {
        Batch memory made = tickBatch(tickWords(SLOT, TIME));
        uint256[] memory filled =
            Words.fillTick(made.words, address(ledger), ledger.tickHash(), ledger.paramsHash());
        vm.expectEmit(address(ledger));
        emit ILedger.Ticked(1, SLOT, ledger.tickHash(), NEW_TICK, made.commitment, filled, made.proof);
        post(made);
        assertEq(ledger.tickHash(), NEW_TICK);
        assertEq(ledger.slot(), SLOT);
        assertEq(ledger.batch(), 1);
    }

    function test_countsWithSettles() public {
        post(settleBatch(emptyWords(NEW_ROOT), none()));
        post(tickBatch(tickWords(SLOT, TIME)));
        assertEq(ledger.batch(), 2);
    }

    function test_acceptsOldestAndNewest() public {
        vm.warp(TIME + MAX_TICK_AGE);
        post(tickBatch(tickWords(SLOT, TIME)));
        cover();
        vm.warp(TIME + SLOT_SECONDS);
        post(tickBatch(tickWords(SLOT + 1, TIME + SLOT_SECONDS)));
        assertEq(ledger.slot(), SLOT + 1);
    }

    function test_refusesStale() public {
        vm.warp(TIME + MAX_TICK_AGE + 1);
        Batch memory made = tickBatch(tickWords(SLOT, TIME));
        vm.expectRevert(abi.encodeWithSelector(ILedger.TickStale.selector, TIME, TIME + MAX_TICK_AGE + 1));
        post(made);
    }

    function test_refusesFuture() public {
        vm.warp(TIME - 1);
        Batch memory made = tickBatch(tickWords(SLOT, TIME));
        vm.expectRevert(abi.encodeWithSelector(ILedger.TickFromFuture.selector, TIME, TIME - 1));
        post(made);
    }

    function test_refusesSameAndEarlierSlot() public {
        for (uint32 slot = GENESIS_SLOT - 1; slot <= GENESIS_SLOT; slot++) {
            Batch memory made = tickBatch(tickWords(slot, uint64(slot) * SLOT_SECONDS));
            vm.expectRevert(abi.encodeWithSelector(ILedger.TickNotLater.selector, slot, GENESIS_SLOT));
            post(made);
        }
    }

    function test_refusesTimeThatIsNotTheSlots() public {
        Batch memory made = tickBatch(tickWords(SLOT, TIME - 1));
        vm.expectRevert(abi.encodeWithSelector(ILedger.TickTimeWrong.selector, TIME - 1, TIME));
        post(made);
    }

    function test_refusesLargestSlotAndTime() public {
        // The largest values of the fields neither overflow nor wrap: they are refused by name.
        Batch memory made = tickBatch(tickWords(type(uint32).max, uint64(type(uint32).max) * SLOT_SECONDS));
        vm.expectRevert(
            abi.encodeWithSelector(
                ILedger.TickFromFuture.selector, uint64(type(uint32).max) * SLOT_SECONDS, block.timestamp
            )
        );
        post(made);
        made = tickBatch(tickWords(SLOT, type(uint64).max));
        vm.expectRevert(abi.encodeWithSelector(ILedger.TickTimeWrong.selector, type(uint64).max, TIME));
        post(made);
    }

    function testFuzz_refusesChangedMark(uint256 index, uint256 change) public {
        Batch memory made = tickBatch(tickWords(SLOT, TIME));
        made.words[bound(index, 9, made.words.length - 1)] ^= bound(change, 1, (1 << 248) - 1);
        vm.expectRevert(IGroth16Verifier.ProofInvalid.selector);
        post(made);
    }

    function test_refusesReplay() public {
        Batch memory made = tickBatch(tickWords(SLOT, TIME));
        uint256 snapshot = vm.snapshotState();

        vm.chainId(block.chainid + 1);
        vm.expectRevert(IGroth16Verifier.ProofInvalid.selector);
        post(made);

        vm.revertToState(snapshot);
        ledger = new Ledger(configuration());
        vm.expectRevert(IGroth16Verifier.ProofInvalid.selector);
        post(made);

        vm.revertToState(snapshot);
        post(made);
        cover();
        vm.expectRevert(abi.encodeWithSelector(ILedger.TickNotLater.selector, SLOT, SLOT));
        post(made);
    }

    function test_refusesWordsOfTheContract() public {
        for (uint256 index = 0; index < 6; index++) {
            uint256[] memory words = tickWords(SLOT, TIME);
            words[index] = 1;
            Batch memory made = tickBatch(words);
            vm.expectRevert(abi.encodeWithSelector(ILedger.WordNotZero.selector, index));
            post(made);
        }
    }

    function test_refusesTickHashPlusModulus() public {
        uint256[] memory words = tickWords(SLOT, TIME);
        (words[6], words[7]) = ((NEW_TICK + P) >> 128, (NEW_TICK + P) & type(uint128).max);
        Batch memory made = tickBatch(words);
        vm.expectRevert(abi.encodeWithSelector(ILedger.NotInField.selector, NEW_TICK + P));
        post(made);
    }

    function test_refusesCommitmentPlusModulus() public {
        Batch memory made = tickBatch(tickWords(SLOT, TIME));
        made.commitment += P;
        vm.expectRevert(abi.encodeWithSelector(ILedger.NotInField.selector, made.commitment));
        post(made);
    }

    function test_refusesOtherCount() public {
        Batch memory made = tickBatch(tickWords(SLOT, TIME));
        uint256 expected = made.words.length;
        made.words = new uint256[](expected + 1);
        vm.expectRevert(abi.encodeWithSelector(ILedger.WordCountWrong.selector, expected + 1, expected));
        post(made);
    }

    /// An operator can't step over the tick at which somebody is below maintenance: what can't be covered has no successor.
    function test_refusesTheNextBeforeTheLastIsCovered() public {
        post(tickBatch(tickWords(SLOT, TIME)));
        vm.warp(TIME + SLOT_SECONDS);
        Batch memory next = tickBatch(tickWords(SLOT + 1, TIME + SLOT_SECONDS));
        vm.expectRevert(abi.encodeWithSelector(ILedger.LastTickUncovered.selector, SLOT));
        post(next);
        post(carryBatch(carryWords(NEW_ROOT - 2)));
        vm.expectRevert(abi.encodeWithSelector(ILedger.LastTickUncovered.selector, SLOT));
        post(next);
        post(settleBatch(emptyWords(NEW_ROOT), none()));
        cover();
        post(settleBatch(emptyWords(NEW_ROOT - 1), none()));
        post(next);
        assertEq(ledger.slot(), SLOT + 1);
    }
}
