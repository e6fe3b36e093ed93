#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Reads the layers from src/CMakeLists.txt and every #include below src/, and fails on an arrow that points up.

A folder may include itself and what it USES, directly or through those; nothing else. An unknown folder fails too.
"""
import pathlib
import re
import sys


def allowed(source: pathlib.Path) -> dict[str, set[str]]:
    text = re.sub(r"#.*", "", (source / "src/CMakeLists.txt").read_text())
    uses = {}
    for call in re.finditer(r"cgm_(?:layer|program)\(\s*(\w+)([^)]*)\)", text):
        words = call.group(2).split()
        names = []
        if "USES" in words:
            for word in words[words.index("USES") + 1:]:
                if word == "LINKS":
                    break
                names.append(word)
        uses[call.group(1)] = set(names)
    for name in uses:  # transitive; a name that is used must have stood above, so one pass in order is enough
        for used in list(uses[name]):
            if used not in uses:
                sys.exit(f"src/CMakeLists.txt: {name} uses {used}, which is no layer")
            uses[name] |= uses[used]
    return uses


def violations(source: pathlib.Path, uses: dict[str, set[str]]):
    for path in sorted((source / "src").rglob("*.[ch]pp")):
        folder = path.relative_to(source / "src").parts[0]
        if folder not in uses:
            yield f"{path}: folder {folder} is no layer of src/CMakeLists.txt"
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            include = re.match(r'\s*#\s*include\s*"([^"]+)"', line)
            if not include:
                continue
            target = include.group(1).split("/")[0]
            if target != folder and target not in uses[folder]:
                yield f"{path}:{number}: {folder} may not include {include.group(1)}"


def main() -> None:
    source = pathlib.Path(sys.argv[1])
    uses = allowed(source)
    # The test must be able to fail: a folder that nobody allows is refused.
    assert "cgroup" not in uses["base"], "the layer table allows an arrow that points up"
    found = list(violations(source, uses))
    print("\n".join(found) if found else f"{len(uses)} layers, no arrow points up")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
