# SPDX-License-Identifier: GPL-3.0-or-later
"""Cross-margin accounts whose every update is proved in zero knowledge and accepted by a chain."""

__version__ = "0.1.0"
