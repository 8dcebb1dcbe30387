"""The canonical layout: the same meaning, the same comments at the same places, and nothing to change a second time."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linnaeus.dsl.fmt import format_text
from linnaeus.dsl.load import check_file, check_text
from linnaeus.dsl.parser import parse
from linnaeus.errors import LinnaeusError

HERE = Path(__file__).parent
CORPUS = sorted(p for folder in ("cases", "defects", "language") for p in (HERE / folder).rglob("*.onto"))
OPERATORS = {"and", "or", "not", "in", "=>", "<=>", "==", "!=", "<", "<=", ">", ">=", "->", "|", ",", "."}


# --- the laws --------------------------------------------------------------------------------------


def meaning(node: Any) -> Any:
    """A syntax tree without spans, and with modifiers in one order."""
    if isinstance(node, tuple):
        return tuple(map(meaning, node))
    if not is_dataclass(node):
        return node
    values = {f.name: meaning(getattr(node, f.name)) for f in fields(node) if f.name not in ("span", "file")}
    if "modifiers" in values:
        values["modifiers"] = tuple(sorted(values["modifiers"], key=lambda m: m[0]))
    return type(node).__name__, tuple(values.items())


def pieces(text: str) -> list[str]:
    """Comments and words; strings and names in backticks are one word."""
    return re.findall(r'#[^\n]*|"(?:[^"\\\n]|\\.)*"|`[^`\n]*`|\n|[\w-]+|<=>|=>|->|[<>=!]=|[^\s\w]', text)


def comments(text: str) -> list[tuple[str, str]]:
    """Every comment with the word whose line it ends, or else the word that it stands before."""
    found: list[tuple[str, str]] = []
    waiting: list[str] = []
    last = ""
    for piece in pieces(text):
        if piece.startswith("#"):
            if last:
                found.append((piece.rstrip(), f"after {last}"))
            else:
                waiting.append(piece.rstrip())
        elif piece == "\n":
            last = ""
        elif piece not in ",;":
            last = piece.strip("`")
            found += [(comment, f"before {last}") for comment in waiting]
            waiting = []
    return found + [(comment, "at the end") for comment in waiting]


def hold(text: str) -> str:
    """The laws of formatting a text that can be read."""
    formatted = format_text(text, "x.onto")
    assert format_text(formatted, "x.onto") == formatted
    before, errors = parse(text, "x.onto")
    assert not [d for d in errors if d.severity == "error"]
    after, errors = parse(formatted, "x.onto")
    assert not [d for d in errors if d.severity == "error"], formatted
    assert meaning(before) == meaning(after)
    assert "\r" not in formatted
    assert not re.search(r"[ \t]$|\n\n\n|\A\n", formatted, re.M)
    assert formatted.endswith("\n") or not formatted
    assert all((len(line) - len(line.lstrip(" "))) % 4 == 0 for line in formatted.split("\n"))
    return formatted


# --- texts that exist ------------------------------------------------------------------------------


@pytest.mark.parametrize("path", CORPUS, ids=lambda p: p.stem)
def test_what_can_be_read_keeps_its_meaning_and_what_cannot_is_refused(path: Path) -> None:
    try:
        text = path.read_bytes().decode()
    except UnicodeDecodeError:
        return
    errors = [d for d in parse(text, "x.onto")[1] if d.severity == "error"]
    if errors:
        with pytest.raises(LinnaeusError) as caught:
            format_text(text, "x.onto")
        assert caught.value.diagnostics == tuple(errors)
    else:
        assert comments(hold(text)) == comments(text)


def test_the_corpus_has_both(root: Path) -> None:
    good = [p for p in CORPUS if p.stem != "E002" and not parse(p.read_text("utf-8"), "x")[1]]
    assert 20 < len(good) < len(CORPUS) - 10


def test_the_language_s_own_files_keep_their_hash(tmp_path: Path) -> None:
    files = sorted((HERE / "language").glob("*.onto"))
    for path in files:
        (tmp_path / path.name).write_text(format_text(path.read_text("utf-8"), path.name), "utf-8")
    for path in files:
        assert check_file(tmp_path / path.name).require().hash == check_file(path).require().hash


def test_examples_and_the_reference_keep_their_meaning(root: Path, examples: list[Path]) -> None:
    page = (root / "docs/language.md").read_text("utf-8")
    blocks = re.findall(r"```onto(?: worlds=\d+)?\n(.*?)```", page, re.S)
    assert len(blocks) > 5
    for text in [*blocks, *(path.read_text("utf-8") for path in examples)]:
        assert comments(hold(text)) == comments(text)


def test_the_page_on_tools_shows_what_is_done(root: Path) -> None:
    before, after = re.findall(r"```onto\n(.*?)```", (root / "docs/tools.md").read_text("utf-8"), re.S)[:2]
    assert hold(before) == after
    assert check_text(after, "tools.md").diagnostics == ()


def test_the_examples_are_formatted(examples: list[Path]) -> None:
    for path in examples:
        assert format_text(path.read_text("utf-8"), path.name) == path.read_text("utf-8"), path.name


# --- random texts ----------------------------------------------------------------------------------


class Writer:
    """Random texts of the whole grammar as words, where `;` stands for any separator."""

    def __init__(self, rng: random.Random, *, ordered: bool):
        self.rng = rng
        self.ordered = ordered  # modifiers in their canonical order
        self.count = 0

    def some(self, make: Callable[[], list[str]], between: list[str], most: int = 4) -> list[str]:
        words = make()
        for _ in range(self.rng.randrange(most)):
            words += [*between, *make()]
        return words

    def name(self) -> list[str]:
        self.count += 1
        return [self.rng.choice(["n{}", "`n{}`", "`a b {}`", "größe{}", "`open-{}!`"]).format(self.count)]

    def string(self) -> list[str]:
        self.count += 1
        return [self.rng.choice(['"s{}"', '"# no comment {}"', '"a \\" `{}"', '"a long title, of several words {}"'])
                .format(self.count)]  # fmt: skip

    def reference(self) -> list[str]:
        return self.some(self.name, ["."], 3)

    def maybe(self, words: list[str], chance: float = 0.3) -> list[str]:
        return words if self.rng.random() < chance else []

    def file(self) -> list[str]:
        words = ["ontology", *self.name(), *self.maybe(self.string()), *self.maybe(["version", *self.string()])]
        for _ in range(self.rng.randrange(6)):
            groups = [self.group, self.group, self.group, self.binaries]
            make = self.rng.choice([*groups, self.use, self.import_, self.rule, self.rule, self.migration])
            words += [";", *make()]
        return words

    def modifiers(self, *made: list[str]) -> list[str]:
        chosen = [words for words in made if self.rng.random() < 0.3]
        if not self.ordered:
            self.rng.shuffle(chosen)
        return [word for words in chosen for word in words]

    def aka(self) -> list[str]:
        return ["aka", *self.some(self.string, [","])]

    def group(self, depth: int = 0) -> list[str]:
        kind = self.rng.choice(["multiclass", "hierarchy", "multilabel", "ordinal"])
        levels = ["levels", *self.some(self.name, [","])]
        modifiers = (self.aka(), ["open"], ["when", *self.formula()], ["from", *self.string()], levels)
        words = [kind, *self.name(), *self.maybe(self.string()), *self.modifiers(*modifiers)]
        return words + self.maybe(self.body(depth), 0.8)

    def binaries(self) -> list[str]:
        def one() -> list[str]:
            modifiers = self.modifiers(self.aka(), ["open"], ["when", *self.formula()])
            return [*self.name(), *self.maybe(self.string()), *modifiers]

        return ["binary", *self.some(one, [","])]

    def body(self, depth: int) -> list[str]:
        words = ["{"]
        plain = False  # whether a comma may stand after the last item
        for i in range(self.rng.randrange(5)):
            items = {
                "class": lambda: self.class_(depth + 1),
                "chain": lambda: self.chain(),
                "group": lambda: self.group(depth + 1) if depth < 3 else self.binaries(),
                "use": self.use,
            }
            kind = self.rng.choice(["class", "class", "class", *items])
            comma = plain and kind in ("class", "chain") and self.rng.random() < 0.5
            words += [*([","] if comma else [";"] if i else []), *items[kind]()]
            plain = kind in ("class", "chain")
        return [*words, *self.maybe([","] if plain else []), "}"]

    def class_(self, depth: int) -> list[str]:
        more = ["is", *self.some(self.reference, ["and"])]
        words = [*self.name(), *self.maybe(self.string()), *self.modifiers(self.aka(), ["open"], more)]
        return words + (self.maybe(self.body(depth), 0.3) if depth < 4 else [])

    def chain(self) -> list[str]:
        return [*self.class_(4), "<", *self.some(lambda: self.class_(4), ["<"], 8)]

    def use(self) -> list[str]:
        return ["use", *self.reference(), *self.maybe(["as", *self.name()])]

    def import_(self) -> list[str]:
        return ["import", *self.string(), *self.maybe(["as", *self.name()])]

    def rule(self) -> list[str]:
        weight = self.maybe(["soft", self.rng.choice(["2", "0.50"])])
        laws = self.maybe(self.some(self.formula, [";"]), 0.9)
        return ["rule", *self.name(), *self.maybe(self.string()), *weight, "{", *laws, "}"]

    def migration(self) -> list[str]:
        def change() -> list[str]:
            old, new = self.reference(), self.reference()
            return self.rng.choice(
                [["rename", *old, "->", *new], ["drop", *old], ["split", *old, "->", *self.some(self.reference, ["|"])]]
            )

        return ["migrate", "from", *self.string(), "{", *self.maybe(self.some(change, [";"]), 0.9), "}"]

    def formula(self, depth: int = 0) -> list[str]:
        if depth > 3 or self.rng.random() < 0.3:
            return self.atom()
        inner = lambda: self.formula(depth + 1)  # noqa: E731 - a name for the argument of `some`
        match self.rng.randrange(6):
            case 0:
                return self.some(inner, [self.rng.choice(["and", "or", "=>", "<=>"])])
            case 1:
                return ["not", *inner()] if self.rng.random() < 0.5 else ["not", "(", *inner(), ")"]
            case 2:
                return ["(", *inner(), ")"]
            case 3:
                bound = self.rng.choice(["at most", "at least", "exactly"]).split()
                return [*bound, "2", "of", "{", *self.some(inner, [","], 8), *self.maybe([","]), "}"]
            case _:
                return [*inner(), self.rng.choice(["and", "or", "=>", "<=>"]), *inner()]

    def atom(self) -> list[str]:
        match self.rng.randrange(5):
            case 0:
                return [*self.reference(), self.rng.choice(["==", "!=", "<", "<=", ">", ">="]), *self.reference()]
            case 1:
                return [*self.reference(), "in", "{", *self.some(self.reference, [","], 8), *self.maybe([","]), "}"]
            case 2:
                return [self.rng.choice(["any", "applies"]), *self.reference()]
            case _:
                return self.reference()


def scatter(words: list[str], rng: random.Random, *, remarks: float, lines: float) -> str:
    """Words with random white space and comments, wherever the language lets them stand."""
    count = 0

    def space(must: bool, may: bool) -> Iterator[str]:
        nonlocal count
        yield " " * rng.randrange(1, 3)
        if not must and not (may and rng.random() < lines):
            return
        if rng.random() < remarks:
            count += 1
            yield f"#c{count}" + " " * rng.randrange(2)
        yield "\n" * rng.choice([1, 1, 1, 2, 3])
        while rng.random() < remarks:
            count += 1
            yield f"{'  ' * rng.randrange(3)}# c{count}\n"
            if rng.random() < 0.2:
                yield "\n"

    out = list(space(False, True))
    for word, following in zip(words, [*words[1:], ""], strict=True):
        if word == ";":
            out += [rng.choice([";", "", "; ;"]) if rng.random() < 0.5 and lines < 1 else "", *space(True, True)]
            continue
        after = word in OPERATORS or word in "{("
        before = following in OPERATORS - {",", ".", "not"} or following in (")", "}", "")
        may = (after or before) and following != ","
        out += [word, *space(not following and rng.random() < 0.5, may)]
    text = "".join(out)
    return text.replace("\n", "\r\n") if rng.random() < 0.1 else text


@given(st.integers(0, 2**32), st.booleans(), st.sampled_from([0.0, 0.05, 0.4]), st.sampled_from([0.02, 0.3, 1.0]))
@settings(max_examples=120, deadline=None)
def test_random_texts(seed: int, ordered: bool, remarks: float, lines: float) -> None:
    rng = random.Random(seed)
    text = scatter(Writer(rng, ordered=ordered).file(), rng, remarks=remarks, lines=lines)
    formatted = hold(text)
    plain = text.replace("\r\n", "\n")
    if ordered:
        assert comments(formatted) == comments(plain)
    else:
        assert sorted(c for c, _ in comments(formatted)) == sorted(c for c, _ in comments(plain))


@pytest.mark.parametrize("name", ["hawthorn", "plant", "scene"])
def test_mutated_texts_that_can_still_be_read(name: str) -> None:
    """Characters lost, doubled and moved: whatever is still right keeps its meaning."""
    text = (HERE / "language" / f"{name}.onto").read_text("utf-8")
    rng = random.Random(name)
    held = 0
    for _ in range(120):
        changed = text
        for _ in range(rng.randrange(1, 4)):
            at, to = rng.randrange(len(changed)), rng.randrange(len(changed))
            piece = rng.choice([" ", "\n", ";", ",", "#", "# x\n", "`", "\t", changed[to : to + 8]])
            changed = changed[:at] + piece + changed[at + rng.randrange(2) :]
        if not [d for d in parse(changed, "x.onto")[1] if d.severity == "error"]:
            hold(changed)
            held += 1
    assert held > 10


# --- the style -------------------------------------------------------------------------------------


def style(text: str) -> str:
    return hold(text).removeprefix("ontology x\n").strip("\n")


@pytest.mark.parametrize(
    ("written", "formatted"),
    [
        ("multiclass  g{a,b ,c,}", "multiclass g { a, b, c }"),
        ("multiclass g { a; b; c }", "multiclass g { a, b, c }"),
        ("multiclass g {\na, b }", "multiclass g {\n    a\n    b\n}"),
        ("multiclass g { }", "multiclass g {}"),
        ("binary a ; binary b", "binary a\nbinary b"),
        ("binary a,b", "binary a, b"),
        ("binary a,\nb", "binary a,\n        b"),
        ("binary a\n\n\n\nbinary b", "binary a\n\nbinary b"),
        ("multiclass g {\n\na\n\n\nb\n\n}", "multiclass g {\n    a\n\n    b\n}"),
        ("multiclass `g` { `open`, `a-b`, `a b`, `0` }", "multiclass g { `open`, a-b, `a b`, `0` }"),
        ('multiclass g "G" when a open aka "h" { b }', 'multiclass g "G" aka "h" open when a { b }'),
        ('hierarchy h levels a,b from "t.csv"', 'hierarchy h from "t.csv" levels a, b'),
        ('multilabel m { a is b and c aka "x", "y"; d }', 'multilabel m { a aka "x", "y" is b and c; d }'),
        ("multiclass g { a { binary b }; c }", "multiclass g { a { binary b }, c }"),
        ("hierarchy g { a, binary b; c }", "hierarchy g { a; binary b; c }"),
        ("ordinal o { a<b\n<c }", "ordinal o {\n    a < b < c\n}"),
        ("rule r{a=>b;not( c  and d )}", "rule r { a => b; not (c and d) }"),
        ("rule r { g in { a,b, }; at most 2 of { a, (b) } }", "rule r { g in {a, b}; at most 2 of {a, (b)} }"),
        ("rule r soft 2.50 { a . b <= c }", "rule r soft 2.50 { a.b <= c }"),
        (
            'migrate from "1" { rename a->b; split c -> d|e; drop f }',
            'migrate from "1" { rename a -> b; split c -> d | e; drop f }',
        ),
        ("multiclass g {\na\n}\nbinary b", "multiclass g {\n    a\n}\n\nbinary b"),
        ("binary a # x  \n# y\n\n# z", "binary a  # x\n# y\n\n# z"),
        ("multiclass g { a, b # x\n}", "multiclass g {\n    a\n    b  # x\n}"),
        ("multiclass g { # x\n a, # y\n # z\n }", "multiclass g {  # x\n    a  # y\n    # z\n}"),
        ("multiclass g { a { b # x\n } }  # y", "multiclass g {\n    a {\n        b  # x\n    }\n}  # y"),
        ('multiclass g { a open aka "x" # c\n}', 'multiclass g {\n    a aka "x" open  # c\n}'),
        ("binary a, # x\nb # y\n, c", "binary a,  # x\n        b,  # y\n        c"),
        ("rule r { a # x\nand b }", "rule r {\n    a  # x\n        and b\n}"),
        ("rule r { a and # x\nb }", "rule r {\n    a\n        and  # x\n        b\n}"),
        (
            "rule r { g in {a, # x\n# y\nb, # z\n} }",
            "rule r {\n    g in {\n        a,  # x\n        # y\n        b  # z\n    }\n}",
        ),
    ],
)
def test_style(written: str, formatted: str) -> None:
    assert style(f"ontology x\n{written}") == formatted


def test_comments_between_what_is_left_out_are_kept() -> None:
    text = "ontology x\nmulticlass g {\n a # 1\n # 2\n , # 3\n ; # 4\n b ; # 5\n ; }\n; # 6\n;\n"
    formatted = hold(text)
    assert re.findall(r"# (\d)", formatted) == list("123456")


def test_what_has_no_room_is_broken() -> None:
    names = [f"some_class_{i}" for i in range(10)]
    one = f"ontology x\nmulticlass g {{ {', '.join(names)} }}"
    assert style(one) == "\n".join(["multiclass g {", *(f"    {name}" for name in names), "}"])
    chain = f"ontology x\nordinal g {{ {' < '.join(names)} }}"
    assert style(chain).split("\n") == [
        "ordinal g {",
        "    some_class_0",
        *(f"        < {name}" for name in names[1:]),
        "}",
    ]
    rule = f"ontology x\nrule r {{ {' and '.join(names[:5])} => {' or '.join(names[:7])} }}"
    assert style(rule).split("\n") == [
        "rule r {",
        f"    {' and '.join(names[:5])}",
        "        => some_class_0",
        *(f"            or {name}" for name in names[1:7]),
        "}",
    ]
    count = f"ontology x\nrule r {{ at most 3 of {{{', '.join(names)}}} }}"
    assert style(count).split("\n") == [
        "rule r {",
        "    at most 3 of {",
        *(f"        {name}," for name in names[:-1]),
        f"        {names[-1]}",
        "    }",
        "}",
    ]


def test_a_line_may_fill_a_hundred_columns() -> None:
    for spare, lines in ((0, 1), (1, 4)):
        name = "a" * (100 - len("multiclass g { , b }") + spare)
        assert style(f"ontology x\nmulticlass g {{ {name}, b }}").count("\n") == lines - 1


def test_nothing_and_only_comments() -> None:
    assert format_text("", "x.onto") == ""
    assert format_text("\n \n", "x.onto") == ""
    assert format_text("\n\n # a\n\n\n#b", "x.onto") == "# a\n\n#b\n"
    assert format_text("\ufeffontology x\r\n", "x.onto") == "ontology x\n"


def test_names_need_not_be_known_nor_files_exist() -> None:
    text = 'ontology x\nimport "nowhere.onto" as n\n\nuse n.nothing\nhierarchy h from "nowhere.csv" levels a\n'
    assert check_text(text, "x.onto").ontology is None
    assert format_text(text, "x.onto") == text


def test_deep_and_long_texts() -> None:
    for formula in (" => ".join(["a"] * 100), " and ".join(["a"] * 3000), "(" * 60 + "a" + ")" * 60):
        hold(f"ontology x\nrule r {{ {formula} }}")
    depth = 60
    hold("ontology x\nhierarchy h " + "{ a " * depth + "}" * depth)


def test_ten_thousand_classes() -> None:
    lines = ["ontology big", "hierarchy taxonomy {"]

    def grow(level: int) -> None:
        for _ in range(4 if level else 10):
            if len(names) == 10_000:
                return
            names.append(f"node_{len(names)}")
            lines.append(f'{names[-1]} "Node {len(names)}"' + (" {" if level < 6 else f" # {len(names)}"))
            if level < 6:
                grow(level + 1)
                lines.append("}")

    names: list[str] = []
    grow(0)
    assert len(names) == 10_000
    text = "\n".join([*lines, "}"])
    format_text("", "x.onto")  # the grammar is compiled once in a process
    start = time.process_time()
    formatted = format_text(text, "x.onto")
    assert time.process_time() - start < 60  # some 1.5 s without coverage; a quadratic pass takes minutes
    assert formatted.count("\n") == text.count("\n") + 2  # at the end, and below the header
