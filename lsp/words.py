"""What each word of the language means, in one line."""

from __future__ import annotations

from functools import cache

from lark.lexer import PatternStr

from ..dsl.parser import grammar

NAME = r"[A-Za-z_\u00aa-\U0010ffff][\w\u00aa-\U0010ffff-]*"
"""A plain name that may still be written, as a regular expression: it may end in a hyphen."""

MEANINGS = {
    "ontology": '`ontology NAME "Title" version "1.0"`: the first line of a file; its name, title and version',
    "version": '`version "1.0"`: the version of this ontology, which `diff` and `migrate` go by',
    "import": '`import "FILE" as ALIAS`: another ontology, by a path relative to this file; `use` takes groups of it',
    "as": "the name here of an import or of a used group",
    "use": "`use ALIAS.GROUP as NAME`, or `use ALIAS` for every group: a group of an import, by reference",
    "binary": "`binary x`: yes or no",
    "multiclass": "`multiclass g { a, b }`: exactly one class; with `open`, also `other`",
    "hierarchy": "`hierarchy h { a { b, c } }`: exactly one path to a leaf; at an open node it may end in `other`",
    "multilabel": "`multilabel m { a { b }, c }`: any subset of the classes; a nested class implies those around it",
    "ordinal": "`ordinal o { a < b < c }`: exactly one level; `<`, `<=`, `>` and `>=` compare levels",
    "open": "the classes listed are not all: adds the class `other`",
    "aka": '`aka "…", "…"`: other spellings, which data may use',
    "is": "`x is p and q`, in a multilabel: x also implies each of these",
    "when": "`when FORMULA`: the group applies where the formula is true, and is not applicable elsewhere",
    "from": '`from "taxa.csv"`: the classes of a hierarchy are the rows of a table. After `migrate`: the old version',
    "levels": "`levels order, family, …`: the names of a hierarchy's levels, coarsest first; with `from`, its columns",
    "rule": "`rule NAME { … }`: formulas that are true in every legal world",
    "soft": "`soft W`: no law; each formula true in a world adds W to its score",
    "migrate": '`migrate from "1.0" { … }`: how annotations made with an earlier version are read',
    "rename": "`rename a -> b`: what was called a is b",
    "split": "`split a -> b | c`: what was a is b or c, we don't know which",
    "drop": "`drop a`: what a said is not known any more",
    "not": "`not f`: f is false",
    "and": "`f and g`: both are true. After `is`: a further parent",
    "or": "`f or g`: one of them is true, or both",
    "in": "`g in { a, b }`: some of these classes of g hold",
    "any": "`any g`: some listed class of g holds (`other` is not listed)",
    "applies": "`applies g`: the group applies",
    "at": "`at most K of { … }`, `at least K of { … }`: how many of these formulas are true",
    "most": "`at most K of { … }`: no more than K of these formulas are true",
    "least": "`at least K of { … }`: K or more of these formulas are true",
    "exactly": "`exactly K of { … }`: K of these formulas are true, no more and no fewer",
    "of": "what is counted: `at most K of { … }`",
}


@cache
def keywords() -> dict[str, str]:
    """The reserved words by the grammar's name for them."""
    plain = ((t.name, t.pattern.value) for t in grammar().terminals if isinstance(t.pattern, PatternStr))
    return {name: word for name, word in plain if word.isalpha()}
