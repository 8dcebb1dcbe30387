"""The colours of a picture, as the text of a style sheet: light, and dark where the reader's system is.

Colours stand in each rule, not in variables, which many programs that read SVG don't know.
"""

from __future__ import annotations

_SANS = "font-family:system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,'DejaVu Sans',sans-serif"
_MONO = "font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace"

_KINDS = {  # strong, pale; dark: strong, pale
    "binary": ("#52606d", "#eef1f4", "#a3b1bf", "#2a323b"),
    "multiclass": ("#1d63b8", "#e6f0fb", "#7db5f5", "#1b2f47"),
    "hierarchy": ("#1a7a4c", "#e4f4eb", "#6fcb9b", "#17362a"),
    "multilabel": ("#7a3fb0", "#f2eafa", "#c39af0", "#32244a"),
    "ordinal": ("#b35309", "#fdf0e1", "#f0a860", "#432d18"),
}
_SHADES = ("#fdf3e7", "#fbe6cd", "#f8d6ae", "#f5c58d", "#f1b36b")
_DARK_SHADES = ("#33261a", "#44301c", "#563b1e", "#6a4721", "#7e5424")


def _sheet(ink: str, muted: str, page: str, card: str, border: str, line: str, hard: str, soft: str, when: str) -> str:
    return (
        f".page{{fill:{page}}}.card{{fill:{card};stroke:{border}}}text{{fill:{ink}}}"
        f".note,.caption{{fill:{muted}}}.edge{{stroke:{line}}}.other{{fill:{muted}}}"
        f".mark{{fill:{card}}}.mark.hard{{fill:{hard};stroke:{hard}}}.sign.hard{{fill:{card}}}"
        f".mark.soft{{stroke:{soft}}}.sign.soft{{fill:{soft}}}.mark.when{{stroke:{when}}}.sign.when{{fill:{when}}}"
        f".mark.more{{stroke:{muted}}}.sign.more{{fill:{muted}}}.kind{{fill:{card}}}"
    )


def _kinds(dark: bool, card: str) -> str:
    rules = ""
    for kind, colours in _KINDS.items():
        strong, pale = colours[2:] if dark else colours[:2]
        rules += f".tag.{kind},.word.{kind}{{fill:{strong}}}.box.{kind}{{fill:{pale};stroke:{strong}}}"
    rules += f".box.attribute,.box.again,.box.leaf{{fill:{card}}}"
    for number, colour in enumerate(_DARK_SHADES if dark else _SHADES, 1):
        rules += f".box.shade{number}{{fill:{colour}}}"
    return rules


def _scoped(rules: str) -> str:
    """Rules that hold inside the picture alone, wherever it stands."""
    parts = [rule.partition("{") for rule in rules.split("}") if rule]
    return "".join(
        f"{','.join(f'.linnaeus {s}' for s in selectors.split(','))}{{{body}}}" for selectors, _, body in parts
    )


_FORM = (
    f"text{{{_SANS};font-size:12px}}.name{{font-size:19px;font-weight:700}}.head{{font-size:14px;font-weight:600}}"
    ".kind{font-size:11px;font-weight:600}.note,.word{font-size:11px}.caption{font-size:11px;font-style:italic}"
    ".group,.rule{font-weight:600}.rule{font-size:11.5px}.sign{font-size:11px;text-anchor:middle;font-weight:600}"
    f".formula{{{_MONO};font-size:11.5px}}.other{{font-style:italic}}"
    ".edge{fill:none;stroke-width:1.2}.edge.attribute{stroke-dasharray:1.5 3}"
    ".edge.again,.box.again{stroke-dasharray:5 3}"
    ".box{stroke-width:1}.box.leaf{stroke-opacity:.35}.box.attribute{stroke-width:1.4}.box.continued{fill-opacity:.4}"
)

STYLE = (
    _scoped(_FORM)
    + _scoped(_sheet("#1c2430", "#5b6675", "#ffffff", "#ffffff", "#d3d9e1", "#9aa5b1", "#9b1c31", "#9b1c31", "#0f6674"))
    + _scoped(_kinds(False, "#ffffff"))
    + "@media(prefers-color-scheme:dark){"
    + _scoped(_sheet("#e6eaf0", "#9eabba", "#0f141a", "#171e26", "#303a46", "#5d6b7a", "#ff9aa8", "#ff9aa8", "#67cbd8"))
    + _scoped(_kinds(True, "#171e26"))
    + "}"
)
"""The style sheet of every picture."""
