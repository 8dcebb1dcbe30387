"""What makes an ontology's rules wrong or doubtful: a tuple of passes over its analysis.

Findings are condensed: what follows from another finding is not repeated. What is odd about an imported file is told
there, unless it is an error here too or comes from this file's rules.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TypeAlias

from ...errors import Diagnostic, LinnaeusError, Span
from ..formula import COUNTS, Formula, Op, conjunction, holds
from ..formula_text import formula_text, group_text, label_text
from ..ontology import Kind, Ontology
from ..outline import finding
from ..places import Places
from .analysis import Analysis, At, all_formulas, analyse, rule_formulas
from .width import BUDGET, Cost, inference_cost, rule_to_blame

Findings: TypeAlias = Iterator[Diagnostic]

_LISTED = 6
"""So many culprits are named one by one."""
_SEARCHED = 100_000
"""Past this many gates of counts, what is refused as too costly anyway is not searched for other findings."""
_LONG = 100
"""Longer formulas are cut in messages; their places lead to the rest."""


def run_logic_checks(ontology: Ontology, places: Places) -> tuple[Diagnostic, ...]:
    """Every finding of every pass. An ontology without rules, `when` and `is` costs nothing.

    Args:
        ontology: an ontology.
        places: where its parts stand.
    """
    costly = tuple(check_cost(ontology, places))
    found = [*check_counts(ontology, places), *costly]
    if (costly and _gates(ontology) > _SEARCHED) or (not ontology.rules and not any(g.when for g in ontology.groups)):
        return tuple(found)
    try:
        analysis = analyse(ontology)
        found += [d for check in LOGIC_CHECKS for d in check(ontology, analysis, places)]
    except LinnaeusError as error:
        found += [replace(d, span=places.start) for d in error.diagnostics]
    return tuple(found)


def _gates(ontology: Ontology) -> int:
    """About how many gates the counts of all formulas take."""
    formulas = all_formulas(ontology)
    return sum((node.count + 1) * len(node.args) for f in formulas for node in f.walk() if node.op in COUNTS)


def check_counts(ontology: Ontology, places: Places) -> Findings:
    """E142 a count that can't be reached; W147 one that says nothing."""
    for at, formula in rule_formulas(ontology).items():
        yield from _counts(ontology, formula, places.formulas[at[0]][at[1]], ontology.rules[at[0]].source is None)
    for group in ontology.groups:
        if group.when is not None:
            yield from _counts(ontology, group.when, places.whens[group.index], group.source is None)


def _counts(ontology: Ontology, formula: Formula, span: Span, own: bool) -> Findings:
    for node in formula.walk():
        size = len(node.args)
        if node.op in (Op.AT_LEAST, Op.EXACTLY) and node.count > size:
            message = f"`{_short(formula_text(ontology, node))}` can't be: {_things(size)} stand in its braces"
            yield finding("E142", span, message, f"count at most {size}, or list more")
        elif own and ((node.op is Op.AT_MOST and node.count >= size) or (node.op is Op.AT_LEAST and node.count == 0)):
            message = f"`{_short(formula_text(ontology, node))}` is always true: {_things(size)} stand in its braces"
            yield finding("W147", span, message, "change the number, or delete it")


def _miscounted(ontology: Ontology, places: Places) -> set[At]:
    """The formulas that `check_counts` speaks of."""
    return {
        at
        for at, formula in rule_formulas(ontology).items()
        if next(_counts(ontology, formula, places.start, True), None)
    }


def _things(n: int) -> str:
    return "1 formula" if n == 1 else f"{n} formulas"


def check_cost(ontology: Ontology, places: Places) -> Findings:
    """E143 rules under which exact inference would cost too much."""
    cost = inference_cost(ontology)
    if cost.estimate <= BUDGET:
        return
    blamed = rule_to_blame(ontology, cost)
    span, message = places.start, "exact inference would cost too much: what the ontology says ties up to "
    message += f"{cost.width + 1} choices together, {_about(cost)} numbers an image ({BUDGET:,} at most)"
    step = "say it of fewer groups or of coarser classes"
    if blamed is not None:
        rule, rest = blamed
        span = places.rules[rule]
        message += f"; rule {ontology.rules[rule].name} has the largest part in it"
        enough = "which is few enough" if rest.estimate <= BUDGET else "so others have to change too"
        step = f"without it: {_about(rest)}, {enough}; {step}, split it into smaller formulas, or leave it out"
    yield finding("E143", span, message, step)


def _about(cost: Cost) -> str:
    return f"about {cost.estimate:,.0f}" if cost.estimate < 1e9 else f"about {cost.estimate:.0e}"


def check_consistency(ontology: Ontology, analysis: Analysis, places: Places) -> Findings:
    """E140 there is no legal world; E141 a formula that by itself no world makes true."""
    say = _Say(ontology, places)
    hard = [at for at in sorted(analysis.contradictions) if ontology.rules[at[0]].weight is None]
    for at in sorted(set(hard) - _miscounted(ontology, places)):
        message = f"`{say.text(at)}` is false in every world, so no image could have legal labels"
        yield finding("E141", say.span(at), message, "it contradicts itself, or what the groups allow: change it")
    if analysis.conflict and not hard:
        message = f"no legal world: these can't all be true: {say.these(analysis.conflict)}"
        step = "without any one of them the others can be: change one, or make it soft"
        own = [at for at in analysis.conflict if ontology.rules[at[0]].source is None]
        yield finding("E140", say.span((own or analysis.conflict)[-1]), message, step)


def check_groups(ontology: Ontology, analysis: Analysis, places: Places) -> Findings:
    """W141 a group that never applies; W146 a `when` that is always true."""
    say = _Say(ontology, places)
    for index in sorted(analysis.never):
        group = ontology.groups[index]
        if group.when is None or (group.condition is not None and group.condition in analysis.dead):
            continue  # the class that it hangs on never holds, which is said there
        culprits = analysis.why_never(index)
        if group.source is None or say.own(culprits):
            why = say.because(culprits) if culprits else "because its condition is never true"
            message = f"`{say.group(index)}` never applies, {why}"
            yield finding("W141", places.whens[index], message, "delete the group, or change what keeps it away")
    for index in sorted(analysis.always):
        group = ontology.groups[index]
        culprits = analysis.why_always(index)
        if group.source is None or say.own(culprits):
            where = "" if group.condition is None else f" where `{say.label(group.condition)}` holds"
            why = f", {say.because(culprits)}" if culprits else ""
            message = f"the condition of `{say.group(index)}` is always true{where}{why}"
            yield finding("W146", places.whens[index], message, "delete `when …`: it says nothing")


def check_labels(ontology: Ontology, analysis: Analysis, places: Places) -> Findings:
    """W140 a class, level or value that is never true; W142 one that always is."""
    say = _Say(ontology, places)
    for label in sorted(analysis.forced):
        if any(child in analysis.forced for child in ontology.children[label]):
            continue
        culprits, group = analysis.why_forced(label), ontology.groups[ontology.labels[label].group]
        if group.source is None or say.own(culprits):
            is_always = "is always yes" if group.kind is Kind.BINARY else "always holds"
            where = f" where `{say.group(group.index)}` applies" if group.conditional else ""
            message = f"`{say.label(label)}` {is_always}{where}, {say.because(culprits)}"
            yield finding("W142", places.labels[label], message, "nothing is left to decide: is a rule too strict?")
    for label in _dead(ontology, analysis):
        culprits, group = analysis.why_dead(label), ontology.groups[ontology.labels[label].group]
        if group.source is None or say.own(culprits):
            never = "is always no" if group.kind is Kind.BINARY else "never holds"
            message = f"`{say.label(label)}` {never}, {say.because(culprits)}"
            step = "no image can be labelled with it: is a rule too strict? else delete it"
            yield finding("W140", places.labels[label], message, step)


def _dead(ontology: Ontology, analysis: Analysis) -> Iterator[int]:
    """Dead labels that no dead class around them, no group and no forced sibling explains."""
    forced = {(ontology.labels[i].group, ontology.labels[i].parents) for i in analysis.forced}
    for index in sorted(analysis.dead):
        label = ontology.labels[index]
        group = ontology.groups[label.group]
        beside = group.single_choice and (label.group, label.parents) in forced
        if not beside and group.index not in analysis.never and not any(p in analysis.dead for p in label.parents):
            yield index


def check_formulas(ontology: Ontology, analysis: Analysis, places: Places) -> Findings:
    """W143 a tautology; W144 what others entail; W145 a soft formula that is decided."""
    say = _Say(ontology, places)
    counted = _miscounted(ontology, places)
    for at in sorted(analysis.tautologies - counted):
        if ontology.rules[at[0]].source is None:
            message = f"`{say.text(at)}` is true in every world, whatever the other rules say"
            yield finding("W143", say.span(at), message, "it says nothing: change or delete it")
    for at, culprits in sorted(analysis.entailed.items()):
        if ontology.rules[at[0]].source is None:
            message = f"`{say.text(at)}` follows from {say.these(culprits)}"
            yield finding("W144", say.span(at), message, "deleting it changes nothing")
    soft = {at for at in analysis.contradictions - counted if ontology.rules[at[0]].weight is not None}
    for at in sorted(soft | set(analysis.decided)):
        culprits = () if at in soft else analysis.why_decided(at)
        if ontology.rules[at[0]].source is None or say.own(culprits):
            value = "true" if analysis.decided.get(at, False) else "false"
            why = say.because(culprits) if culprits else "whatever the other rules say"
            message = f"`{say.text(at)}` is {value} in every legal world, {why}: its weight changes nothing"
            yield finding("W145", say.span(at), message, "delete it, or change what decides it")


def check_applicability(ontology: Ontology, analysis: Analysis, places: Places) -> Findings:
    """I140 a formula that by itself makes a nested group apply."""
    say = _Say(ontology, places)
    forcing: dict[At, list[int]] = {}
    for at, group in analysis.forcing:
        if ontology.rules[at[0]].source is None:
            forcing.setdefault(at, []).append(group)
    for at, groups in forcing.items():
        names = " and ".join(f"`{say.group(g)}`" for g in groups)
        formula = ontology.rules[at[0]].formulas[at[1]]
        where = f"where {names} {'does' if len(groups) == 1 else 'do'} not apply"
        message = f"`{say.text(at)}` is false {where}, so by itself it asks for {names} to apply"
        step = f"unless that is meant, write: {_short(formula_text(ontology, _guarded(ontology, formula, groups)))}"
        yield finding("I140", say.span(at), message, step)


def _guarded(ontology: Ontology, formula: Formula, groups: Iterable[int]) -> Formula:
    """A formula that speaks only where some groups apply."""
    guards: list[Formula] = []
    for index in groups:
        group = ontology.groups[index]
        if group.when is not None or group.condition is None:
            guards.append(Formula(Op.APPLIES, group=index))
        else:
            guards.append(holds(group.condition))
    guards = list(dict.fromkeys(guards))
    if formula.op is not Op.IMPLIES:
        return Formula(Op.IMPLIES, (conjunction(guards), formula))
    left, right = formula.args
    known = left.args if left.op is Op.AND else (left,)
    return Formula(Op.IMPLIES, (conjunction([*known, *guards]), right))


def check_completeness(ontology: Ontology, analysis: Analysis, places: Places) -> Findings:
    """I141 so many formulas that not everything was looked for."""
    if analysis.reasoner.solver.gave_up:
        message = (
            f"{len(analysis.reasoner.formulas):,} formulas: that there are legal worlds is sure, but not all that may"
        )
        message += " be odd about single classes and rules was looked for"
        step = "fewer formulas about larger sets of classes, such as `group in {…} => …`, are looked at in full"
        yield finding("I141", places.start, message, step)


LOGIC_CHECKS: tuple[Callable[[Ontology, Analysis, Places], Findings], ...] = (
    check_consistency,
    check_groups,
    check_labels,
    check_formulas,
    check_applicability,
    check_completeness,
)


def _short(text: str) -> str:
    return text if len(text) <= _LONG else text[: _LONG - 1] + "…"


class _Say:
    """Names, formulas and places as messages say them."""

    def __init__(self, ontology: Ontology, places: Places):
        self.ontology = ontology
        self.places = places

    def label(self, index: int) -> str:
        return label_text(self.ontology, index)

    def group(self, index: int) -> str:
        return group_text(self.ontology, index)

    def text(self, at: At) -> str:
        return _short(formula_text(self.ontology, self.ontology.rules[at[0]].formulas[at[1]]))

    def span(self, at: At) -> Span:
        return self.places.formulas[at[0]][at[1]]

    def own(self, culprits: Iterable[At]) -> bool:
        """Whether one of some formulas is this file's."""
        return any(self.ontology.rules[r].source is None for r, _ in culprits)

    def because(self, culprits: Sequence[At]) -> str:
        """The formulas to blame."""
        return f"because of {self.these(culprits)}"

    def these(self, culprits: Sequence[At]) -> str:
        """Formulas, each with its place."""
        texts = [f"`{self.text(at)}` ({self._place(at)})" for at in culprits[:_LISTED]]
        if len(culprits) > _LISTED:
            texts.append(f"{len(culprits) - _LISTED} more")
        return " and ".join([", ".join(texts[:-1]), texts[-1]] if len(texts) > 1 else texts)

    def _place(self, at: At) -> str:
        span, name = self.span(at), self.ontology.rules[at[0]].name
        line = f"line {span.line}" if span.file == self.places.file else f"{span.file}:{span.line}"
        return f"rule {name}, {line}"
