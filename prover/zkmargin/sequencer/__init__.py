# SPDX-License-Identifier: GPL-3.0-or-later
"""From operations to accepted batches: order, plan, prove, post; nothing lost and nothing posted twice."""
