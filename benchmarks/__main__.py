"""``python -m benchmarks``: build, measure and report, to ``docs`` and the README."""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Mapping
from pathlib import Path

from benchmarks.bulk import measure_bulk
from benchmarks.docs import DOCS, write_pages, write_readme
from benchmarks.in_process import compare_in_process
from benchmarks.log_cost import SILENT, measure_log
from benchmarks.machine import describe_machine
from benchmarks.measure import WarmRequest, measure, samples_per_second
from benchmarks.models import (
    BATCHES,
    HIDDEN_UNITS,
    batch,
    network,
    one_sample,
    publish,
    put_for_others,
    wine_model,
)
from benchmarks.packages import ROOT, Package, Packages, Request, build_all
from benchmarks.report import report
from benchmarks.results import ONE_ROW, Compared, ModelSize, Results, compare_cold
from benchmarks.scoring import compare_scoring
from benchmarks.server import BUCKET, s3
from benchmarks.tables import BATCH
from deployment.emulator.function import remove_package

RUNS = 9
SCORING_RUNS = 5


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description="Compare this project's function with others.")
    parser.add_argument("--runs", type=int, default=RUNS, help="the number of runs")
    parser.add_argument(
        "--out", type=Path, help="the output folder, which leaves docs and the README unchanged"
    )
    options = parser.parse_args()
    with s3() as environment, tempfile.TemporaryDirectory() as scratch:
        packages = build_all(Path(scratch, "packages"))
        try:
            results = run(packages, environment, options.runs, Path(scratch, "store"))
        finally:
            for package in packages:
                remove_package(package.code)
    write_pages(results, options.out or DOCS)
    if options.out is None:
        write_readme(results)
    print(report(results), end="")


def run(packages: Packages, environment: Mapping[str, str], runs: int, folder: Path) -> Results:
    """Measure everything in the report."""
    model, one = wine_model(), one_sample()
    variables = {
        **environment,
        "MODEL_URL": publish(model, f"s3://{BUCKET}/wine"),
        **put_for_others(model, f"s3://{BUCKET}/others"),
    }
    packages = packages._replace(json_only=packages.json_only._replace(request=one))
    warm_requests = [
        WarmRequest(package.name, package.name, package.request) for package in packages
    ]
    warm_requests.append(WarmRequest(ONE_ROW, packages.this_project.name, one))
    store = publish(model, str(folder))
    batches = {size: batch(size) for size in BATCHES}
    return Results(
        packages=packages,
        runs=measure(packages, warm_requests, variables, runs),
        by_model_size=compare_model_sizes(packages, variables, runs),
        throughput=samples_per_second(packages.this_project, variables, batches, runs),
        in_process=compare_in_process(store, model, one, batch(BATCH), runs),
        log=measure_log(store, one, batch(BATCH), runs),
        log_on_emulator=warm_by_log(packages.this_project, variables, one, runs),
        scoring=compare_scoring(min(runs, SCORING_RUNS)),
        bulk=measure_bulk(min(runs, SCORING_RUNS)),
        memory_mb=memory_mb(),
        machine=describe_machine(),
    )


def compare_model_sizes(
    packages: Packages, environment: Mapping[str, str], runs: int
) -> dict[int, ModelSize]:
    """Measure cold starts and warm requests by the size of the model in bytes."""
    by_size = {}
    for units in HIDDEN_UNITS:
        model = network(units)
        variables = {"MODEL_URL": publish(model, f"s3://{BUCKET}/units-{units}")}
        by_size[len(model)] = packages.this_project._replace(
            name=f"units-{units}", request=batch(1), variables=variables
        )
    warm_requests = [
        WarmRequest(package.name, package.name, package.request) for package in by_size.values()
    ]
    measured = measure([packages.hello, *by_size.values()], warm_requests, environment, runs)
    return {
        size: ModelSize(
            compare_cold(measured, package.name, packages.hello.name),
            [run.warm[package.name] for run in measured],
        )
        for size, package in by_size.items()
    }


def warm_by_log(
    package: Package, environment: Mapping[str, str], one: Request, runs: int
) -> Compared:
    """Measure warm requests with and without log and metrics."""
    silent = package._replace(name="no log", variables=SILENT)
    warm_requests = [WarmRequest(each.name, each.name, one) for each in (package, silent)]
    measured = measure([package, silent], warm_requests, environment, runs)
    return Compared(
        [run.warm[package.name] for run in measured], [run.warm[silent.name] for run in measured]
    )


def memory_mb() -> int:
    """Return the memory that the configuration gives the function on Lambda."""
    config = json.loads((ROOT / "wine-classifier" / ".chalice" / "config.json").read_text())
    return int(config["lambda_memory_size"])


if __name__ == "__main__":
    main()
