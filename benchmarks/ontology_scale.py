"""How checking and formatting an ontology grow with its classes.

A taxonomy of seven levels, each class with a title, an alias for some, 50 rules over its classes in the last column.
Processor seconds of one core, in a fresh process for each size, and the peak of its memory.

    python benchmarks/ontology_scale.py [CLASSES ...]
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time


def taxonomy(classes: int, levels: int = 7) -> str:
    """The text of a hierarchy with about that many classes, every leaf at the same depth."""
    fan = 2
    while sum(fan**k for k in range(1, levels + 1)) < classes:
        fan += 1
    lines = ["ontology taxa", "hierarchy taxon {"]
    made = 0

    def grow(path: str, level: int) -> None:
        nonlocal made
        for k in range(fan):
            if made >= classes and k:
                return
            made += 1
            name = f"{path}{chr(97 + k % 26)}{k // 26 or ''}"
            indent = "    " * level
            aka = f' aka "{name}-old"' if made % 5 == 0 else ""
            if level == levels:
                lines.append(f'{indent}{name} "Taxon {name}"{aka}')
            else:
                lines.append(f'{indent}{name} "Taxon {name}"{aka} {{')
                grow(name, level + 1)
                lines.append(f"{indent}}}")

    grow("t", 1)
    lines.append("}")
    return "\n".join(lines) + "\n"


def rules(text: str, count: int = 50) -> str:
    """The same with binaries, and rules that tie them to classes all over the tree."""
    names = [line.split()[0] for line in text.splitlines()[2:-1] if line.strip() != "}"]
    picked = names[:: max(1, len(names) // count)][:count]
    lines = [f"binary {', '.join(f'b{i}' for i in range(count))}"]
    lines += [f"rule r{i} {{ {name} => b{i} or b{(i * 7 + 1) % count} }}" for i, name in enumerate(picked)]
    return text + "\n".join(lines) + "\n"


def measure(classes: int) -> dict[str, float]:
    """Processor seconds of each step; run in a process of its own."""
    from linnaeus.dsl.fmt import format_text
    from linnaeus.dsl.load import check_text
    from linnaeus.dsl.parser import parse

    plain = taxonomy(classes)
    result: dict[str, float] = {"classes": plain.count("Taxon")}
    start = time.process_time()
    parse(plain, "taxa.onto")
    result["parse"] = time.process_time() - start
    start = time.process_time()
    checked = check_text(plain, "taxa.onto")
    result["check"] = time.process_time() - start
    assert checked.ontology is not None, checked.diagnostics[:3]
    result["megabytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    start = time.process_time()
    format_text(plain, "taxa.onto")
    result["format"] = time.process_time() - start
    start = time.process_time()
    ruled = check_text(rules(plain), "taxa.onto")
    result["check with 50 rules"] = time.process_time() - start
    assert ruled.ontology is not None, ruled.diagnostics[:3]
    return result


def main() -> None:
    if len(sys.argv) == 3 and sys.argv[1] == "--one":
        print(json.dumps(measure(int(sys.argv[2]))))
        return
    sizes = [int(a) for a in sys.argv[1:]] or [1_000, 3_000, 10_000, 30_000, 100_000]
    head = f"{'classes':>8} {'parse s':>8} {'check s':>8} {'MB':>6} {'format s':>9}"
    print(f"{head} {'check, 50 rules, s':>19} {'check µs a class':>17}")
    for size in sizes:
        out = subprocess.run([sys.executable, __file__, "--one", str(size)], capture_output=True, text=True, check=True)
        m = json.loads(out.stdout)
        each = m["check"] / m["classes"] * 1e6
        row = f"{m['classes']:>8,} {m['parse']:>8.2f} {m['check']:>8.2f} {m['megabytes']:>6.0f} {m['format']:>9.2f}"
        print(f"{row} {m['check with 50 rules']:>19.2f} {each:>17.0f}")


if __name__ == "__main__":
    main()
