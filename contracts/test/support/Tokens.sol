// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {DevelopmentToken} from "../../src/dev/DevelopmentToken.sol";

/// @notice Takes one hundredth of each transfer between accounts.
contract FeeToken is DevelopmentToken("Fee", "FEE", 6) {
    function _update(address from, address to, uint256 amount) internal override {
        super._update(from, to, amount);
        if (from != address(0) && to != address(0)) super._update(to, address(0xfee), amount / 100);
    }
}

/// @notice Returns false instead of reverting.
contract FalseToken is DevelopmentToken("False", "NO", 6) {
    function transferFrom(address, address, uint256) public pure override returns (bool) {
        return false;
    }
}

/// @notice Calls `hook` with `payload` on every transfer between accounts, and passes its revert on.
contract HookToken is DevelopmentToken("Hook", "HOOK", 6) {
    address private _hook;
    bytes private _payload;

    function arm(address hook, bytes calldata payload) external {
        (_hook, _payload) = (hook, payload);
    }

    function _update(address from, address to, uint256 amount) internal override {
        super._update(from, to, amount);
        if (_hook == address(0) || from == address(0)) return;
        (bool done, bytes memory out) = _hook.call(_payload);
        if (!done) {
            assembly {
                revert(add(out, 0x20), mload(out))
            }
        }
    }
}

/// @notice A token of the older kind: transfers return nothing.
contract SilentToken {
    mapping(address => uint256) public balanceOf;
    mapping(address => mapping(address => uint256)) public allowance;

    function mint(address account, uint256 amount) external {
        balanceOf[account] += amount;
    }

    function approve(address spender, uint256 amount) external returns (bool) {
        allowance[msg.sender][spender] = amount;
        return true;
    }

    function transfer(address to, uint256 amount) external {
        balanceOf[msg.sender] -= amount;
        balanceOf[to] += amount;
    }

    function transferFrom(address from, address to, uint256 amount) external {
        allowance[from][msg.sender] -= amount;
        balanceOf[from] -= amount;
        balanceOf[to] += amount;
    }
}
