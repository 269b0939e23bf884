# SPDX-License-Identifier: GPL-2.0-only
"""What is attacked, by what, and what came of it."""
