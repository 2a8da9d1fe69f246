// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Asset, Config, ILedger} from "../src/interfaces/ILedger.sol";
import {Ledger} from "../src/Ledger.sol";
import {LedgerFixture} from "./support/LedgerFixture.sol";

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

    function test_refusesSizesOfZero() public {
        for (uint256 which = 0; which < 6; which++) {
            Config memory config = configuration();
            if (which == 0) config.instruments = 0;
            else if (which == 1) config.touches = 0;
            else if (which == 2) config.sweepPages = 0;
            else if (which == 3) config.regroupPages = 0;
            else if (which == 4) config.carryBlocks = 0;
            else config.slotSeconds = 0;
            expectRefused(config, abi.encodeWithSelector(ILedger.ConfigOutOfRange.selector));
        }
    }

    function test_refusesMoreWordsThanTheHeaderCounts() public {
        for (uint256 which = 0; which < 5; which++) {
            Config memory config = configuration();
            if (which == 0) config.touches = (1 << 14) - 2;
            else if (which == 1) config.sweepPages = type(uint16).max - 8;
            else if (which == 2) config.regroupPages = 13_106;
            else if (which == 3) config.carryBlocks = type(uint16).max - 7;
            else config.instruments = type(uint16).max - 8;
            expectRefused(config, abi.encodeWithSelector(ILedger.ConfigOutOfRange.selector));

            if (which == 0) config.touches--;
            else if (which == 1) config.sweepPages--;
            else if (which == 2) config.regroupPages--;
            else if (which == 3) config.carryBlocks--;
            else config.instruments--;
            new Ledger(config);
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
