# SPDX-License-Identifier: GPL-3.0-or-later
"""Pure margin arithmetic: exact integers, no input or output."""
