# SPDX-License-Identifier: GPL-3.0-or-later
"""Price series, and the oracles that sign reports of them."""
