# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo: a real crash replayed through the whole system."""
