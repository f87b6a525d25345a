"""``python -m benchmarks``: build, measure and report; writes to ``docs``."""

from __future__ import annotations

import argparse
import io
import logging
import os
import platform
import tempfile
import warnings
from pathlib import Path

import boto3
import joblib
from moto.server import ThreadedMotoServer
from sklearn.base import ClassifierMixin
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.measure import measure, samples_per_second
from benchmarks.packages import ROOT, Package, build_all
from benchmarks.report import Results, draw, table
from shipping.emulator import remove_package
from training.artifact import build_artifact
from training.dataset import wine
from training.pipeline import wine_pipeline
from training.store import WritableStore

RUNS = 9
SIZE_RUNS = 7
BATCHES = [1, 10, 100, 1_000, 10_000]
HIDDEN_UNITS = [300, 1_000]  # in each of two layers: models of about 1 and 8 MB
BUCKET = "models"
DOCS = ROOT / "docs"


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description="Compare this project's function with others.")
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--out", type=Path, default=DOCS)
    options = parser.parse_args()
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # else a line for each request to S3
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
    with tempfile.TemporaryDirectory() as scratch:
        packages = build_all(Path(scratch))
        try:
            results = run(packages, environment, options.runs)
        finally:
            for package in packages:
                remove_package(package.code)
    server.stop()
    report = table(results)
    options.out.mkdir(exist_ok=True)
    (options.out / "benchmark.md").write_text(f"# The benchmark\n\n{report}")
    draw(results, options.out / "benchmark.png")
    print(report, end="")


def run(packages: list[Package], environment: dict[str, str], runs: int) -> Results:
    """Measure all that there is to measure.

    Parameters
    ----------
    packages : list of Package
    environment : dict of str to str
        Where S3 is.
    runs : int
        How often each package is started.

    Returns
    -------
    Results
    """
    boto3.client("s3").create_bucket(Bucket=BUCKET)
    dataset = wine()
    estimator = wine_pipeline().fit(dataset.X, dataset.y)
    pickle = io.BytesIO()
    joblib.dump(estimator, pickle)
    boto3.client("s3").put_object(Bucket=BUCKET, Key="wine.joblib", Body=pickle.getvalue())
    environment = environment | {
        "MODEL_URL": f"s3://{BUCKET}/wine",
        "PICKLE_URL": f"s3://{BUCKET}/wine.joblib",
    }
    publish(estimator, "wine")
    ours = packages[-1]
    measured = measure(packages, environment, runs)
    throughput = samples_per_second(ours, environment, BATCHES, dataset.X[0].tolist())
    cold_by_size = {}
    for units in HIDDEN_UNITS:
        network = MLPClassifier((units, units), max_iter=1, random_state=0)
        with warnings.catch_warnings(action="ignore"):  # one step of training is enough for a size
            estimator = make_pipeline(StandardScaler(), network).fit(dataset.X, dataset.y)
        size = publish(estimator, f"units-{units}")
        there = environment | {"MODEL_URL": f"s3://{BUCKET}/units-{units}"}
        whole = ours._replace(body={"data": dataset.X[0].tolist()})
        cold_by_size[size] = measure([whole], there, SIZE_RUNS)[ours.name].cold
    machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    return Results(packages, measured, throughput, cold_by_size, machine)


def publish(estimator: ClassifierMixin, prefix: str) -> int:
    """Publish a model for the functions to serve.

    Parameters
    ----------
    estimator : classifier
        Fitted on the wine data.
    prefix : str
        Where in the bucket.

    Returns
    -------
    int
        Its size in bytes.
    """
    X, y, names = wine()
    built = build_artifact(estimator, X, y, name=prefix, feature_names=names)
    WritableStore(f"s3://{BUCKET}/{prefix}").publish(built.artifact)
    return len(built.artifact)


if __name__ == "__main__":
    main()
