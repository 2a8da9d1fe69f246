// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {Asset, Batch, Config, Entry, ILedger} from "./interfaces/ILedger.sol";
import {IGroth16Verifier, Statement} from "./interfaces/IGroth16Verifier.sol";
import {Posted} from "./libraries/Posted.sol";
import {Queue} from "./libraries/Queue.sol";
import {Touch} from "./libraries/Touch.sol";
import {Protocol} from "./generated/Protocol.sol";

/// @title Ledger
/// @notice See the interface.
contract Ledger is ILedger, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;
    using Posted for uint256[];

    /// @dev `stock`: of a collateral, the units deposited less those paid out; what was given without a deposit is not counted. 0 of the
    /// quote asset, which has no limit.
    struct Custody {
        IERC20 token;
        uint96 stock;
        uint256 unit;
    }

    /// @dev What an account was credited of an asset: `pending` until the ledger is covered, and solvent, after batch `since`, the latest that
    /// credited.
    struct Credit {
        uint96 matured;
        uint96 pending;
        uint64 since;
    }

    /// @inheritdoc ILedger
    bytes32 public constant protocolHash = Protocol.PROTOCOL_HASH;

    /// @inheritdoc ILedger
    IGroth16Verifier public immutable verifier;
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
    uint16 public immutable regroupPages;
    /// @inheritdoc ILedger
    uint16 public immutable carryBlocks;

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
    /// @inheritdoc ILedger
    uint64 public coveredBatch;
    /// @inheritdoc ILedger
    uint64 public solventBatch;
    /// @inheritdoc ILedger
    uint32 public coveredSlot;

    /// @inheritdoc ILedger
    mapping(uint64 index => bytes32) public queue;
    mapping(address account => mapping(uint16 asset => Credit)) private _credits;
    mapping(uint16 asset => Custody) private _custodies;

    constructor(Config memory config) {
        if (!_sized(config) || !_started(config) || block.chainid >> Protocol.DOMAIN_CHAIN_ID_BITS != 0) revert ConfigOutOfRange();
        Posted.requireInField(config.genesisRoot);
        Posted.requireInField(config.genesisTick);
        Posted.requireInField(config.paramsHash);
        _requireCircuits(config.verifier);

        verifier = config.verifier;
        paramsHash = config.paramsHash;
        slotSeconds = config.slotSeconds;
        maxTickAge = config.maxTickAge;
        instruments = config.instruments;
        touches = config.touches;
        sweepPages = config.sweepPages;
        regroupPages = config.regroupPages;
        carryBlocks = config.carryBlocks;
        root = config.genesisRoot;
        tickHash = config.genesisTick;
        slot = config.genesisSlot;
        // Nobody holds anything yet, and nothing is priced: covered without a proof, though not for `isCovered`.
        (coveredTick, coveredRoot, coveredSlot) = (config.genesisTick, config.genesisRoot, config.genesisSlot);
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
        if (asset != 0) {
            uint96 stock = held.stock + amount;
            if (stock >> Protocol.BITS_MAGNITUDE != 0) revert CollateralFull(asset);
            held.stock = stock;
        }
        _pull(held, amount);

        index = requested++;
        queue[index] = Queue.hash(index, Entry(msg.sender, kind, asset, amount, target, owner));
        emit Requested(index, msg.sender, kind, asset, amount, target, owner);
    }

    /// @inheritdoc ILedger
    function withdraw(uint16 asset) external nonReentrant returns (uint256 amount) {
        Credit memory credit = _matured(msg.sender, asset);
        amount = credit.matured;
        if (amount == 0) revert NothingToWithdraw(msg.sender, asset);
        credit.matured = 0;
        _credits[msg.sender][asset] = credit;
        emit Withdrawn(msg.sender, asset, amount);

        Custody storage held = _custody(asset);
        if (asset != 0) held.stock -= uint96(amount);
        held.token.safeTransfer(msg.sender, amount * held.unit);
    }

    /* BATCHES */

    /// @inheritdoc ILedger
    function post(Batch[] calldata batches) external nonReentrant {
        Statement[] memory statements = new Statement[](batches.length);
        for (uint256 i = 0; i < batches.length; i++) {
            Batch calldata made = batches[i];
            uint256[] memory posted = _accept(made);
            statements[i] = Statement(made.circuit, posted.signals(made.commitment, address(this)), made.proof);
        }
        verifier.verify(statements);
    }

    /* FOR INTEGRATORS */

    /// @inheritdoc ILedger
    function isCovered(uint64 maxAge) external view returns (bool) {
        return coveredBatch != 0 && coveredTick == tickHash && block.timestamp <= uint256(coveredSlot) * slotSeconds + maxAge;
    }

    /// @inheritdoc ILedger
    function claim(address account, uint16 asset) external view returns (uint256) {
        return _matured(account, asset).matured;
    }

    /// @inheritdoc ILedger
    function pending(address account, uint16 asset) external view returns (uint256) {
        return _matured(account, asset).pending;
    }

    /// @inheritdoc ILedger
    function assetOf(uint16 asset) external view returns (IERC20 token, uint256 unit) {
        return (_custodies[asset].token, _custodies[asset].unit);
    }

    /* INTERNAL */

    /// @dev Does what a batch says, whose proof is verified afterwards. Its words, the contract's own filled in.
    function _accept(Batch calldata made) private returns (uint256[] memory) {
        uint64 number = ++batch;
        if (made.circuit == Protocol.CIRCUIT_SETTLE) return _settle(made, number);
        if (made.entries.length != 0) revert EntriesLeft(made.entries.length, 0);
        if (made.circuit == Protocol.CIRCUIT_TICK) return _tick(made, number);
        if (made.circuit == Protocol.CIRCUIT_SWEEP) return _sweep(made, number);
        if (made.circuit == Protocol.CIRCUIT_REGROUP) return _regroup(made, number);
        if (made.circuit == Protocol.CIRCUIT_CARRY) return _carry(made, number);
        if (made.circuit == Protocol.CIRCUIT_COVERAGE) return _cover(made, number);
        revert CircuitUnknown(made.circuit);
    }

    function _settle(Batch calldata made, uint64 number) private returns (uint256[] memory posted) {
        uint256 count = Protocol.SETTLE_FIXED + Protocol.SETTLE_PER_TOUCH * touches;
        posted = _begin(made, count, Protocol.SETTLE_WRITTEN);
        uint256 previousRoot = _putRoots(posted);
        uint256 newRoot = _moveRoot(previousRoot, posted.take(Protocol.SETTLE_WORD_NEW_ROOT_HI));
        consumed = _serve(posted, made.entries, number);
        emit Settled(number, previousRoot, newRoot, tickHash, consumed, made.commitment, posted, made.proof);
    }

    function _tick(Batch calldata made, uint64 number) private returns (uint256[] memory posted) {
        uint256 count = Protocol.TICK_FIXED + Protocol.TICK_PER_INSTRUMENT * instruments;
        posted = _begin(made, count, Protocol.TICK_WRITTEN);
        uint256 previousTick = tickHash;
        if (coveredTick != previousTick) revert LastTickUncovered(slot);
        posted.put(Protocol.TICK_WORD_PREVIOUS_HI, previousTick);
        posted.put(Protocol.TICK_WORD_PARAMS_HI, paramsHash);
        uint256 newTick = posted.take(Protocol.TICK_WORD_TICK_HI);
        tickHash = newTick;
        slot = _checkedSlot(posted[Protocol.TICK_WORD_TICK_HEAD]);
        emit Ticked(number, slot, previousTick, newTick, made.commitment, posted, made.proof);
    }

    function _sweep(Batch calldata made, uint64 number) private returns (uint256[] memory posted) {
        posted = _begin(made, Protocol.SWEEP_FIXED + Protocol.SWEEP_PER_PAGE * sweepPages, Protocol.SWEEP_WRITTEN);
        uint256 previousRoot = _putRoots(posted);
        uint256 newRoot = _moveRoot(previousRoot, posted.take(Protocol.SWEEP_WORD_NEW_ROOT_HI));
        emit Swept(number, previousRoot, newRoot, tickHash, made.commitment, posted, made.proof);
    }

    function _regroup(Batch calldata made, uint64 number) private returns (uint256[] memory posted) {
        uint256 count = Protocol.REGROUP_FIXED + Protocol.REGROUP_PER_PAGE * regroupPages;
        posted = _begin(made, count, Protocol.REGROUP_WRITTEN);
        uint256 previousRoot = _putRoots(posted);
        uint256 newRoot = _moveRoot(previousRoot, posted.take(Protocol.REGROUP_WORD_NEW_ROOT_HI));
        emit Regrouped(number, previousRoot, newRoot, tickHash, made.commitment, posted, made.proof);
    }

    function _carry(Batch calldata made, uint64 number) private returns (uint256[] memory posted) {
        posted = _begin(made, Protocol.CARRY_FIXED + Protocol.CARRY_PER_BLOCK * carryBlocks, Protocol.CARRY_WRITTEN);
        uint256 previousRoot = _putRoots(posted);
        uint256 newRoot = _moveRoot(previousRoot, posted.take(Protocol.CARRY_WORD_NEW_ROOT_HI));
        emit Carried(number, previousRoot, newRoot, tickHash, made.commitment, posted, made.proof);
    }

    function _cover(Batch calldata made, uint64 number) private returns (uint256[] memory posted) {
        posted = _begin(made, Protocol.COVERAGE_FIXED, Protocol.COVERAGE_WRITTEN);
        uint256 current = _putRoots(posted);
        emit CoverageProved(number, current, tickHash, made.commitment, posted, made.proof);
        if ((posted[Protocol.COVERAGE_WORD_COVER_HEAD] >> Protocol.COVER_HEAD_SOLVENT_SHIFT) & 1 == 1) solventBatch = number;
        (coveredTick, coveredRoot, coveredBatch, coveredSlot) = (tickHash, current, number, slot);
        emit Covered(slot, tickHash, current, number);
    }

    /// @dev A batch's words with header and domain written.
    function _begin(Batch calldata made, uint256 count, uint256 written)
        private
        view
        returns (uint256[] memory posted)
    {
        posted = Posted.read(made.words, count, written);
        posted[Protocol.SETTLE_WORD_HEADER] = Posted.header(count, made.circuit);
        posted[Protocol.SETTLE_WORD_DOMAIN] = Posted.domain(address(this));
    }

    /// @dev Writes the current root, which is returned, and tick. These words have the same places in every circuit that has them.
    function _putRoots(uint256[] memory posted) private view returns (uint256 current) {
        current = root;
        posted.put(Protocol.SETTLE_WORD_ROOT_HI, current);
        posted.put(Protocol.SETTLE_WORD_TICK_HI, tickHash);
    }

    function _moveRoot(uint256 previous, uint256 next) private returns (uint256) {
        if (next != previous) root = next;
        return next;
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
        Credit memory credit = _matured(account, asset);
        (credit.pending, credit.since) = (credit.pending + amount, number);
        _credits[account][asset] = credit;
        emit Credited(
            account, asset, amount, number, (start - Protocol.SETTLE_FIXED) / Protocol.SETTLE_PER_TOUCH
        );
    }

    /// @dev An account's credit, with what has become payable by now: every credit moved the root, so a coverage after it is of a root
    /// that holds it.
    function _matured(address account, uint16 asset) private view returns (Credit memory credit) {
        credit = _credits[account][asset];
        if (credit.since <= solventBatch) (credit.matured, credit.pending) = (credit.matured + credit.pending, 0);
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
        held = _custodies[asset];
        if (address(held.token) == address(0)) revert AssetUnknown(asset);
    }

    /// @dev Warning: the balance is compared before and after, so nothing that moves the token may be entered meanwhile.
    function _pull(Custody storage held, uint64 amount) private {
        IERC20 token = held.token;
        uint256 expected = amount * held.unit;
        uint256 before = token.balanceOf(address(this));
        token.safeTransferFrom(msg.sender, address(this), expected);
        uint256 received = token.balanceOf(address(this)) - before;
        if (received != expected) revert TransferInexact(expected, received);
    }

    /// @dev Whether every batch has words, and no more than its header counts; of a tick those are fewer than ids of assets.
    function _sized(Config memory config) private pure returns (bool) {
        return config.instruments != 0 && config.touches != 0 && config.sweepPages != 0 && config.regroupPages != 0
            && config.carryBlocks != 0 && config.instruments <= 1 << Protocol.L1_ASSET_BITS
            && Protocol.SETTLE_FIXED + Protocol.SETTLE_PER_TOUCH * config.touches < 1 << Protocol.HEADER_WORDS_BITS
            && Protocol.SWEEP_FIXED + Protocol.SWEEP_PER_PAGE * config.sweepPages < 1 << Protocol.HEADER_WORDS_BITS
            && Protocol.REGROUP_FIXED + Protocol.REGROUP_PER_PAGE * config.regroupPages < 1 << Protocol.HEADER_WORDS_BITS
            && Protocol.CARRY_FIXED + Protocol.CARRY_PER_BLOCK * config.carryBlocks < 1 << Protocol.HEADER_WORDS_BITS;
    }

    /// @dev Whether there can be a next tick: a clock that runs, and a genesis tick that is one and whose time has come.
    function _started(Config memory config) private view returns (bool) {
        return config.slotSeconds != 0 && config.maxTickAge != 0 && config.genesisTick != 0
            && uint256(config.genesisSlot) * config.slotSeconds <= block.timestamp;
    }

    function _requireCircuits(IGroth16Verifier candidate) private view {
        if (address(candidate).code.length == 0) revert VerifierMissing(address(candidate));
        uint256 circuits = candidate.verifyingKeys().circuits.length;
        if (circuits != Protocol.CIRCUITS) revert CircuitCountWrong(circuits, Protocol.CIRCUITS);
    }

    function _register(Asset[] memory assets, uint16 limit) private {
        if (assets.length == 0 || assets[0].id != 0) revert AssetOrderWrong(0);
        for (uint256 i = 0; i < assets.length; i++) {
            Asset memory asset = assets[i];
            if (asset.id >= limit || (i != 0 && asset.id <= assets[i - 1].id)) revert AssetOrderWrong(asset.id);
            if (asset.unit == 0 || asset.unit >> 128 != 0) revert UnitOutOfRange(asset.id);
            if (address(asset.token).code.length == 0) revert TokenMissing(asset.id);
            for (uint256 j = 0; j < i; j++) if (address(assets[j].token) == address(asset.token)) revert TokenRepeated(asset.id);
            _custodies[asset.id] = Custody(asset.token, 0, asset.unit);
            emit AssetRegistered(asset.id, address(asset.token), asset.unit);
        }
    }
}
