# SPDX-License-Identifier: GPL-3.0-or-later
"""`make bench`: every claim of speed, size or cost, measured side by side in one run."""
