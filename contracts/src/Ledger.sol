// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {Asset, Config, Entry, ILedger} from "./interfaces/ILedger.sol";
import {IGroth16Verifier} from "./interfaces/IGroth16Verifier.sol";
import {Posted} from "./libraries/Posted.sol";
import {Queue} from "./libraries/Queue.sol";
import {Touch} from "./libraries/Touch.sol";
import {Protocol} from "./generated/Protocol.sol";

/// @title Ledger
/// @notice See the interface.
contract Ledger is ILedger, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;
    using Posted for uint256[];

    struct Custody {
        IERC20 token;
        uint256 unit;
    }

    /// @inheritdoc ILedger
    bytes32 public constant protocolHash = Protocol.PROTOCOL_HASH;

    /// @inheritdoc ILedger
    IGroth16Verifier public immutable settleVerifier;
    /// @inheritdoc ILedger
    IGroth16Verifier public immutable tickVerifier;
    /// @inheritdoc ILedger
    IGroth16Verifier public immutable sweepVerifier;
    /// @inheritdoc ILedger
    IGroth16Verifier public immutable coverageVerifier;
    /// @inheritdoc ILedger
    uint256 public immutable paramsHash;
    /// @inheritdoc ILedger
    uint32 public immutable slotSeconds;
    /// @inheritdoc ILedger
    uint64 public immutable maxTickAge;
    /// @inheritdoc ILedger
    uint16 public immutable instruments;
    /// @inheritdoc ILedger
    uint16 public immutable touches;
    /// @inheritdoc ILedger
    uint16 public immutable sweepPages;
    /// @inheritdoc ILedger
    uint32 public immutable pages;

    /// @inheritdoc ILedger
    uint256 public root;
    /// @inheritdoc ILedger
    uint256 public tickHash;

    // The counters share a storage slot.
    /// @inheritdoc ILedger
    uint64 public batch;
    /// @inheritdoc ILedger
    uint64 public requested;
    /// @inheritdoc ILedger
    uint64 public consumed;
    /// @inheritdoc ILedger
    uint32 public slot;

    /// @inheritdoc ILedger
    uint256 public coveredTick;
    /// @inheritdoc ILedger
    uint256 public coveredRoot;
    // Again one storage slot. Progress is that of the coverage proofs up to batch `_progressBatch`: any other batch after it voids it.
    /// @inheritdoc ILedger
    uint64 public coveredBatch;
    /// @inheritdoc ILedger
    uint32 public coveredSlot;
    uint64 private _progressBatch;
    uint32 private _progressPages;

    /// @inheritdoc ILedger
    mapping(uint64 index => bytes32) public queue;
    /// @inheritdoc ILedger
    mapping(address account => mapping(uint16 asset => uint256)) public claim;
    /// @inheritdoc ILedger
    mapping(uint16 asset => Custody) public assetOf;

    constructor(Config memory config) {
        bool sized = config.instruments != 0 && config.touches != 0 && config.slotSeconds != 0
            && config.sweepPages != 0 && config.pages != 0
            && Protocol.SWEEP_FIXED + Protocol.SWEEP_PER_PAGE * config.sweepPages < 1 << Protocol.HEADER_WORDS_BITS
            && Protocol.SETTLE_FIXED + Protocol.SETTLE_PER_TOUCH * config.touches < 1 << Protocol.HEADER_WORDS_BITS
            && Protocol.TICK_FIXED + Protocol.TICK_PER_INSTRUMENT * config.instruments < 1 << Protocol.HEADER_WORDS_BITS
            && block.chainid < 1 << Protocol.DOMAIN_CHAIN_ID_BITS;
        if (!sized) revert ConfigOutOfRange();
        _requireDistinct([config.settleVerifier, config.tickVerifier, config.sweepVerifier, config.coverageVerifier]);
        Posted.requireInField(config.genesisRoot);
        Posted.requireInField(config.genesisTick);
        Posted.requireInField(config.paramsHash);

        settleVerifier = config.settleVerifier;
        tickVerifier = config.tickVerifier;
        sweepVerifier = config.sweepVerifier;
        coverageVerifier = config.coverageVerifier;
        paramsHash = config.paramsHash;
        slotSeconds = config.slotSeconds;
        maxTickAge = config.maxTickAge;
        instruments = config.instruments;
        touches = config.touches;
        sweepPages = config.sweepPages;
        pages = config.pages;
        root = config.genesisRoot;
        tickHash = config.genesisTick;
        slot = config.genesisSlot;
        emit Genesis(config.genesisRoot, config.genesisTick, config.paramsHash, config.params);
        _register(config.assets, config.instruments);
    }

    /* DEPOSITS AND WITHDRAWALS */

    /// @inheritdoc ILedger
    function deposit(uint8 kind, uint16 asset, uint64 amount, uint32 target, bytes32 owner)
        external
        nonReentrant
        returns (uint64 index)
    {
        if (kind > Protocol.ENTRY_ACCOUNT) revert KindUnknown(kind);
        if (amount == 0 || (asset != 0 && amount >> Protocol.BITS_MAGNITUDE != 0)) revert AmountOutOfRange(amount);
        Posted.requireInField(uint256(owner));
        Custody storage held = _custody(asset);
        uint256 stock = _pull(held, amount);
        if (asset != 0 && stock >= held.unit << Protocol.BITS_MAGNITUDE) revert CollateralFull(asset);

        index = requested++;
        queue[index] = Queue.hash(index, Entry(msg.sender, kind, asset, amount, target, owner));
        emit Requested(index, msg.sender, kind, asset, amount, target, owner);
    }

    /// @inheritdoc ILedger
    function withdraw(uint16 asset) external nonReentrant returns (uint256 amount) {
        amount = claim[msg.sender][asset];
        if (amount == 0) revert NothingToWithdraw(msg.sender, asset);
        claim[msg.sender][asset] = 0;
        emit Withdrawn(msg.sender, asset, amount);

        Custody storage held = _custody(asset);
        held.token.safeTransfer(msg.sender, amount * held.unit);
    }

    /* BATCHES */

    /// @inheritdoc ILedger
    function settle(
        uint256[] calldata words,
        Entry[] calldata entries,
        uint256 commitment,
        uint256[8] calldata proof
    ) external nonReentrant {
        uint256 count = Protocol.SETTLE_FIXED + Protocol.SETTLE_PER_TOUCH * touches;
        uint256[] memory posted = Posted.read(words, count, Protocol.SETTLE_WRITTEN);
        uint256 previousRoot = root;
        posted[Protocol.SETTLE_WORD_HEADER] = Posted.header(count, Protocol.CIRCUIT_SETTLE);
        posted[Protocol.SETTLE_WORD_DOMAIN] = Posted.domain(address(this));
        posted.put(Protocol.SETTLE_WORD_ROOT_HI, previousRoot);
        posted.put(Protocol.SETTLE_WORD_TICK_HI, tickHash);
        uint256 newRoot = posted.take(Protocol.SETTLE_WORD_NEW_ROOT_HI);

        uint64 number = ++batch;
        root = newRoot;
        consumed = _serve(posted, entries, number);
        settleVerifier.verify(proof, posted.signals(commitment, address(this), number));

        emit Settled(number, previousRoot, newRoot, tickHash, consumed, commitment, posted, proof);
    }

    /// @inheritdoc ILedger
    function tick(uint256[] calldata words, uint256 commitment, uint256[8] calldata proof) external nonReentrant {
        uint256 count = Protocol.TICK_FIXED + Protocol.TICK_PER_INSTRUMENT * instruments;
        uint256[] memory posted = Posted.read(words, count, Protocol.TICK_WRITTEN);
        uint256 previousTick = tickHash;
        posted[Protocol.TICK_WORD_HEADER] = Posted.header(count, Protocol.CIRCUIT_TICK);
        posted[Protocol.TICK_WORD_DOMAIN] = Posted.domain(address(this));
        posted.put(Protocol.TICK_WORD_PREVIOUS_HI, previousTick);
        posted.put(Protocol.TICK_WORD_PARAMS_HI, paramsHash);
        uint256 newTick = posted.take(Protocol.TICK_WORD_TICK_HI);

        uint64 number = ++batch;
        tickHash = newTick;
        slot = _checkedSlot(posted[Protocol.TICK_WORD_TICK_HEAD]);
        tickVerifier.verify(proof, posted.signals(commitment, address(this), number));

        emit Ticked(number, slot, previousTick, newTick, commitment, posted, proof);
    }

    /// @inheritdoc ILedger
    function sweep(uint256[] calldata words, uint256 commitment, uint256[8] calldata proof) external nonReentrant {
        uint256 count = Protocol.SWEEP_FIXED + Protocol.SWEEP_PER_PAGE * sweepPages;
        uint256[] memory posted = Posted.read(words, count, Protocol.SWEEP_WRITTEN);
        uint256 previousRoot = root;
        posted[Protocol.SWEEP_WORD_HEADER] = Posted.header(count, Protocol.CIRCUIT_SWEEP);
        posted[Protocol.SWEEP_WORD_DOMAIN] = Posted.domain(address(this));
        posted.put(Protocol.SWEEP_WORD_ROOT_HI, previousRoot);
        posted.put(Protocol.SWEEP_WORD_TICK_HI, tickHash);
        uint256 newRoot = posted.take(Protocol.SWEEP_WORD_NEW_ROOT_HI);

        uint64 number = ++batch;
        root = newRoot;
        sweepVerifier.verify(proof, posted.signals(commitment, address(this), number));

        emit Swept(number, previousRoot, newRoot, tickHash, commitment, posted, proof);
    }

    /// @inheritdoc ILedger
    function cover(uint256[] calldata words, uint256 commitment, uint256[8] calldata proof) external nonReentrant {
        uint256[] memory posted = Posted.read(words, Protocol.COVERAGE_FIXED, Protocol.COVERAGE_WRITTEN);
        (uint256 coverRoot, uint256 coverTick) = (root, tickHash);
        posted[Protocol.COVERAGE_WORD_HEADER] = Posted.header(Protocol.COVERAGE_FIXED, Protocol.CIRCUIT_COVERAGE);
        posted[Protocol.COVERAGE_WORD_DOMAIN] = Posted.domain(address(this));
        posted.put(Protocol.COVERAGE_WORD_ROOT_HI, coverRoot);
        posted.put(Protocol.COVERAGE_WORD_TICK_HI, coverTick);
        (uint32 first, uint32 until) = _nextRange(posted[Protocol.COVERAGE_WORD_COVER_HEAD]);

        uint64 number = ++batch;
        bool whole = until == pages;
        if (whole) {
            (coveredTick, coveredRoot, coveredBatch, coveredSlot) = (coverTick, coverRoot, number, slot);
            _progressPages = 0;
        } else {
            (_progressBatch, _progressPages) = (number, until);
        }
        coverageVerifier.verify(proof, posted.signals(commitment, address(this), number));

        emit CoverageProved(number, coverRoot, coverTick, first, until, commitment, posted, proof);
        if (whole) emit Covered(slot, coverTick, coverRoot, number);
    }

    /// @inheritdoc ILedger
    function isCovered(uint64 maxAge) external view returns (bool) {
        return coveredBatch != 0 && coveredTick == tickHash && block.timestamp <= uint256(coveredSlot) * slotSeconds + maxAge;
    }

    /// @inheritdoc ILedger
    function coveredPages() public view returns (uint32) {
        return _progressBatch == batch ? _progressPages : 0;
    }

    /* INTERNAL */

    /// @dev The range of a coverage's head word; it must go on where the last one ended.
    function _nextRange(uint256 head) private view returns (uint32 first, uint32 until) {
        first = uint32(head >> Protocol.COVER_HEAD_FIRST_SHIFT);
        until = uint32(head >> Protocol.COVER_HEAD_UNTIL_SHIFT);
        uint32 done = coveredPages();
        if (first != done || until <= first || until > pages) revert CoverageOutOfOrder(first, until, done);
    }

    /// @dev Goes through the touches: writes the words of each deposit from its queue entry, credits refused deposits and
    /// withdrawals. The new number of deposits consumed.
    function _serve(uint256[] memory posted, Entry[] calldata entries, uint64 number)
        private
        returns (uint64 next)
    {
        uint64 first = consumed;
        next = first;
        for (uint256 start = Protocol.SETTLE_FIXED; start < posted.length; start += Protocol.SETTLE_PER_TOUCH) {
            uint256 head = posted[start + Protocol.SETTLE_AT_TOUCH];
            uint256 op = Touch.op(head);
            if (op == Protocol.OP_DEPOSIT) {
                uint256 used = next - first;
                if (used == entries.length) revert EntryMismatch(next);
                Entry calldata entry = entries[used];
                if (Queue.hash(next, entry) != queue[next]) revert EntryMismatch(next);
                next++;
                Touch.writeEntry(posted, start, entry);
                if (!Touch.performed(head)) _credit(entry.depositor, entry.asset, entry.amount, number, start);
            } else if (op == Protocol.OP_WITHDRAW) {
                (address account, uint16 asset, uint64 amount) = Touch.payout(posted[start + Protocol.SETTLE_AT_L1]);
                _credit(account, asset, amount, number, start);
            }
        }
        if (next - first != entries.length) revert EntriesLeft(entries.length, next - first);
    }

    /// @dev `start`: first word of the touch that credits.
    function _credit(address account, uint16 asset, uint64 amount, uint64 number, uint256 start) private {
        _custody(asset);
        claim[account][asset] += amount;
        emit Credited(
            account, asset, amount, number, (start - Protocol.SETTLE_FIXED) / Protocol.SETTLE_PER_TOUCH
        );
    }

    /// @dev The slot of a tick's head word, after what the circuit can't know: the clock.
    function _checkedSlot(uint256 head) private view returns (uint32 next) {
        next = uint32(head >> Protocol.TICK_HEAD_SLOT_SHIFT);
        uint64 time = uint64(head >> Protocol.TICK_HEAD_TIME_SHIFT);
        if (next <= slot) revert TickNotLater(next, slot);
        uint64 expected = uint64(next) * slotSeconds;
        if (time != expected) revert TickTimeWrong(time, expected);
        if (time > block.timestamp) revert TickFromFuture(time, block.timestamp);
        if (block.timestamp - time > maxTickAge) revert TickStale(time, block.timestamp);
    }

    function _custody(uint16 asset) private view returns (Custody storage held) {
        held = assetOf[asset];
        if (address(held.token) == address(0)) revert AssetUnknown(asset);
    }

    /// @dev Returns the token's new balance here.
    /// Warning: the balance is compared before and after, so nothing that moves the token may be entered meanwhile.
    function _pull(Custody storage held, uint64 amount) private returns (uint256 stock) {
        IERC20 token = held.token;
        uint256 expected = amount * held.unit;
        uint256 before = token.balanceOf(address(this));
        token.safeTransferFrom(msg.sender, address(this), expected);
        stock = token.balanceOf(address(this));
        uint256 received = stock - before;
        if (received != expected) revert TransferInexact(expected, received);
    }

    function _register(Asset[] memory assets, uint16 limit) private {
        if (assets.length == 0 || assets[0].id != 0) revert AssetOrderWrong(0);
        for (uint256 i = 0; i < assets.length; i++) {
            Asset memory asset = assets[i];
            if (asset.id >= limit || (i != 0 && asset.id <= assets[i - 1].id)) revert AssetOrderWrong(asset.id);
            if (asset.unit == 0 || asset.unit >> 128 != 0) revert UnitOutOfRange(asset.id);
            if (address(asset.token).code.length == 0) revert TokenMissing(asset.id);
            for (uint256 j = 0; j < i; j++) if (address(assets[j].token) == address(asset.token)) revert TokenRepeated(asset.id);
            assetOf[asset.id] = Custody(asset.token, asset.unit);
            emit AssetRegistered(asset.id, address(asset.token), asset.unit);
        }
    }

    function _requireDistinct(IGroth16Verifier[4] memory verifiers) private view {
        for (uint256 i = 1; i < verifiers.length; i++) {
            uint256[4] memory delta = verifiers[i].verifyingKey().delta;
            for (uint256 j = 0; j < i; j++) {
                uint256[4] memory other = verifiers[j].verifyingKey().delta;
                if (delta[0] == other[0] && delta[1] == other[1]) revert VerifiersShareDelta();
            }
        }
    }
}
