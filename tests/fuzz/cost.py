"""Search for the request that takes the most CPU time or memory."""

from __future__ import annotations

import multiprocessing
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import cycle, product
from pathlib import Path
from random import Random
from typing import NamedTuple

from tabulate import tabulate

from tests.fuzz import bare_requests, recipes
from tests.fuzz.bare_requests import (
    NO_SAMPLES,
    BareRecipe,
    first_bare_recipes,
    make_bare_request,
)
from tests.fuzz.bodies import ROUTES, Inputs, Request, make_request
from tests.fuzz.costly_models import MODELS
from tests.fuzz.faults import FAULTS
from tests.fuzz.measured_app import MeasuredApp
from tests.fuzz.measured_server import Cost
from tests.fuzz.recipes import Recipe
from tests.support.models import publish_to_folder

MAX_CPU_SECONDS = 1.5
MAX_MEGABYTES = 200

# The indices in `Cost` of what the search maximizes.
RESOURCES = (Cost._fields.index("cpu_seconds"), Cost._fields.index("megabytes"))

FIRST_BYTES = 200_000  # of a body that tries one value of a parameter
CLIMBS = 40  # requests for each model after these
PARENTS = 3  # the most expensive requests of a route, which are varied
PROCESSES = 2
CONFIRMATIONS = 2  # of a request over a bound, as other processes disturb a measurement
CERTAIN_CPU_SECONDS = 4 * MAX_CPU_SECONDS  # which need no confirmation

# What requests are compared within.
GROUPS = (*ROUTES, NO_SAMPLES)
DESCRIBED_AT_LENGTH = ("numbers_5000", "categories_5000")  # models whose other routes are searched
AnyRecipe = Recipe | BareRecipe


class Measured(NamedTuple):
    """A recipe and the cost of its request."""

    model: str
    recipe: AnyRecipe
    cost: Cost

    @property
    def is_over(self) -> bool:
        """True if the request takes more than is allowed."""
        return self.cost.cpu_seconds > MAX_CPU_SECONDS or self.cost.megabytes > MAX_MEGABYTES


def search(names: Sequence[str] = tuple(MODELS)) -> bool:
    """Search with each model, print the most expensive requests, return whether all are cheap."""
    with _make_pool() as pool:
        measured = [each for found in pool.map(search_model, names) for each in found]
    over = [each for each in measured if each.is_over]
    print(f"{len(measured)} requests, the most expensive by CPU time and by memory:")
    _print_table(_most_expensive(measured, names))
    print(f"{len(over)} requests take over {MAX_CPU_SECONDS} s or {MAX_MEGABYTES} MB.")
    if over:
        _print_table(over)
    return not over


def _make_pool() -> ProcessPoolExecutor:
    spawn = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(PROCESSES, mp_context=spawn)


def _most_expensive(measured: Sequence[Measured], names: Sequence[str]) -> list[Measured]:
    """Return the most expensive requests of each model and route, each once."""
    worst: dict[Measured, None] = {}
    for name, route in product(names, GROUPS):
        of_route = [m for m in measured if m.model == name and m.recipe.route == route]
        for resource in RESOURCES if of_route else ():
            worst[max(of_route, key=lambda each: each.cost[resource])] = None
    return list(worst)


def _print_table(measured: Sequence[Measured]) -> None:
    rows = []
    for model, recipe, cost in measured:
        request = ", ".join(
            f"{name}={value!r}"
            for name, value in recipe._asdict().items()
            if value != getattr(type(recipe)(""), name)
        )
        rows.append([model, cost.cpu_seconds, cost.megabytes, cost.status, request])
    headers = ["model", "CPU s", "MB", "status", "request"]
    print(tabulate(rows, headers, floatfmt=("", ".2f", ".0f")), flush=True)


def find_faults() -> bool:
    """Plant each fault; print and return whether the search finds all."""
    with _make_pool() as pool:
        found = list(pool.map(search_fault, FAULTS))
    for fault, measured in zip(FAULTS, found, strict=True):
        outcome = "found" if measured[-1].is_over else "not found"
        print(f"Planted: {fault}; {outcome} after {len(measured)} requests:")
        _print_table(measured[-1:])
    return all(measured[-1].is_over for measured in found)


def search_fault(fault: str) -> list[Measured]:
    """Measure requests to an app with a fault until one is over a bound."""
    measured = []
    for each in measure_model(FAULTS[fault].model, fault):
        measured.append(each)
        if each.is_over:
            break
    return measured


def search_model(name: str) -> list[Measured]:
    """Measure all requests of `measure_model`."""
    return list(measure_model(name))


def measure_model(name: str, fault: str = "") -> Iterator[Measured]:
    """Measure requests to one model: many different ones, then variations of the expensive ones."""
    model, random = MODELS[name](), Random(0)
    measured: dict[AnyRecipe, Measured] = {}
    with tempfile.TemporaryDirectory() as folder:
        registry = publish_to_folder(model.built, Path(folder))
        with MeasuredApp(registry.url, fault) as app:
            # Those with samples come first, of all kinds at once.
            with_samples = _first_recipes(model.inputs)
            random.shuffle(with_samples)
            bare = first_bare_recipes() if name in DESCRIBED_AT_LENGTH else []
            waiting: list[AnyRecipe] = [*bare, *with_samples]
            count = len(waiting) + CLIMBS
            while len(measured) < count:
                recipe = waiting.pop() if waiting else _vary(measured, random)
                if recipe not in measured:
                    cost = _measure(app, _make_request(recipe, model.inputs))
                    measured[recipe] = Measured(name, recipe, cost)
                    yield measured[recipe]


def _make_request(recipe: AnyRecipe, inputs: Inputs) -> Request:
    if isinstance(recipe, BareRecipe):
        return make_bare_request(recipe)
    return make_request(recipe, inputs)


def _first_recipes(inputs: Inputs) -> list[Recipe]:
    """Return valid requests in every format, and one for each value of each parameter and route."""
    valid = [Recipe(name, cells=(inputs.cell, inputs.cell)) for name in recipes.FORMATS]
    first = [recipe._replace(rows="very many") for recipe in valid]
    first += [recipe._replace(size=recipes.MAX_BODY_BYTES // 2) for recipe in valid]
    for route in ROUTES:
        formats = cycle(recipe for recipe in valid if recipe.route == route)
        first += [
            next(formats)._replace(size=FIRST_BYTES, **{parameter: value})
            for parameter, values in recipes.CHOICES.items()
            for value in values
            if parameter not in ("format", "size")
        ]
    return list(dict.fromkeys(first))


def _vary(measured: Mapping[AnyRecipe, Measured], random: Random) -> AnyRecipe:
    """Return a variation of one of the requests that are the most expensive of their route."""
    routes = list(dict.fromkeys(recipe.route for recipe in measured))
    route, resource = random.choice(routes), random.choice(RESOURCES)
    of_route = [each for each in measured.values() if each.recipe.route == route]
    of_route.sort(key=lambda each: each.cost[resource], reverse=True)
    recipe = random.choice(of_route[:PARENTS]).recipe
    choices = bare_requests.CHOICES if isinstance(recipe, BareRecipe) else recipes.CHOICES
    for parameter in random.choices(list(choices), k=random.choice((1, 1, 2))):
        value = random.choice(choices[parameter])
        if isinstance(recipe, Recipe) and parameter == "cells" and random.random() < 0.5:
            value = (recipe.cells[0], value[0])
        recipe = recipe._replace(**{parameter: value})
    return recipe


def _measure(app: MeasuredApp, request: Request) -> Cost:
    """Return the cost of a request; if it takes too long, the least of several measurements."""
    cost = app.measure(request)
    for _ in range(CONFIRMATIONS):
        if not MAX_CPU_SECONDS < cost.cpu_seconds < CERTAIN_CPU_SECONDS:
            break
        cost = min(cost, app.measure(request), key=lambda each: each.cpu_seconds)
    return cost
