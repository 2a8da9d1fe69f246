// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {Test} from "forge-std/Test.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Asset, Batch, Config, Entry} from "../../src/interfaces/ILedger.sol";
import {Groth16Verifier} from "../../src/Groth16Verifier.sol";
import {Ledger} from "../../src/Ledger.sol";
import {DevelopmentToken} from "../../src/dev/DevelopmentToken.sol";
import {Protocol} from "../../src/generated/Protocol.sol";
import {Trapdoor} from "./Trapdoor.sol";
import {Words} from "./Words.sol";

/// @notice A ledger with a quote asset (unit 1) and a collateral (instrument 9, unit 10^12), and what it takes to post batches to it.
abstract contract LedgerFixture is Test {
    uint16 internal constant QUOTE = 0;
    uint16 internal constant ETHER = 9;
    uint256 internal constant ETHER_UNIT = 1e12;
    uint16 internal constant INSTRUMENTS = 16;
    uint16 internal constant TOUCHES = 4;
    uint16 internal constant SWEEP_PAGES = 2;
    uint16 internal constant REGROUP_PAGES = 2;
    uint16 internal constant CARRY_BLOCKS = 2;
    uint32 internal constant GENESIS_SLOT = 100;
    uint32 internal constant SLOT_SECONDS = 60;
    uint64 internal constant MAX_TICK_AGE = 300;
    uint256 internal constant P = Protocol.FIELD_MODULUS;
    uint256 internal constant COMMITMENT = uint256(keccak256("C")) % P;
    uint256 internal constant NEW_ROOT = uint256(keccak256("root")) % P;
    uint256 internal constant NEW_TICK = uint256(keccak256("tick")) % P;

    Groth16Verifier internal verifier;
    DevelopmentToken internal quote;
    DevelopmentToken internal wrapped;
    Ledger internal ledger;
    address internal alice = makeAddr("alice");
    address internal bob = makeAddr("bob");

    function setUp() public virtual {
        vm.warp(uint256(GENESIS_SLOT + 1) * SLOT_SECONDS);
        verifier = new Groth16Verifier(Trapdoor.keys());
        quote = new DevelopmentToken("Quote", "USDC", 6);
        wrapped = new DevelopmentToken("Wrapped ether", "WETH", 18);
        ledger = new Ledger(configuration());
        fund(alice);
        fund(bob);
    }

    function configuration() internal view returns (Config memory config) {
        config.verifier = verifier;
        config.genesisRoot = 1 << 200;
        config.genesisTick = 1 << 201;
        config.paramsHash = 1 << 202;
        config.params = '{"tau":"1"}';
        config.genesisSlot = GENESIS_SLOT;
        config.slotSeconds = SLOT_SECONDS;
        config.maxTickAge = MAX_TICK_AGE;
        config.instruments = INSTRUMENTS;
        config.touches = TOUCHES;
        config.sweepPages = SWEEP_PAGES;
        config.regroupPages = REGROUP_PAGES;
        config.carryBlocks = CARRY_BLOCKS;
        config.assets = new Asset[](2);
        config.assets[0] = Asset(QUOTE, IERC20(quote), 1);
        config.assets[1] = Asset(ETHER, IERC20(wrapped), ETHER_UNIT);
    }

    function fund(address account) internal {
        quote.mint(account, 1e18);
        wrapped.mint(account, 1e30);
        vm.startPrank(account);
        quote.approve(address(ledger), type(uint256).max);
        wrapped.approve(address(ledger), type(uint256).max);
        vm.stopPrank();
    }

    function deposit(address account, uint16 asset, uint64 amount) internal returns (Entry memory entry) {
        entry = Entry(account, uint8(Protocol.ENTRY_OPEN), asset, amount, 7, bytes32(P - 1));
        vm.prank(account);
        ledger.deposit(entry.kind, asset, amount, entry.target, entry.owner);
    }

    /// @dev No-ops only, with the given root to move to.
    function emptyWords(uint256 newRoot) internal pure returns (uint256[] memory words) {
        words = new uint256[](8 + 4 * TOUCHES);
        (words[6], words[7]) = (newRoot >> 128, newRoot & type(uint128).max);
    }

    function tickWords(uint32 slot, uint64 time) internal pure returns (uint256[] memory words) {
        words = new uint256[](9 + INSTRUMENTS);
        (words[6], words[7]) = (NEW_TICK >> 128, NEW_TICK & type(uint128).max);
        words[8] = slot | (uint256(GENESIS_SLOT) << 32) | (uint256(time) << 64) | (0xf << 128);
        for (uint256 i = 9; i < words.length; i++) words[i] = i << 128;
    }

    function putDeposit(uint256[] memory words, uint256 touch, bool performed) internal pure {
        words[8 + 4 * touch] = 1 | (performed ? 1 << 8 : 0) | (5 << 9);
    }

    function putWithdrawal(uint256[] memory words, uint256 touch, address account, uint16 asset, uint64 amount)
        internal
        pure
    {
        words[8 + 4 * touch] = 2 | (5 << 9) | (uint256(amount) << 86);
        words[9 + 4 * touch] = uint256(uint160(account)) | (uint256(amount) << 160) | (uint256(asset) << 224);
    }

    function settleSignals(Batch memory made) internal view returns (uint256[3] memory) {
        uint256[] memory filled =
            Words.fillSettle(made.words, made.entries, address(ledger), ledger.root(), ledger.tickHash());
        return Words.signals(filled, address(ledger), made.commitment);
    }

    function settleBatch(uint256[] memory words, Entry[] memory entries) internal view returns (Batch memory made) {
        (made.circuit, made.words, made.entries, made.commitment) = (2, words, entries, COMMITMENT);
        made.proof = Trapdoor.prove(Trapdoor.SETTLE_DELTA, settleSignals(made), 0);
    }

    function tickBatch(uint256[] memory words) internal view returns (Batch memory made) {
        (made.circuit, made.words, made.commitment) = (1, words, COMMITMENT);
        uint256[] memory filled = Words.fillTick(words, address(ledger), ledger.tickHash(), ledger.paramsHash());
        made.proof = Trapdoor.prove(Trapdoor.TICK_DELTA, Words.signals(filled, address(ledger), COMMITMENT), 0);
    }

    function sweepWords(uint256 newRoot) internal pure returns (uint256[] memory words) {
        words = new uint256[](9 + SWEEP_PAGES);
        (words[6], words[7]) = (newRoot >> 128, newRoot & type(uint128).max);
        (words[8], words[9], words[10]) = (12345, 3, 7);
    }

    function sweepBatch(uint256[] memory words) internal view returns (Batch memory made) {
        (made.circuit, made.words, made.commitment) = (3, words, COMMITMENT);
        made.proof = Trapdoor.prove(Trapdoor.SWEEP_DELTA, rootSignals(words, 3), 0);
    }

    function regroupWords(uint256 newRoot) internal pure returns (uint256[] memory words) {
        words = new uint256[](9 + 5 * REGROUP_PAGES);
        (words[6], words[7]) = (newRoot >> 128, newRoot & type(uint128).max);
        for (uint256 i = 8; i < words.length; i++) words[i] = i;
    }

    function regroupBatch(uint256[] memory words) internal view returns (Batch memory made) {
        (made.circuit, made.words, made.commitment) = (5, words, COMMITMENT);
        made.proof = Trapdoor.prove(Trapdoor.REGROUP_DELTA, rootSignals(words, 5), 0);
    }

    function carryWords(uint256 newRoot) internal pure returns (uint256[] memory words) {
        words = new uint256[](8 + CARRY_BLOCKS);
        (words[6], words[7]) = (newRoot >> 128, newRoot & type(uint128).max);
        for (uint256 i = 8; i < words.length; i++) words[i] = i | (12345 << 32);
    }

    function carryBatch(uint256[] memory words) internal view returns (Batch memory made) {
        (made.circuit, made.words, made.commitment) = (6, words, COMMITMENT);
        made.proof = Trapdoor.prove(Trapdoor.CARRY_DELTA, rootSignals(words, 6), 0);
    }

    /// @param solvent Whether the reserve is not below 0.
    function coverBatch(bool solvent) internal view returns (Batch memory made) {
        (made.circuit, made.words, made.commitment) = (4, new uint256[](7), COMMITMENT);
        made.words[6] = solvent ? 1 : 0;
        made.proof = Trapdoor.prove(Trapdoor.COVERAGE_DELTA, rootSignals(made.words, 4), 0);
    }

    /// @dev C, r, y of a batch that the contract writes its root and tick into.
    function rootSignals(uint256[] memory words, uint256 circuit) internal view returns (uint256[3] memory) {
        uint256[] memory filled = Words.fillRoots(words, circuit, address(ledger), ledger.root(), ledger.tickHash());
        return Words.signals(filled, address(ledger), COMMITMENT);
    }

    /// @dev Posts one batch.
    function post(Batch memory made) internal {
        Batch[] memory batches = new Batch[](1);
        batches[0] = made;
        ledger.post(batches);
    }

    /// @dev Covers the ledger as it stands, without a deficit.
    function cover() internal {
        post(coverBatch(true));
    }

    function none() internal pure returns (Entry[] memory) {
        return new Entry[](0);
    }

    function one(Entry memory entry) internal pure returns (Entry[] memory entries) {
        entries = new Entry[](1);
        entries[0] = entry;
    }

    function two(Entry memory first, Entry memory second) internal pure returns (Entry[] memory entries) {
        entries = new Entry[](2);
        (entries[0], entries[1]) = (first, second);
    }
}
