"""Matching (Inventory x Table) x Target -> Plan. No I/O: names, shapes and dtypes decide, no tensor is read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from ckptmap.basics.errors import PlanError, Problem
from ckptmap.basics.globs import pattern_problems
from ckptmap.basics.text import plural
from ckptmap.basics.wording import argument
from ckptmap.checkpoint.inventory import Inventory
from ckptmap.checkpoint.naming import told_names
from ckptmap.mapping import Assignment
from ckptmap.mapping.slots import averages_of
from ckptmap.planning.candidates import Offer, differs_in_classes_only, offer
from ckptmap.planning.choices import Adaptation, PlanOptions
from ckptmap.planning.class_transfer import plan_class_transfer, without_background
from ckptmap.planning.draft import Draft, Solved
from ckptmap.planning.fitting import asks_target, fitted
from ckptmap.planning.global_step import find_step
from ckptmap.planning.ledger import Fill, Plan
from ckptmap.planning.ledger_entries import record_plan
from ckptmap.planning.name_matching import Matching, resolved
from ckptmap.planning.optimizer import with_optimizer
from ckptmap.planning.shape_settings import settings_from_shapes
from ckptmap.targets.layout import Layout
from ckptmap.targets.target import Target
from ckptmap.targets.variables import TargetVariable


def make_plan(matching: Matching, target: Target, options: PlanOptions | None = None) -> Plan:
    """The ledger of converting the inventory of ``matching`` to ``target`` by its table.

    Raises:
        PlanError: rules, variables and shapes contradict each other; every contradiction is named, with file and line
            where a rule is involved.
    """
    options = options or PlanOptions()
    inventory, table, slots = matching.inventory, matching.table, matching.slots
    mapping, layout = resolved(matching.mapping, target, options.settings)
    placed, misplaced = _place(_adapted(mapping.assignments, options.adaptation), layout)
    averages = averages_of(slots) if options.ema != "ignore" else {}
    asking = {key: one for key, one in placed.items() if one.ops and asks_target(one)}
    told = {key: one for key, one in placed.items() if key not in asking} if asking else placed
    offers, refused = _candidates(told, inventory, averages)
    shapes = {made.assignment.target: made.shape for made in offers.values()}
    layout = settings_from_shapes(target, layout, shapes, options.settings)
    solved = _solve(layout, offers, shapes, options)
    if asking and not solved.problems:
        asked, unfit = _asked(asking, solved, inventory, averages)
        offers = {**offers, **asked}
        refused += unfit
    if not solved.problems:
        for key in [key for key, made in offers.items() if made.assignment.per_class is not None]:
            offers[key] = without_background(offers[key], solved.variables[key].shape, options)
    transfer = plan_class_transfer(offers, solved, options.labels, options.num_classes)
    problems = [*matching.problems, *misplaced, *refused, *solved.problems, *transfer.problems]
    if not layout.uses("num_classes"):
        problems += _other_counts(solved, offers, options)
    problems += _not_adapted(mapping.assignments, options.adaptation, target.name)
    problems += pattern_problems("allow_unused", options.allow_unused, inventory.variables)
    if options.ema == "only":
        problems += _without_average(solved.variables, offers)
    del placed, told, shapes  # of many variables each takes much memory, and the ledger needs none of them
    step = find_step(inventory, slots) if options.step else None
    if isinstance(step, Problem):
        problems.append(step)
    if problems or isinstance(step, Problem):
        raise PlanError(f"{inventory.path} does not fit {target.name} by table {table.name}", problems)
    draft = Draft(inventory, table, mapping, slots, averages, offers, solved, options, transfer, step)
    plan = with_optimizer(record_plan(draft, target, layout), draft, target)
    _refuse_hidden_values(plan)
    _refuse_odd_numbers(plan)
    return plan


def _refuse_odd_numbers(plan: Plan) -> None:
    """Raise PlanError where an init rule has several numbers, and the last axis does not divide into as many blocks."""
    problems = []
    told = told_names((record.variable.key, record.variable.name) for record in plan.targets)
    for record in plan.targets:
        values, shape = record.init.value if record.init else (), record.variable.shape
        if isinstance(values, tuple) and values and (not shape or shape[-1] % len(values)):
            numbers = plural(len(values), "number")
            message = f"{told[record.variable.key]} has shape {list(shape)}: {numbers} cannot fill its last axis"
            problems.append(Problem(message, record.rule, "one number, or one for each of as many equal blocks"))
    if problems:
        raise PlanError(f"{plan.target} does not fit table {plan.table}", problems)


def _refuse_hidden_values(plan: Plan) -> None:
    """Raise PlanError where values of the template are needed and cannot be read."""
    told = told_names((record.variable.key, record.variable.name) for record in plan.targets)
    needed = [told[record.variable.key] for record in plan.targets if record.fill is Fill.TEMPLATE]
    hidden = plan.template.obstacle if plan.template else None
    if needed and hidden is not None:
        wanted = f"{plural(len(needed), 'variable')}, such as {needed[0]}"
        message = f"{hidden.message}, and {wanted}, would keep the template's value"
        raise PlanError(f"{plan.target} cannot be the template", [Problem(message, hidden.where, hidden.hint)])


def _place(assignments: Iterable[Assignment], layout: Layout) -> tuple[dict[str, Assignment], list[Problem]]:
    """Assignments by the object path of their target variable; unknown targets and collisions as problems."""
    placed: dict[str, Assignment] = {}
    problems = []
    for assignment in assignments:
        found = layout.find(assignment.target)
        if isinstance(found, Problem):
            sources = ", ".join(assignment.sources)
            problems.append(Problem(f"{sources}: {found.message}", str(assignment.rule), found.hint))
        elif found.key in placed:
            problems.append(_collision(placed[found.key], assignment))
        else:
            placed[found.key] = assignment
    return placed, problems


def _adapted(assignments: Iterable[Assignment], adaptation: Adaptation | None) -> Iterable[Assignment]:
    """The assignments with the operations that the target's own configuration asks for."""
    if adaptation is None:
        return assignments
    return (one._replace(ops=adaptation.ops(one.ops)) if one.ops else one for one in assignments)


def _not_adapted(assignments: Iterable[Assignment], adaptation: Adaptation | None, target: str) -> Iterator[Problem]:
    if adaptation is None:
        return
    fault = adaptation.misplaced((op for one in assignments for op in one.ops), target)
    if fault is not None:
        message, hint = fault
        yield Problem(message, "", hint)


def _collision(first: Assignment, second: Assignment) -> Problem:
    one, other = ", ".join(first.sources), ", ".join(second.sources)
    return Problem(f"{one} and {other} both fill {second.target}", str(second.rule), f"the other rule is {first.rule}")


def _candidates(
    placed: Mapping[str, Assignment], inventory: Inventory, averages: Mapping[str, str]
) -> tuple[dict[str, Offer], list[Problem]]:
    offers: dict[str, Offer] = {}
    problems = []
    for key, assignment in placed.items():
        made = offer(assignment, inventory, averages)
        if isinstance(made, Problem):
            problems.append(made)
        else:
            offers[key] = made
    return offers, problems


def _asked(
    asking: Mapping[str, Assignment], solved: Solved, inventory: Inventory, averages: Mapping[str, str]
) -> tuple[dict[str, Offer], list[Problem]]:
    """The offers that take lengths from the target, whose shapes are no evidence of them."""
    found = dict(fitted(asking, solved.variables, inventory))
    problems = [one for one in found.values() if isinstance(one, Problem)]
    moved = {key: one for key, one in found.items() if isinstance(one, Assignment)}
    offers, refused = _candidates(moved, inventory, averages)
    return offers, [*problems, *refused, *_misfits(solved.variables, offers)]


def _solve(
    layout: Layout, offers: Mapping[str, Offer], shapes: Mapping[str, tuple[int, ...]], options: PlanOptions
) -> Solved:
    """Concrete shapes for the target, by the ``shapes`` that ``offers`` have for its names.

    Class heads are evidence only where nothing else says the class count.
    """
    heads = {o.assignment.target for o in offers.values() if o.assignment.per_class}
    open_classes = layout.uses("num_classes")
    given = {"num_classes": options.num_classes} if options.num_classes else {}
    own = layout.solve(shapes, per_class=() if open_classes else heads)
    solution = layout.solve(shapes, given, heads) if given else own
    if solution.problems:
        return Solved({}, {}, None, solution.problems)
    variables = {variable.key: variable for variable in layout.variables_with(solution)}
    classes = own.values.get("num_classes") if open_classes else None
    return Solved(variables, solution.values, classes, tuple(_misfits(variables, offers)))


def _misfits(variables: Mapping[str, TargetVariable], offers: Mapping[str, Offer]) -> Iterator[Problem]:
    told = told_names((key, variable.name) for key, variable in variables.items())
    for key, made in offers.items():
        variable, assignment = variables[key], made.assignment
        if made.shape != variable.shape and not differs_in_classes_only(made, variable.shape):
            message = f"{made.label} has shape {list(made.shape)}, {told[key]} has {list(variable.shape)}"
            yield Problem(message, str(assignment.rule))
        elif not made.fits_dtype(variable.dtype):
            message = f"{made.label} is {made.dtype}, {told[key]} is {variable.dtype}"
            yield Problem(message, str(assignment.rule), "add a cast operation to the rule if the loss is meant")


def _other_counts(solved: Solved, offers: Mapping[str, Offer], options: PlanOptions) -> Iterator[Problem]:
    """Heads of a target that fixes every shape, which cannot have as many classes as the user says."""
    if options.num_classes is None or options.labels is not None:
        return
    told = told_names((key, variable.name) for key, variable in solved.variables.items())
    for key, made in offers.items():
        per_class, variable = made.assignment.per_class, solved.variables.get(key)
        if per_class is None or variable is None:
            continue
        if made.shape != variable.shape and not differs_in_classes_only(made, variable.shape):
            continue
        length = variable.shape[per_class.axis]
        if not per_class.fits(length, options.num_classes):
            classes = plural(options.num_classes, "class", "classes")
            said = f"{classes}{' and the background' if per_class.background else ''}"
            message = f"the class axis of {told[key]} has the length {length}, which does not fit {said}"
            own = f"give the target's own count with {argument('num_classes')}"
            hint = f"{own}, or `background` and `block` in per_class"
            yield Problem(message, str(made.assignment.rule), hint)


def _without_average(variables: Mapping[str, TargetVariable], offers: Mapping[str, Offer]) -> Iterator[Problem]:
    """Trainable variables whose raw value would be restored although only moving averages are wanted."""
    for key, made in offers.items():
        if key in variables and variables[key].trainable and made.sources == made.assignment.sources:
            yield Problem("has no moving average", made.label, f"use {argument('ema', 'prefer')} to take its raw value")
