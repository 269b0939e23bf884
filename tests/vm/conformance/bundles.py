# SPDX-License-Identifier: GPL-2.0-only
"""The policies of the rows, compiled, and what the oracle says of them."""

from __future__ import annotations

import fnmatch
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import oracle

from . import rows


@dataclass
class Compiled:
    """The policies that there is a bundle of, and what the others lack."""
    bundles: list[rows.Policy] = field(default_factory=list)
    tables: dict[str, dict] = field(default_factory=dict)
    lacking: dict[str, str] = field(default_factory=dict)
    wrong: dict[str, str] = field(default_factory=dict)


def table_of(decided: dict) -> dict:
    """Of the trace, if there is one: what it decides is that it is seen."""
    if not decided["trace"]:
        return decided["protections"][0]
    table = decided["trace"][0]
    for operation in table["operations"]:
        for cell in operation["cells"]:
            cell["verdict"] = "traced"
    return table


def operations() -> dict[str, list[str]]:
    return {name: oracle.PROTECTIONS[name].split()
            if isinstance(oracle.PROTECTIONS[name], str)
            else list(oracle.PROTECTIONS[name])
            for name in rows.PROTECTIONS.values()}


def compile_policies(compiler: Path, policies: list[rows.Policy],
                     folder: Path, *options: str) -> Compiled:
    """One bundle each, the same bytes for all kernels."""
    done = Compiled()
    folder.mkdir()
    for policy in policies:
        source = folder / f"{policy.name}.bpflock"
        source.write_text(policy.text)
        ran = subprocess.run([compiler, *options, source, "-o",
                              folder / f"{policy.name}.o"], check=False,
                             text=True, stderr=subprocess.PIPE)
        if ran.returncode == 0:
            done.tables[policy.name] = table_of(oracle.decide(str(source)))
            done.bundles.append(policy)
        elif "[no-template]" in ran.stderr:
            done.lacking[policy.name] = ran.stderr.splitlines()[0].split(
                "error: ", 1)[1]
        else:
            done.wrong[policy.name] = ran.stderr
    return done


def policies_like(pattern: str | None,
                  quick: bool | None = None) -> list[rows.Policy]:
    """Those of such a name; @quick: those that are, or that are not."""
    policies = (rows.written() + rows.destinations()
                + rows.blocking_one(operations()) + rows.traces()
                + rows.floods())
    return [policy for policy in policies
            if (not pattern or fnmatch.fnmatchcase(policy.name, pattern))
            and quick in (None, policy.quick)]


def whole(policies: list[rows.Policy]) -> set[str]:
    """What these are all the policies of, as docs/support.md calls it."""
    there = {policy.name for policy in policies}
    parts: dict[str, bool] = {}
    for policy in policies_like(None):
        part = rows.TRACE if policy.protection in rows.TRACED \
            else policy.protection
        parts[part] = parts.get(part, True) and (policy.name in there
                                                 or bool(policy.flood))
    return {part for part, complete in parts.items() if complete}
