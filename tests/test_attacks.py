#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""What tests/attacks/attacks.py attacks, and how it judges: without a machine.

A run in which no policy was loaded looks like one in which everything held, so
it has to fail; and the policies have to be such as each kernel takes.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import re
import subprocess
import sys
import tempfile
from pathlib import Path

TESTS = Path(__file__).resolve().parent
sys.path[:0] = [str(TESTS / "vm")]

# pylint: disable=wrong-import-position
import vm  # noqa: E402
from attacks import attacks, score, variants  # noqa: E402
from attacks.attacks import Boots, Run  # noqa: E402
from attacks.variants import Attack  # noqa: E402
from counts import Counts  # noqa: E402

# All that a policy here may leave out.
LEFT_OUT = {
    "5.10": ("kernel_image.device_tree", "kernel_image.rtas_error_injection",
             "kernel_secrets.xfrm_secret"),
}


def versions() -> list[str | None]:
    """Of the rows that are named after one; None decides all there is."""
    found = [re.search(r"\d+\.\d+", name) for name in vm.kernels.matrix()]
    return [*dict.fromkeys(match[0] for match in found if match), None]


def check_variants(compiler: Path, version: str | None) -> list[str]:
    """Every policy that is attacked on such a kernel can be decided there."""
    wrong = []
    for variant in variants.existing(compiler, version):
        with tempfile.TemporaryDirectory() as scratch:
            source = Path(scratch) / f"{variant.name}.bpflock"
            source.write_text(variant.text("locked"))
            options = ["--target", version] if version else []
            done = subprocess.run([compiler, "--check", *options, source],
                                  check=False, stderr=subprocess.PIPE,
                                  text=True)
        if done.returncode:
            wrong.append(f"{variant.name} for {version}: {done.stderr}")
        want = LEFT_OUT.get(version, ()) if variant.name != "exempt" else ()
        if variant.left_out != want:
            wrong.append(f"{variant.name} for {version} is without "
                         f"{variant.left_out}, not {want}")
    return wrong


def attack(aim: str, *, alone: bool = False) -> Attack:
    return Attack(1, "it", "an attack", aim, alone, False, False, "")


def off(result: str = "ok") -> Run:
    return Run(result, let_through=1, canaries="finit=ok")


# (aim, alone, locked, control, verdict, control's verdict)
JUDGED = [
    ("call", False, Run("EPERM", 1), Run("ok"), "held", "succeeds"),
    ("call", False, Run("ok", 1), Run("ok"), "through", "succeeds"),
    ("call", False, off("EPERM"), off("EPERM"), "through", "succeeds"),
    ("call", False, Run("EPERM", 1), Run("EPERM", 1), "held", "refused"),
    ("policy", False, Run("ok", 1), Run("ok", 1), "held", "harmless"),
    ("policy", False, Run("ok", 1), off(), "held", "succeeds"),
    ("denial", False, Run("EPERM", 1), Run("ok"), "held", "succeeds"),
    ("denial", False, Run("ENOENT", 1), Run("NOT-HERE"), "held",
     "not applicable"),
    # Nothing was tried: no attack, or no canary.
    ("denial", False, Run("NOT-HERE", 1), Run("NOT-HERE", 1), "",
     "not applicable"),
    ("denial", False, Run("NOT-HERE", 1), None, "", ""),
    ("call", False, Run("EPERM"), Run("ok"), "broken", "succeeds"),
    # What began before the loader may be why that refuses ...
    ("call", True, Run("LOADER-REFUSES"), Run("ok"), "held", "succeeds"),
    ("policy", True, Run("LOADER-REFUSES"), Run("LOADER-REFUSES"), "held",
     "harmless"),
    # ... and nothing else may: no policy was there.
    ("call", False, Run("LOADER-REFUSES"), Run("LOADER-REFUSES"), "broken",
     "fails"),
    ("policy", False, Run("LOADER-REFUSES"), Run("LOADER-REFUSES"), "broken",
     "fails"),
    ("denial", False, Run("LOADER-REFUSES"), Run("ok"), "broken", "succeeds"),
    ("call", False, Run("EPERM", 1), Run("LOADER-REFUSES"), "held", "fails"),
    ("call", False, Run("MACHINE-DIED"), Run("MACHINE-DIED"), "broken",
     "fails"),
    ("call", False, None, Run("ok"), "broken", "succeeds"),
    ("call", False, Run("EPERM", 1), None, "held", ""),
]


def check_judged(aim: str, alone: bool, locked: Run | None,
                 control: Run | None, verdict: str,
                 of_control: str) -> list[str]:
    one = attack(aim, alone=alone)
    found = (score.judge_locked(one, locked)[0],
             score.judge_control(one, control)[0])
    wanted = (verdict, of_control)
    wrong = [] if found == wanted else \
        [f"{aim}, alone {alone}: {locked} and {control} came to {found}, "
         f"not {wanted}"]
    # A run fails where either of these does.
    table = score.Kernel("none")
    table.add(variants.Variant("restricted", (), ""), [one],
              Boots({"it": locked} if locked else {}),
              Boots({"it": control} if control else {}))
    fails = verdict in ("through", "broken") or of_control == "fails"
    with contextlib.redirect_stdout(io.StringIO()):
        failed = table.show().failed
    if bool(failed) != fails:
        wrong.append(f"{wanted}: the run should {'' if fails else 'not '}fail")
    return wrong


def check_limits() -> list[str]:
    """A limit of one kernel is none of another."""
    name = "remap-file-pages"
    return [f"{name} is{' not' * (name not in known)} a limit of {kernel}"
            for kernel, here in (("5.10", True), ("6.1", False))
            if (name in (known := score.read_limits(kernel))) != here]


def check_refused() -> list[str]:
    """A machine whose loader refuses says so of all that it was given."""
    boots = Boots(count=1)
    attacks.read_report("# why\nL 1\n", boots)
    wrong = [] if "" in boots.runs else ["a loader that refuses is not seen"]
    attacks.boot, ordinary = lambda *_: (boots, None), attacks.boot
    try:
        total = attacks.run_all(
            "none", Path(), "locked", variants.Variant("restricted", (), ""),
            [attack("call")], Path())
    finally:
        attacks.boot = ordinary
    if {name: run.result for name, run in total.runs.items()} != \
            {"it": "LOADER-REFUSES"}:
        wrong.append(f"of a loader that refuses comes {total.runs}")
    return wrong


def check_kept() -> list[str]:
    """What was left out on a kernel is kept, and said in the document."""
    table = score.Kernel("5.10", left_out=LEFT_OUT["5.10"])
    table.lines.append(score.Line("restricted", 1, "it", "an attack", "held", "EPERM",
                                  "succeeds", "ok"))
    with tempfile.TemporaryDirectory() as scratch:
        table.save(Path(scratch))
        found = score.load(Path(scratch), ["5.10", "6.1"])
    if found != {"5.10": table}:
        return [f"kept as {found}"]
    text = score.generate(found)
    return [f"the document does not name {name}"
            for name in LEFT_OUT["5.10"] if f"`{name}`" not in text]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--builddir", type=Path, default=Path("build"))
    args = parser.parse_args()
    compiler = args.builddir / "bpflockc"
    results = [check_variants(compiler, version) for version in versions()]
    results += [check_judged(*row) for row in JUDGED]
    results += [check_refused(), check_kept(), check_limits()]
    counts = Counts()
    for wrong in results:
        counts.passed += not wrong
        counts.failed += bool(wrong)
        for line in wrong:
            print(f"not ok {line}")
    print(counts)
    return 1 if counts.failed else 0


if __name__ == "__main__":
    sys.exit(main())
