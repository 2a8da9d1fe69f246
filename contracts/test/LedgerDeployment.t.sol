// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Asset, Config, ILedger} from "../src/interfaces/ILedger.sol";
import {CircuitKey, IGroth16Verifier, VerifyingKeys} from "../src/interfaces/IGroth16Verifier.sol";
import {Groth16Verifier} from "../src/Groth16Verifier.sol";
import {Ledger} from "../src/Ledger.sol";
import {LedgerFixture} from "./support/LedgerFixture.sol";
import {Trapdoor} from "./support/Trapdoor.sol";

contract LedgerDeploymentTest is LedgerFixture {
    function expectRefused(Config memory config, bytes memory reason) private {
        vm.expectRevert(reason);
        new Ledger(config);
    }

    function test_startsAtGenesis() public {
        Config memory config = configuration();
        vm.expectEmit();
        emit ILedger.Genesis(config.genesisRoot, config.genesisTick, config.paramsHash, config.params);
        vm.expectEmit();
        emit ILedger.AssetRegistered(QUOTE, address(quote), 1);
        vm.expectEmit();
        emit ILedger.AssetRegistered(ETHER, address(wrapped), ETHER_UNIT);
        ledger = new Ledger(config);

        assertEq(ledger.protocolHash(), sha256(bytes(vm.readFile("prover/zkmargin/protocol/protocol.toml"))));
        assertEq(ledger.root(), config.genesisRoot);
        assertEq(ledger.tickHash(), config.genesisTick);
        assertEq(ledger.paramsHash(), config.paramsHash);
        assertEq(ledger.slot(), GENESIS_SLOT);
        assertEq(ledger.slotSeconds(), SLOT_SECONDS);
        assertEq(ledger.maxTickAge(), MAX_TICK_AGE);
        assertEq(ledger.instruments(), INSTRUMENTS);
        assertEq(ledger.touches(), TOUCHES);
        assertEq(ledger.sweepPages(), SWEEP_PAGES);
        assertEq(ledger.regroupPages(), REGROUP_PAGES);
        assertEq(ledger.carryBlocks(), CARRY_BLOCKS);
        assertEq(ledger.solventBatch(), 0);
        assertFalse(ledger.isCovered(type(uint64).max));
        assertEq(address(ledger.verifier()), address(verifier));
        assertEq(uint256(ledger.batch()) + ledger.requested() + ledger.consumed(), 0);
        (IERC20 token, uint256 unit) = ledger.assetOf(ETHER);
        assertEq(address(token), address(wrapped));
        assertEq(unit, ETHER_UNIT);
    }

    function test_refusesZeros() public {
        for (uint256 which = 0; which < 8; which++) {
            Config memory config = configuration();
            if (which == 0) config.instruments = 0;
            else if (which == 1) config.touches = 0;
            else if (which == 2) config.sweepPages = 0;
            else if (which == 3) config.regroupPages = 0;
            else if (which == 4) config.carryBlocks = 0;
            else if (which == 5) config.slotSeconds = 0;
            else if (which == 6) config.maxTickAge = 0;
            else config.genesisTick = 0;
            expectRefused(config, abi.encodeWithSelector(ILedger.ConfigOutOfRange.selector));
        }
    }

    /// Words are counted in 16 bits, and ids of assets, which are numbers of instruments, have 12.
    function test_refusesMoreThanItsFieldsHold() public {
        for (uint256 which = 0; which < 5; which++) {
            Config memory config = configuration();
            if (which == 0) config.touches = (1 << 14) - 2;
            else if (which == 1) config.sweepPages = type(uint16).max - 8;
            else if (which == 2) config.regroupPages = 13_106;
            else if (which == 3) config.carryBlocks = type(uint16).max - 7;
            else config.instruments = (1 << 12) + 1;
            expectRefused(config, abi.encodeWithSelector(ILedger.ConfigOutOfRange.selector));

            if (which == 0) config.touches--;
            else if (which == 1) config.sweepPages--;
            else if (which == 2) config.regroupPages--;
            else if (which == 3) config.carryBlocks--;
            else config.instruments--;
            new Ledger(config);
        }
    }

    /// With a slot far off no tick could follow: later slots are from the future, and slots have 32 bits.
    function test_refusesAGenesisFromTheFuture() public {
        Config memory config = configuration();
        uint32[3] memory slots = [GENESIS_SLOT + 2, type(uint32).max - 1, type(uint32).max];
        for (uint256 i = 0; i < 3; i++) {
            config.genesisSlot = slots[i];
            expectRefused(config, abi.encodeWithSelector(ILedger.ConfigOutOfRange.selector));
        }
        config.genesisSlot = GENESIS_SLOT + 1;
        assertEq(uint256(config.genesisSlot) * SLOT_SECONDS, block.timestamp);
        new Ledger(config);
    }

    function test_refusesAVerifierThatIsNone() public {
        address[3] memory nobody = [address(0), makeAddr("nobody"), address(8)]; // the last a precompile: it answers, and has no code
        for (uint256 i = 0; i < 3; i++) {
            Config memory config = configuration();
            config.verifier = IGroth16Verifier(nobody[i]);
            expectRefused(config, abi.encodeWithSelector(ILedger.VerifierMissing.selector, nobody[i]));
        }
    }

    function test_refusesAVerifierOfFewerOrMoreCircuits() public {
        VerifyingKeys memory all = Trapdoor.keys();
        for (uint256 count = 5; count <= 7; count += 2) {
            VerifyingKeys memory keys = Trapdoor.keys();
            keys.circuits = new CircuitKey[](count);
            for (uint256 i = 0; i < count && i < 6; i++) keys.circuits[i] = all.circuits[i];
            if (count == 7) keys.circuits[6] = CircuitKey(all.beta, all.circuits[0].ic);
            Config memory config = configuration();
            config.verifier = new Groth16Verifier(keys);
            expectRefused(config, abi.encodeWithSelector(ILedger.CircuitCountWrong.selector, count, 6));
        }
    }

    function test_refusesGenesisOutsideTheField() public {
        for (uint256 which = 0; which < 3; which++) {
            Config memory config = configuration();
            if (which == 0) config.genesisRoot = P;
            else if (which == 1) config.genesisTick = P;
            else config.paramsHash = P;
            expectRefused(config, abi.encodeWithSelector(ILedger.NotInField.selector, P));
        }
    }

    function test_refusesAssetsOutOfOrder() public {
        Config memory config = configuration();
        config.assets = new Asset[](0);
        expectRefused(config, abi.encodeWithSelector(ILedger.AssetOrderWrong.selector, 0));

        config = configuration();
        config.assets[0].id = 1;
        expectRefused(config, abi.encodeWithSelector(ILedger.AssetOrderWrong.selector, 0));

        config = configuration();
        config.assets[1].id = QUOTE;
        expectRefused(config, abi.encodeWithSelector(ILedger.AssetOrderWrong.selector, QUOTE));

        config = configuration();
        config.assets[1].id = INSTRUMENTS;
        expectRefused(config, abi.encodeWithSelector(ILedger.AssetOrderWrong.selector, INSTRUMENTS));
    }

    function test_refusesUnitsOutOfRange() public {
        Config memory config = configuration();
        config.assets[1].unit = 0;
        expectRefused(config, abi.encodeWithSelector(ILedger.UnitOutOfRange.selector, ETHER));
        config.assets[1].unit = 1 << 128;
        expectRefused(config, abi.encodeWithSelector(ILedger.UnitOutOfRange.selector, ETHER));
    }

    function test_refusesTokenTwice() public {
        Config memory config = configuration();
        config.assets[1].token = config.assets[0].token;
        expectRefused(config, abi.encodeWithSelector(ILedger.TokenRepeated.selector, ETHER));
    }

    function test_refusesTokenWithoutCode() public {
        Config memory config = configuration();
        config.assets[1].token = IERC20(makeAddr("nothing"));
        expectRefused(config, abi.encodeWithSelector(ILedger.TokenMissing.selector, ETHER));
    }
}
