// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {Batch, Config, Entry, ILedger} from "../src/interfaces/ILedger.sol";
import {Ledger} from "../src/Ledger.sol";
import {DevelopmentToken} from "../src/dev/DevelopmentToken.sol";
import {LedgerFixture} from "./support/LedgerFixture.sol";
import {FalseToken, FeeToken, HookToken, SilentToken} from "./support/Tokens.sol";

contract LedgerCustodyTest is LedgerFixture {
    /* DEPOSIT */

    function test_depositPullsUnitsAndQueuesTheHash() public {
        vm.expectEmit(address(ledger));
        emit ILedger.Requested(0, alice, 1, ETHER, 5, 7, bytes32(P - 1));
        deposit(alice, ETHER, 5);
        assertEq(wrapped.balanceOf(address(ledger)), 5 * ETHER_UNIT);
        bytes32 expected = keccak256(
            abi.encode(uint64(0), alice, uint8(1), uint16(ETHER), uint64(5), uint32(7), bytes32(P - 1))
        );
        assertEq(ledger.queue(0), expected);
        assertEq(ledger.queue(1), 0);
    }

    function test_depositReturnsItsPlace() public {
        vm.startPrank(alice);
        assertEq(ledger.deposit(0, QUOTE, 1, 0, 0), 0);
        assertEq(ledger.deposit(2, QUOTE, 1, 3, 0), 1);
        assertEq(ledger.requested(), 2);
        assertEq(ledger.consumed(), 0);
    }

    function test_depositTakesLargestAmounts() public {
        vm.startPrank(alice);
        quote.mint(alice, type(uint64).max);
        ledger.deposit(0, QUOTE, type(uint64).max, 0, 0);
        ledger.deposit(2, ETHER, (1 << 48) - 1, 3, 0);
    }

    function test_depositRefusesUnknownKind() public {
        vm.expectRevert(abi.encodeWithSelector(ILedger.KindUnknown.selector, 3));
        ledger.deposit(3, QUOTE, 1, 0, 0);
    }

    function test_depositRefusesUnknownAsset() public {
        vm.expectRevert(abi.encodeWithSelector(ILedger.AssetUnknown.selector, 8));
        ledger.deposit(0, 8, 1, 0, 0);
    }

    function test_depositRefusesAmountsOutOfRange() public {
        vm.expectRevert(abi.encodeWithSelector(ILedger.AmountOutOfRange.selector, 0));
        ledger.deposit(0, QUOTE, 0, 0, 0);
        vm.expectRevert(abi.encodeWithSelector(ILedger.AmountOutOfRange.selector, 1 << 48));
        ledger.deposit(2, ETHER, 1 << 48, 3, 0);
    }

    /// One holding must have room for all of a collateral: whoever ends up with everything can still hold it.
    function test_depositRefusesCollateralBeyondWhatOneHoldingTakes() public {
        vm.startPrank(alice);
        ledger.deposit(2, ETHER, (1 << 48) - 2, 3, 0);
        vm.expectRevert(abi.encodeWithSelector(ILedger.CollateralFull.selector, ETHER));
        ledger.deposit(2, ETHER, 2, 3, 0);
        ledger.deposit(2, ETHER, 1, 3, 0);
    }

    /// What somebody sends without a deposit takes nobody's room.
    function test_donationsDoNotFillACollateral() public {
        wrapped.mint(address(ledger), ((1 << 48) - 1) * ETHER_UNIT);
        vm.startPrank(alice);
        ledger.deposit(2, ETHER, (1 << 48) - 1, 3, 0);
        vm.expectRevert(abi.encodeWithSelector(ILedger.CollateralFull.selector, ETHER));
        ledger.deposit(2, ETHER, 1, 3, 0);
    }

    /// Room comes back by what is paid out, not by what is credited: that is still here.
    function test_payoutsMakeRoomInACollateral() public {
        deposit(alice, ETHER, (1 << 48) - 1);
        credited(bob, ETHER, 4);
        vm.expectRevert(abi.encodeWithSelector(ILedger.CollateralFull.selector, ETHER));
        vm.prank(alice);
        ledger.deposit(2, ETHER, 1, 3, 0);
        vm.prank(bob);
        ledger.withdraw(ETHER);
        vm.expectRevert(abi.encodeWithSelector(ILedger.CollateralFull.selector, ETHER));
        vm.prank(alice);
        ledger.deposit(2, ETHER, 5, 3, 0);
        deposit(alice, ETHER, 4);
    }

    function test_refusedDepositsTakeNoRoom() public {
        deposit(alice, ETHER, (1 << 48) - 2);
        vm.expectRevert(abi.encodeWithSelector(ILedger.CollateralFull.selector, ETHER));
        vm.prank(alice);
        ledger.deposit(2, ETHER, 2, 3, 0);
        vm.expectRevert();
        vm.prank(makeAddr("poor"));
        ledger.deposit(2, ETHER, 1, 3, 0);
        deposit(alice, ETHER, 1);
    }

    function test_depositRefusesOwnerOutsideTheField() public {
        vm.expectRevert(abi.encodeWithSelector(ILedger.NotInField.selector, P));
        ledger.deposit(1, QUOTE, 1, 0, bytes32(P));
    }

    function test_depositNeedsAllowanceAndBalance() public {
        vm.expectRevert();
        vm.prank(makeAddr("poor"));
        ledger.deposit(0, QUOTE, 1, 0, 0);
        assertEq(ledger.requested(), 0);
    }

    /* WITHDRAW */

    function credited(address account, uint16 asset, uint64 amount) private {
        uint256[] memory words = emptyWords(NEW_ROOT);
        putWithdrawal(words, 0, account, asset, amount);
        post(settleBatch(words, none()));
        cover();
    }

    function test_withdrawPaysUnits() public {
        deposit(alice, ETHER, 5);
        credited(bob, ETHER, 4);
        uint256 before = wrapped.balanceOf(bob);
        vm.expectEmit(address(ledger));
        emit ILedger.Withdrawn(bob, ETHER, 4);
        vm.prank(bob);
        assertEq(ledger.withdraw(ETHER), 4);
        assertEq(wrapped.balanceOf(bob) - before, 4 * ETHER_UNIT);
        assertEq(wrapped.balanceOf(address(ledger)), ETHER_UNIT);
    }

    /// A withdrawal out of a root that is not covered is not paid yet, and a later one does not hold up what is.
    function test_withdrawPaysOnlyWhatIsCovered() public {
        deposit(alice, QUOTE, 50);
        credited(bob, QUOTE, 4);
        uint256[] memory words = emptyWords(NEW_ROOT - 1);
        putWithdrawal(words, 0, bob, QUOTE, 7);
        post(settleBatch(words, none()));
        assertEq(ledger.claim(bob, QUOTE), 4);
        assertEq(ledger.pending(bob, QUOTE), 7);
        vm.startPrank(bob);
        assertEq(ledger.withdraw(QUOTE), 4);
        vm.expectRevert(abi.encodeWithSelector(ILedger.NothingToWithdraw.selector, bob, QUOTE));
        ledger.withdraw(QUOTE);
        vm.stopPrank();
        cover();
        vm.prank(bob);
        assertEq(ledger.withdraw(QUOTE), 7);
    }

    /// While the ledger has a deficit nobody is paid, however often it is covered; when it has none, all that is pending is.
    function test_withdrawPaysNothingOutOfADeficit() public {
        deposit(alice, QUOTE, 50);
        uint256[] memory words = emptyWords(NEW_ROOT);
        putWithdrawal(words, 0, bob, QUOTE, 4);
        post(settleBatch(words, none()));
        for (uint256 i = 0; i < 2; i++) {
            post(coverBatch(false));
            assertEq(ledger.coveredRoot(), ledger.root());
            assertEq(ledger.solventBatch(), 0);
            assertEq(ledger.claim(bob, QUOTE), 0);
            assertEq(ledger.pending(bob, QUOTE), 4);
            vm.expectRevert(abi.encodeWithSelector(ILedger.NothingToWithdraw.selector, bob, QUOTE));
            vm.prank(bob);
            ledger.withdraw(QUOTE);
        }
        post(coverBatch(true));
        assertEq(ledger.solventBatch(), ledger.batch());
        assertEq(ledger.claim(bob, QUOTE), 4);
        vm.prank(bob);
        assertEq(ledger.withdraw(QUOTE), 4);
    }

    /// A deficit that comes later holds back what is credited after it, not what was payable before.
    function test_withdrawPaysWhatWasPayableBeforeADeficit() public {
        deposit(alice, QUOTE, 50);
        credited(bob, QUOTE, 4);
        uint64 solvent = ledger.batch();
        uint256[] memory words = emptyWords(NEW_ROOT - 1);
        putWithdrawal(words, 0, bob, QUOTE, 7);
        post(settleBatch(words, none()));
        post(coverBatch(false));
        assertEq(ledger.solventBatch(), solvent);
        assertEq(ledger.coveredBatch(), ledger.batch());
        assertEq(ledger.pending(bob, QUOTE), 7);
        vm.prank(bob);
        assertEq(ledger.withdraw(QUOTE), 4);
    }

    function test_withdrawPaysOnce() public {
        deposit(alice, QUOTE, 50);
        credited(bob, QUOTE, 4);
        vm.startPrank(bob);
        ledger.withdraw(QUOTE);
        vm.expectRevert(abi.encodeWithSelector(ILedger.NothingToWithdraw.selector, bob, QUOTE));
        ledger.withdraw(QUOTE);
    }

    function test_withdrawPaysNobodyElse() public {
        deposit(alice, QUOTE, 50);
        credited(bob, QUOTE, 4);
        vm.expectRevert(abi.encodeWithSelector(ILedger.NothingToWithdraw.selector, alice, QUOTE));
        vm.prank(alice);
        ledger.withdraw(QUOTE);
        vm.expectRevert(abi.encodeWithSelector(ILedger.NothingToWithdraw.selector, bob, ETHER));
        vm.prank(bob);
        ledger.withdraw(ETHER);
    }

    function test_withdrawKeepsTheClaimWhenTheTransferFails() public {
        credited(bob, QUOTE, 4); // more than the vault holds
        vm.expectRevert();
        vm.prank(bob);
        ledger.withdraw(QUOTE);
        assertEq(ledger.claim(bob, QUOTE), 4);
    }

    /* TOKENS THAT MISBEHAVE */

    function ledgerOf(address token) private returns (Ledger made) {
        Config memory config = configuration();
        config.assets[0].token = IERC20(token);
        made = new Ledger(config);
        DevelopmentToken(token).mint(alice, 1000);
        vm.prank(alice);
        DevelopmentToken(token).approve(address(made), type(uint256).max);
    }

    function test_refusesTokenWithFees() public {
        ledger = ledgerOf(address(new FeeToken()));
        vm.expectRevert(abi.encodeWithSelector(ILedger.TransferInexact.selector, 500, 495));
        vm.prank(alice);
        ledger.deposit(0, QUOTE, 500, 0, 0);
    }

    function test_refusesTokenThatReturnsFalse() public {
        address token = address(new FalseToken());
        ledger = ledgerOf(token);
        vm.expectRevert(abi.encodeWithSelector(SafeERC20.SafeERC20FailedOperation.selector, token));
        vm.prank(alice);
        ledger.deposit(0, QUOTE, 500, 0, 0);
    }

    function test_takesTokenThatReturnsNothing() public {
        SilentToken token = new SilentToken();
        ledger = ledgerOf(address(token));
        vm.prank(alice);
        ledger.deposit(0, QUOTE, 500, 0, 0);
        credited(bob, QUOTE, 200);
        vm.prank(bob);
        ledger.withdraw(QUOTE);
        assertEq(token.balanceOf(address(ledger)), 300);
        assertEq(token.balanceOf(bob), 200);
    }

    /* REENTRANCY */

    function entries() private pure returns (bytes[] memory calls) {
        calls = new bytes[](3);
        calls[0] = abi.encodeCall(ILedger.deposit, (0, QUOTE, 1, 0, 0));
        calls[1] = abi.encodeCall(ILedger.withdraw, (QUOTE));
        calls[2] = abi.encodeCall(ILedger.post, (new Batch[](0)));
    }

    function test_refusesReentryFromDeposit() public {
        HookToken token = new HookToken();
        ledger = ledgerOf(address(token));
        for (uint256 i = 0; i < 3; i++) {
            token.arm(address(ledger), entries()[i]);
            vm.expectRevert(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector);
            vm.prank(alice);
            ledger.deposit(0, QUOTE, 500, 0, 0);
        }
    }

    function test_refusesReentryFromWithdraw() public {
        HookToken token = new HookToken();
        ledger = ledgerOf(address(token));
        vm.prank(alice);
        ledger.deposit(0, QUOTE, 500, 0, 0);
        credited(bob, QUOTE, 200);
        for (uint256 i = 0; i < 3; i++) {
            token.arm(address(ledger), entries()[i]);
            vm.expectRevert(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector);
            vm.prank(bob);
            ledger.withdraw(QUOTE);
        }
    }
}
