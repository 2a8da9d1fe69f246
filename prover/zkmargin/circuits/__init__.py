# SPDX-License-Identifier: GPL-3.0-or-later
"""Circuits: which there are, how they compile, what they ask of a witness."""
