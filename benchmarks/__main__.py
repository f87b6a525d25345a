"""``python -m benchmarks``: build, measure and report; writes to ``docs`` and the README."""

from __future__ import annotations

import argparse
import json
import logging
import os
import platform
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import boto3
from moto.server import ThreadedMotoServer

from benchmarks.docs import DOCS, write_pages, write_readme
from benchmarks.in_process import compare_in_process
from benchmarks.measure import WarmRequest, measure, samples_per_second
from benchmarks.models import (
    BATCHES,
    HIDDEN_UNITS,
    batch,
    network,
    one_sample,
    publish,
    put_pickle,
    wine_model,
)
from benchmarks.packages import ROOT, Packages, build_all
from benchmarks.report import report
from benchmarks.results import ONE_ROW, Compared, Results, compare_cold
from benchmarks.tables import BATCH
from deployment.emulator.function import remove_package

RUNS = 9
BUCKET = "models"


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description="Compare this project's function with others.")
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument(
        "--out", type=Path, help="write there, and leave docs and README as they are"
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


@contextmanager
def s3() -> Iterator[dict[str, str]]:
    """Start an S3 server with a bucket.

    Yields
    ------
    dict of str to str
        What has to be in the environment of who uses it; it is in this one's.
    """
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # else a line for each request
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    environment = {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "benchmark",
        "AWS_SECRET_ACCESS_KEY": "benchmark",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    os.environ.update(environment)
    boto3.client("s3").create_bucket(Bucket=BUCKET)
    try:
        yield environment
    finally:
        server.stop()


def run(packages: Packages, environment: Mapping[str, str], runs: int, folder: Path) -> Results:
    """Measure all that there is to measure.

    Parameters
    ----------
    packages : Packages
    environment : mapping of str to str
        Where S3 is.
    runs : int
        How often each is measured.
    folder : Path
        For a model store that is not on S3.

    Returns
    -------
    Results
    """
    model, one = wine_model(), one_sample()
    variables = {
        **environment,
        "MODEL_URL": publish(model, f"s3://{BUCKET}/wine"),
        "PICKLE_URL": f"s3://{BUCKET}/wine.joblib",
    }
    put_pickle(variables["PICKLE_URL"])
    packages = packages._replace(json_only=packages.json_only._replace(request=one))
    asked = [WarmRequest(package.name, package.name, package.request) for package in packages]
    asked.append(WarmRequest(ONE_ROW, packages.ours.name, one))
    in_process = compare_in_process(publish(model, str(folder)), model, one, batch(BATCH), runs)
    batches = {size: batch(size) for size in BATCHES}
    return Results(
        packages=packages,
        runs=measure(packages, asked, variables, runs),
        by_model_size=cold_by_model_size(packages, variables, runs),
        throughput=samples_per_second(packages.ours, variables, batches, runs),
        one_in_process=in_process[0],
        batch_in_process=in_process[1],
        memory_mb=memory_mb(),
        machine=f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}",
    )


def cold_by_model_size(
    packages: Packages, environment: Mapping[str, str], runs: int
) -> dict[int, Compared]:
    """Measure our cold start with models of several sizes, in turns with hello world's.

    Parameters
    ----------
    packages : Packages
    environment : mapping of str to str
        The functions' variables.
    runs : int
        How often each is started.

    Returns
    -------
    dict of int to Compared
        By the model's size in bytes.
    """
    sized = {}
    for units in HIDDEN_UNITS:
        model = network(units)
        variables = {"MODEL_URL": publish(model, f"s3://{BUCKET}/units-{units}")}
        sized[len(model)] = packages.ours._replace(
            name=f"units-{units}", request=batch(1), variables=variables
        )
    found = measure([packages.hello, *sized.values()], [], environment, runs)
    return {
        size: compare_cold(found, package.name, packages.hello.name)
        for size, package in sized.items()
    }


def memory_mb() -> int:
    """Tell how much memory our function is given on Lambda.

    Returns
    -------
    int
    """
    config = json.loads((ROOT / "wine-classifier" / ".chalice" / "config.json").read_text())
    return int(config["lambda_memory_size"])


if __name__ == "__main__":
    main()
