// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {Vm} from "forge-std/Vm.sol";
import {Batch, Entry, ILedger} from "../src/interfaces/ILedger.sol";
import {IGroth16Verifier} from "../src/interfaces/IGroth16Verifier.sol";
import {Ledger} from "../src/Ledger.sol";
import {LedgerFixture} from "./support/LedgerFixture.sol";
import {Trapdoor} from "./support/Trapdoor.sol";
import {Words} from "./support/Words.sol";

contract LedgerSettleTest is LedgerFixture {
    /* WHAT IS ACCEPTED */

    function test_movesTheRoot() public {
        Batch memory made = settleBatch(emptyWords(NEW_ROOT), none());
        uint256[] memory filled =
            Words.fillSettle(made.words, made.entries, address(ledger), ledger.root(), ledger.tickHash());
        vm.expectEmit(address(ledger));
        emit ILedger.Settled(
            1, ledger.root(), NEW_ROOT, ledger.tickHash(), 0, made.commitment, filled, made.proof
        );
        post(made);
        assertEq(ledger.root(), NEW_ROOT);
        assertEq(ledger.batch(), 1);
        assertEq(ledger.slot(), GENESIS_SLOT);
    }

    function test_anyoneMayPost() public {
        Batch memory made = settleBatch(emptyWords(NEW_ROOT), none());
        vm.prank(makeAddr("stranger"));
        post(made);
        assertEq(ledger.root(), NEW_ROOT);
    }

    function test_consumesDepositsInOrder() public {
        Entry[] memory entries = two(deposit(alice, QUOTE, 5), deposit(bob, ETHER, 6));
        uint256[] memory words = emptyWords(NEW_ROOT);
        putDeposit(words, 0, true);
        putDeposit(words, 2, true);
        post(settleBatch(words, entries));
        assertEq(ledger.consumed(), 2);
        assertEq(ledger.claim(alice, QUOTE), 0);
        assertEq(ledger.claim(bob, ETHER), 0);
    }

    function test_refundsRefusedDeposit() public {
        uint256[] memory words = emptyWords(NEW_ROOT);
        putDeposit(words, 1, false);
        Batch memory made = settleBatch(words, one(deposit(bob, ETHER, 6)));
        vm.expectEmit(address(ledger));
        emit ILedger.Credited(bob, ETHER, 6, 1, 1);
        post(made);
        assertEq(ledger.pending(bob, ETHER), 6);
        assertEq(ledger.claim(bob, ETHER), 0);
        cover();
        assertEq(ledger.pending(bob, ETHER), 0);
        assertEq(ledger.claim(bob, ETHER), 6);
        assertEq(ledger.consumed(), 1);
    }

    function test_creditsWithdrawals() public {
        deposit(alice, QUOTE, 100);
        uint256[] memory words = emptyWords(NEW_ROOT);
        putWithdrawal(words, 0, bob, QUOTE, 30);
        putWithdrawal(words, 3, bob, QUOTE, 4);
        Batch memory made = settleBatch(words, none());
        vm.expectEmit(address(ledger));
        emit ILedger.Credited(bob, QUOTE, 30, 1, 0);
        vm.expectEmit(address(ledger));
        emit ILedger.Credited(bob, QUOTE, 4, 1, 3);
        post(made);
        assertEq(ledger.pending(bob, QUOTE), 34);
        cover();
        assertEq(ledger.claim(bob, QUOTE), 34);
    }

    function test_otherOperationsCreditNobody() public {
        uint256[] memory words = emptyWords(NEW_ROOT);
        for (uint256 op = 3; op < 12; op++) {
            for (uint256 touch = 0; touch < TOUCHES; touch++) {
                putWithdrawal(words, touch, bob, QUOTE, 30);
                words[8 + 4 * touch] = op;
            }
            post(settleBatch(words, none()));
        }
        assertEq(ledger.claim(bob, QUOTE) + ledger.pending(bob, QUOTE), 0);
    }

    /* REPLAY */

    function expectProofInvalid() private {
        vm.expectRevert(IGroth16Verifier.ProofInvalid.selector);
    }

    function test_refusesReplayOnOtherChain() public {
        Batch memory made = settleBatch(emptyWords(NEW_ROOT), none());
        vm.chainId(block.chainid + 1);
        expectProofInvalid();
        post(made);
    }

    function test_refusesReplayOnOtherLedger() public {
        Batch memory made = settleBatch(emptyWords(NEW_ROOT), none());
        ledger = new Ledger(configuration());
        expectProofInvalid();
        post(made);
    }

    /// Whoever posts what changes nothing holds nobody up: proofs made before it still fit.
    function test_aBatchThatChangesNothingVoidsNoProof() public {
        Batch memory idle = settleBatch(emptyWords(ledger.root()), none());
        Batch memory made = settleBatch(emptyWords(NEW_ROOT), none());
        post(idle);
        post(idle);
        post(made);
        assertEq(ledger.batch(), 3);
        assertEq(ledger.root(), NEW_ROOT);
        expectProofInvalid();
        post(made);
    }

    function test_refusesProofFromOldRoot() public {
        Batch memory made = settleBatch(emptyWords(NEW_ROOT), none());
        post(settleBatch(emptyWords(NEW_ROOT), none()));
        expectProofInvalid();
        post(made);
    }

    function test_refusesProofAtOldTick() public {
        Batch memory made = settleBatch(emptyWords(NEW_ROOT), none());
        post(tickBatch(tickWords(GENESIS_SLOT + 1, uint64(GENESIS_SLOT + 1) * SLOT_SECONDS)));
        expectProofInvalid();
        post(made);
    }

    function test_refusesProofOfTickCircuit() public {
        Batch memory made = settleBatch(emptyWords(NEW_ROOT), none());
        made.proof = Trapdoor.prove(Trapdoor.TICK_DELTA, settleSignals(made), 0);
        expectProofInvalid();
        post(made);
    }

    /* WORDS THAT DIFFER FROM THOSE PROVED */

    function testFuzz_refusesChangedWord(uint256 index, uint256 change) public {
        uint256[] memory words = emptyWords(NEW_ROOT);
        putWithdrawal(words, 0, bob, QUOTE, 30);
        Batch memory made = settleBatch(words, none());
        index = bound(index, 8, words.length - 1);
        // Above the opcode, so that the change makes no deposit out of a touch.
        made.words[index] ^= bound(change, 1, type(uint224).max) << 8;
        vm.expectRevert();
        post(made);
        assertEq(ledger.claim(bob, QUOTE) + ledger.pending(bob, QUOTE), 0);
    }

    function testFuzz_refusesShuffledWords(uint256 from, uint256 to) public {
        uint256[] memory words = emptyWords(NEW_ROOT);
        for (uint256 i = 8; i < words.length; i++) words[i] = (i << 100) | 3;
        Batch memory made = settleBatch(words, none());
        from = bound(from, 8, words.length - 1);
        to = bound(to, 8, words.length - 1);
        vm.assume(from != to);
        (made.words[from], made.words[to]) = (made.words[to], made.words[from]);
        expectProofInvalid();
        post(made);
    }

    function test_refusesTrailingZeroWords() public {
        Batch memory made = settleBatch(emptyWords(NEW_ROOT), none());
        uint256[] memory longer = new uint256[](made.words.length + 1);
        for (uint256 i = 0; i < made.words.length; i++) longer[i] = made.words[i];
        (uint256 count, uint256 expected) = (longer.length, made.words.length);
        made.words = longer;
        vm.expectRevert(abi.encodeWithSelector(ILedger.WordCountWrong.selector, count, expected));
        post(made);
    }

    function test_refusesMissingWords() public {
        Batch memory made = settleBatch(emptyWords(NEW_ROOT), none());
        uint256 expected = made.words.length;
        made.words = new uint256[](expected - 4);
        vm.expectRevert(abi.encodeWithSelector(ILedger.WordCountWrong.selector, expected - 4, expected));
        post(made);
    }

    function testFuzz_refusesOversizedWord(uint256 index, uint256 word) public {
        uint256[] memory words = emptyWords(NEW_ROOT);
        index = bound(index, 0, words.length - 1);
        words[index] = bound(word, 1 << 248, type(uint256).max);
        Batch memory made = settleBatch(words, none());
        vm.expectRevert(abi.encodeWithSelector(ILedger.WordTooLarge.selector, index));
        post(made);
    }

    function testFuzz_refusesWordOfTheContract(uint256 index, uint256 word) public {
        uint256[] memory words = emptyWords(NEW_ROOT);
        index = bound(index, 0, 5);
        words[index] = bound(word, 1, (1 << 248) - 1);
        Batch memory made = settleBatch(words, none());
        vm.expectRevert(abi.encodeWithSelector(ILedger.WordNotZero.selector, index));
        post(made);
    }

    function test_refusesWordOfTheContractEvenIfRight() public {
        uint256[] memory words = emptyWords(NEW_ROOT);
        words[2] = ledger.root() >> 128;
        Batch memory made = settleBatch(words, none());
        vm.expectRevert(abi.encodeWithSelector(ILedger.WordNotZero.selector, 2));
        post(made);
    }

    /* THE NEW ROOT AND C */

    function test_refusesRootHalvesOutOfRange() public {
        for (uint256 half = 6; half < 8; half++) {
            uint256[] memory words = emptyWords(NEW_ROOT);
            words[half] = 1 << 128;
            Batch memory made = settleBatch(words, none());
            vm.expectRevert(abi.encodeWithSelector(ILedger.HalfTooLarge.selector, 6));
            post(made);
        }
    }

    function test_refusesRootPlusModulus() public {
        Batch memory made = settleBatch(emptyWords(P), none());
        vm.expectRevert(abi.encodeWithSelector(ILedger.NotInField.selector, P));
        post(made);
        made = settleBatch(emptyWords(NEW_ROOT + P), none());
        vm.expectRevert(abi.encodeWithSelector(ILedger.NotInField.selector, NEW_ROOT + P));
        post(made);
    }

    function test_refusesCommitmentPlusModulus() public {
        Batch memory made = settleBatch(emptyWords(NEW_ROOT), none());
        made.commitment += P;
        vm.expectRevert(abi.encodeWithSelector(ILedger.NotInField.selector, made.commitment));
        post(made);
    }

    function test_refusesOtherCommitment() public {
        Batch memory made = settleBatch(emptyWords(NEW_ROOT), none());
        made.commitment ^= 1;
        expectProofInvalid();
        post(made);
    }

    /* THE QUEUE */

    function expectMismatch(uint64 index) private {
        vm.expectRevert(abi.encodeWithSelector(ILedger.EntryMismatch.selector, index));
    }

    function depositWords(uint256 count) private pure returns (uint256[] memory words) {
        words = emptyWords(NEW_ROOT);
        for (uint256 i = 0; i < count; i++) putDeposit(words, i, true);
    }

    function test_refusesSkippedDeposit() public {
        deposit(alice, QUOTE, 5);
        Batch memory made = settleBatch(depositWords(1), one(deposit(bob, ETHER, 6)));
        expectMismatch(0);
        post(made);
    }

    function test_refusesReorderedDeposits() public {
        Entry memory first = deposit(alice, QUOTE, 5);
        Entry memory second = deposit(bob, ETHER, 6);
        Batch memory made = settleBatch(depositWords(2), two(second, first));
        expectMismatch(0);
        post(made);
    }

    function test_refusesDepositTwice() public {
        Entry memory first = deposit(alice, QUOTE, 5);
        deposit(alice, QUOTE, 5);
        Batch memory made = settleBatch(depositWords(1), one(first));
        post(made);
        // The queue binds the index: the second, equal deposit is served by an equal entry, but no third time.
        post(settleBatch(depositWords(1), one(first)));
        made = settleBatch(depositWords(1), one(first));
        expectMismatch(2);
        post(made);
    }

    function test_refusesEveryAlteredFieldOfAnEntry() public {
        Entry memory right = deposit(alice, QUOTE, 5);
        for (uint256 field = 0; field < 6; field++) {
            Entry memory entry = abi.decode(abi.encode(right), (Entry));
            if (field == 0) entry.depositor = bob;
            else if (field == 1) entry.kind = 2;
            else if (field == 2) entry.asset = ETHER;
            else if (field == 3) entry.amount += 1;
            else if (field == 4) entry.target += 1;
            else entry.owner = bytes32(0);
            Batch memory made = settleBatch(depositWords(1), one(entry));
            expectMismatch(0);
            post(made);
        }
    }

    function test_refusesDepositTouchWithoutEntry() public {
        deposit(alice, QUOTE, 5);
        Batch memory made = settleBatch(depositWords(1), none());
        expectMismatch(0);
        post(made);
    }

    function test_refusesDepositNobodyMade() public {
        Batch memory made = settleBatch(depositWords(1), one(Entry(alice, 1, QUOTE, 5, 0, 0)));
        expectMismatch(0);
        post(made);
    }

    function test_refusesEntryWithoutTouch() public {
        Entry[] memory entries = two(deposit(alice, QUOTE, 5), deposit(bob, ETHER, 6));
        Batch memory made = settleBatch(depositWords(1), entries);
        vm.expectRevert(abi.encodeWithSelector(ILedger.EntriesLeft.selector, 2, 1));
        post(made);
    }

    function test_refusesDepositWordsInCalldata() public {
        Entry memory entry = deposit(alice, QUOTE, 5);
        for (uint256 word = 9; word < 12; word++) {
            uint256[] memory words = depositWords(1);
            words[word] = 1;
            Batch memory made = settleBatch(words, one(entry));
            vm.expectRevert(abi.encodeWithSelector(ILedger.WordNotZero.selector, word));
            post(made);
        }
    }

    function test_flagOfADepositIsBound() public {
        // Whoever posts can't turn a performed deposit into a refunded one: the flag is part of a proved word.
        uint256[] memory words = depositWords(1);
        Batch memory made = settleBatch(words, one(deposit(alice, QUOTE, 5)));
        putDeposit(made.words, 0, false);
        expectProofInvalid();
        post(made);
    }

    function test_refusesPayoutOfUnknownAsset() public {
        uint256[] memory words = emptyWords(NEW_ROOT);
        putWithdrawal(words, 0, bob, 3, 30);
        Batch memory made = settleBatch(words, none());
        vm.expectRevert(abi.encodeWithSelector(ILedger.AssetUnknown.selector, 3));
        post(made);
    }
}
