// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IGroth16Verifier} from "./IGroth16Verifier.sol";

/// @notice An asset the ledger keeps in custody.
/// @param id Number of the instrument; 0 is the quote asset.
/// @param token Warning: must be a plain ERC-20. A token that takes fees is refused at deposit; one whose balances change by themselves,
/// or whose owner can move or freeze them, is outside what the ledger can answer for.
/// @param unit Token base units in one posted unit (a quote base unit, or one step of a collateral), at least 1.
struct Asset {
    uint16 id;
    IERC20 token;
    uint256 unit;
}

/// @notice What a ledger is deployed with. None of it can change afterwards.
/// @param verifier Verifier of the profile's circuits, numbered as in the protocol.
/// @param genesisRoot Root of the ledger state before batch 1.
/// @param genesisTick Hash of the tick before batch 1; not 0, which no tick hashes to.
/// @param paramsHash Hash of the parameters, a word of every tick.
/// @param params The parameters as UTF-8 JSON, emitted for whoever rebuilds the state.
/// @param genesisSlot Slot of the genesis tick, whose time has come.
/// @param slotSeconds Seconds in a slot; a tick's time is its slot times this.
/// @param maxTickAge Most seconds by which a block may be later than the tick it accepts, at least 1.
/// @param instruments Instruments of the profile: words of a tick. At most 2^12, for their numbers are ids of assets.
/// @param touches Touches of the profile: groups of words of a settle.
/// @param sweepPages Pages of a sweep: words of one.
/// @param regroupPages Pages of a regroup.
/// @param carryBlocks Blocks of a carry.
/// @param assets In ascending order of `id`, the quote asset first.
struct Config {
    IGroth16Verifier verifier;
    uint256 genesisRoot;
    uint256 genesisTick;
    uint256 paramsHash;
    bytes params;
    uint32 genesisSlot;
    uint32 slotSeconds;
    uint64 maxTickAge;
    uint16 instruments;
    uint16 touches;
    uint16 sweepPages;
    uint16 regroupPages;
    uint16 carryBlocks;
    Asset[] assets;
}

/// @notice A queued deposit, handed back to the contract, which stored its hash only. Its index is its place in the queue.
struct Entry {
    address depositor;
    uint8 kind;
    uint16 asset;
    uint64 amount;
    uint32 target;
    bytes32 owner;
}

/// @notice A step of the ledger and its proof.
/// @param circuit What it is: the number of a circuit.
/// @param words Words of the batch in the order of the protocol, each below 2^248. Those the contract writes are 0: the leading
/// ones, and `l1`, `target`, `owner_lo` of deposits.
/// @param entries The deposits that a settle consumes, in the queue's order; none elsewhere.
/// @param commitment Public signal C, below the scalar field's modulus.
/// @param proof A, B, C as the verifier takes them.
struct Batch {
    uint8 circuit;
    uint256[] words;
    Entry[] entries;
    uint256 commitment;
    uint256[8] proof;
}

/// @title Ledger of margin accounts
/// @notice Keeps the root of all accounts and moves it only by proofs; holds the tokens; queues deposits and pays withdrawals.
///
/// What holds, whoever calls:
/// - The root changes only by a proof of circuit `settle`, `sweep`, `regroup` or `carry` from the current root at the current tick, the tick only by a
///   proof of circuit `tick` from the current tick. Anybody may post any of them.
/// - A tick is covered only when a proof of circuit `coverage` of the current root was posted at it: then no account of that root was below
///   its maintenance margin. There is no next tick before the last is covered.
/// - Deposits are consumed in the order they were made, each once, each performed or refunded.
/// - Tokens leave only by `withdraw`, to the account named in a proved withdrawal or refund, once a root that holds it is covered and has
///   no deficit.
/// - No function is reserved to anyone: there is no owner, no pause and no upgrade.
/// - From the events alone the state of every account can be rebuilt.
///
/// Amounts are in posted units (see `Asset`) throughout; only token transfers are in token base units.
///
/// Warning: nothing makes anybody post batches. Until forced requests and freezing exist, deposits rely on some poster being live.
interface ILedger {
    /// @notice Thrown at deployment when the assets are not in ascending order of id from 0, or an id is not an instrument.
    error AssetOrderWrong(uint16 id);

    /// @notice Thrown at deployment for an asset whose unit is 0 or at least 2^128.
    error UnitOutOfRange(uint16 id);

    /// @notice Thrown at deployment when two assets have one token, so that custody could not be told apart.
    error TokenRepeated(uint16 id);

    /// @notice Thrown at deployment when a token's address holds no contract.
    error TokenMissing(uint16 id);

    /// @notice Thrown at deployment for sizes, a clock, an age or a genesis tick of 0, a genesis tick from the future, more instruments than
    /// ids of assets, or more words than the header can count.
    error ConfigOutOfRange();

    /// @notice Thrown at deployment when the verifier's address holds no contract.
    error VerifierMissing(address verifier);

    /// @notice Thrown at deployment when the verifier has keys of another number of circuits than the protocol.
    error CircuitCountWrong(uint256 given, uint256 expected);

    /// @notice Thrown for an asset that is not in custody.
    error AssetUnknown(uint16 asset);

    /// @notice Thrown for a deposit of a kind that does not exist.
    error KindUnknown(uint8 kind);

    /// @notice Thrown for a deposit of nothing, or of more collateral than a holding can be.
    error AmountOutOfRange(uint64 amount);

    /// @notice Thrown for a deposit that would bring what was deposited of a collateral, less what was paid out, to 2^48 units: one account must
    /// have room for it all.
    error CollateralFull(uint16 asset);

    /// @notice Thrown when a deposit of `expected` token base units brought `received`: the token takes fees.
    error TransferInexact(uint256 expected, uint256 received);

    /// @notice Thrown for a value that is not below the scalar field's modulus.
    error NotInField(uint256 value);

    /// @notice Thrown when a batch has another number of words than its circuit.
    error WordCountWrong(uint256 given, uint256 expected);

    /// @notice Thrown for a word that is not below 2^248.
    error WordTooLarge(uint256 index);

    /// @notice Thrown for a word that the contract writes and that is not 0 in calldata.
    error WordNotZero(uint256 index);

    /// @notice Thrown when a 254-bit value in words `index` and `index + 1` has a half that is not below 2^128.
    error HalfTooLarge(uint256 index);

    /// @notice Thrown when a deposit touch comes with no entry, or with another than the queue has at `index`.
    error EntryMismatch(uint64 index);

    /// @notice Thrown when fewer deposit touches than entries were given.
    error EntriesLeft(uint256 given, uint256 used);

    /// @notice Thrown for a batch of a circuit that there is not.
    error CircuitUnknown(uint8 circuit);

    /// @notice Thrown for a tick while the last one, of slot `slot`, is not covered.
    error LastTickUncovered(uint32 slot);

    /// @notice Thrown for a tick whose slot is not after the last.
    error TickNotLater(uint32 slot, uint32 last);

    /// @notice Thrown for a tick whose time is not its slot times the seconds in a slot.
    error TickTimeWrong(uint64 time, uint64 expected);

    /// @notice Thrown for a tick whose time has not come.
    error TickFromFuture(uint64 time, uint256 present);

    /// @notice Thrown for a tick whose time is longer ago than `maxTickAge`.
    error TickStale(uint64 time, uint256 present);

    /// @notice Thrown when the caller has nothing to withdraw, or nothing yet.
    error NothingToWithdraw(address account, uint16 asset);

    /// @notice The state before batch 1; `params` is UTF-8 JSON.
    event Genesis(uint256 root, uint256 tick, uint256 paramsHash, bytes params);

    /// @notice An asset is in custody; emitted at deployment.
    event AssetRegistered(uint16 indexed asset, address token, uint256 unit);

    /// @notice A deposit stands in the queue.
    event Requested(
        uint64 indexed index,
        address indexed depositor,
        uint8 kind,
        uint16 asset,
        uint64 amount,
        uint32 target,
        bytes32 owner
    );

    /// @notice A settle was accepted. `consumed` deposits are consumed in all; `words` are those proved, the contract's own included.
    event Settled(
        uint64 indexed batch,
        uint256 previousRoot,
        uint256 newRoot,
        uint256 tick,
        uint64 consumed,
        uint256 commitment,
        uint256[] words,
        uint256[8] proof
    );

    /// @notice A tick was accepted. `words` are those proved, the contract's own included.
    event Ticked(
        uint64 indexed batch,
        uint32 slot,
        uint256 previousTick,
        uint256 newTick,
        uint256 commitment,
        uint256[] words,
        uint256[8] proof
    );

    /// @notice A sweep was accepted. `words` are those proved, the contract's own included.
    event Swept(
        uint64 indexed batch,
        uint256 previousRoot,
        uint256 newRoot,
        uint256 tick,
        uint256 commitment,
        uint256[] words,
        uint256[8] proof
    );

    /// @notice A regroup was accepted: accounts of some pages changed places. `words` are those proved, the contract's own included.
    event Regrouped(
        uint64 indexed batch,
        uint256 previousRoot,
        uint256 newRoot,
        uint256 tick,
        uint256 commitment,
        uint256[] words,
        uint256[8] proof
    );

    /// @notice A carry was accepted: headers of some blocks follow from those of their pages. `words` are those proved, the contract's own included.
    event Carried(
        uint64 indexed batch,
        uint256 previousRoot,
        uint256 newRoot,
        uint256 tick,
        uint256 commitment,
        uint256[] words,
        uint256[8] proof
    );

    /// @notice Batch `batch` proved that no account of `root` is below maintenance margin at `tick`. `words` are those proved.
    event CoverageProved(
        uint64 indexed batch,
        uint256 root,
        uint256 tick,
        uint256 commitment,
        uint256[] words,
        uint256[8] proof
    );

    /// @notice `root` is covered at `tick` by batch `batch`: no account was below its maintenance margin.
    event Covered(uint32 indexed slot, uint256 tick, uint256 root, uint64 batch);

    /// @notice `account` can withdraw `amount` more as soon as the ledger is covered and has no deficit: a withdrawal or a refused deposit at touch number
    /// `touch` of the batch.
    event Credited(address indexed account, uint16 indexed asset, uint256 amount, uint64 indexed batch, uint256 touch);

    /// @notice `account` was paid `amount` posted units.
    event Withdrawn(address indexed account, uint16 indexed asset, uint256 amount);

    /// @notice Pulls `amount` units of `asset` from the caller and queues them.
    /// @dev Whether the deposit can be performed is for the proof to say; one that can't is credited back to the caller.
    /// @param kind 0: to the insurance fund; 1: opens the next account; 2: to account `target`.
    /// @param asset An asset in custody.
    /// @param amount Posted units, at least 1; of a collateral below 2^48.
    /// @param target Account credited by kind 2.
    /// @param owner Owner hash of the account opened by kind 1, below the scalar field's modulus.
    /// @return index Place in the queue, from 0.
    function deposit(uint8 kind, uint16 asset, uint64 amount, uint32 target, bytes32 owner)
        external
        returns (uint64 index);

    /// @notice Takes any number of batches, one after the other, and verifies their proofs together; all of them or none.
    /// @dev A settle moves the root by a proof at the current tick. A tick moves the tick. A sweep moves the root by a proof that the accounts of
    /// some pages are healthy at the current tick, with a safe radius that the pages' headers then hold. A regroup
    /// moves the root by a proof that accounts of some pages change places and nothing else; a carry by a proof that the headers of some blocks follow from
    /// those of their pages. A coverage proves that no account is below its maintenance margin at the current tick and root.
    function post(Batch[] calldata batches) external;

    /// @notice Pays the caller what was credited to them in `asset`, and has been covered since by a batch without a deficit.
    /// @return amount Posted units paid.
    function withdraw(uint16 asset) external returns (uint256 amount);

    /// @notice SHA-256 of the data file that scales, packings and the order of words were generated from.
    function protocolHash() external view returns (bytes32);

    /// @notice Verifier of all circuits.
    function verifier() external view returns (IGroth16Verifier);

    /// @notice Whether the current tick is covered and at most `maxAge` seconds old: at it no account of `coveredRoot` was below its
    /// maintenance margin. Batches accepted since may have moved the root on; each keeps to the rules at this same tick.
    function isCovered(uint64 maxAge) external view returns (bool);

    /// @notice Hash of the last tick that was covered; at first the genesis tick, at which nothing is priced.
    function coveredTick() external view returns (uint256);

    /// @notice Root that was covered at that tick.
    function coveredRoot() external view returns (uint256);

    /// @notice Slot of that tick.
    function coveredSlot() external view returns (uint32);

    /// @notice Batch whose proof completed that coverage, 0 before the first.
    function coveredBatch() external view returns (uint64);

    /// @notice The last batch by which a ledger without a deficit was covered: credits up to it are payable.
    function solventBatch() external view returns (uint64);

    /// @notice Root of the ledger state.
    function root() external view returns (uint256);

    /// @notice Hash of the current tick.
    function tickHash() external view returns (uint256);

    /// @notice Hash of the parameters.
    function paramsHash() external view returns (uint256);

    /// @notice Number of the last batch accepted, of any circuit; 0 before the first.
    function batch() external view returns (uint64);

    /// @notice Number of deposits queued in all: the index of the next.
    function requested() external view returns (uint64);

    /// @notice Number of deposits consumed in all: the index of the next to be.
    function consumed() external view returns (uint64);

    /// @notice Slot of the current tick.
    function slot() external view returns (uint32);

    /// @notice Seconds in a slot.
    function slotSeconds() external view returns (uint32);

    /// @notice Most seconds by which a block may be later than the tick it accepts.
    function maxTickAge() external view returns (uint64);

    /// @notice Instruments of the profile.
    function instruments() external view returns (uint16);

    /// @notice Touches of the profile.
    function touches() external view returns (uint16);

    /// @notice Pages of a sweep.
    function sweepPages() external view returns (uint16);

    /// @notice Pages of a regroup.
    function regroupPages() external view returns (uint16);

    /// @notice Blocks of a carry.
    function carryBlocks() external view returns (uint16);

    /// @notice keccak256(abi.encode(index, depositor, kind, asset, amount, target, owner)) of a queued deposit.
    function queue(uint64 index) external view returns (bytes32);

    /// @notice What `account` can withdraw, in posted units.
    function claim(address account, uint16 asset) external view returns (uint256);

    /// @notice What was credited to `account` and becomes payable when the ledger is next covered and has no deficit.
    function pending(address account, uint16 asset) external view returns (uint256);

    /// @notice Token and unit of an asset in custody; zeros for any other.
    function assetOf(uint16 asset) external view returns (IERC20 token, uint256 unit);
}
