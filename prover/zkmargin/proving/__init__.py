# SPDX-License-Identifier: GPL-3.0-or-later
"""From a compiled circuit and its inputs to a proof that verifies: keys, witness, prove, verify."""
