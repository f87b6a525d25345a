"""What a signing key adds to a cold start, by where it is: `python -m benchmarks.signing_keys`.

The functions run on the Lambda runtime emulator. S3, Systems Manager and Secrets Manager are one
server on this machine. What counts is the processor's time, which other processes hardly disturb.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import boto3
from tabulate import tabulate

from benchmarks.docs import DOCS, replace_table
from benchmarks.measure import make_sender, start
from benchmarks.models import wine_model
from benchmarks.packages import Package, Request, package_this_project, unpack_named
from benchmarks.server import BUCKET, s3
from chalicelib.settings import derive_key
from deployment.emulator.function import remove_package
from training.registry import ModelRegistry

RUNS = 15
# What connecting to AWS takes a process, which a server on this machine does not ask for.
TLS = """
import ssl, time
begin = time.process_time()
ssl.create_default_context()
print(time.process_time() - begin)
"""
SECRET = "the secret of this benchmark"
URL = f"s3://{BUCKET}/wine"
PAGE = DOCS / "how-to" / "secure.md"
BASELINE = "a secret"
NAMES = ("no key", BASELINE, "`ssm:NAME`", "an ARN of Secrets Manager")


def main() -> None:
    """Measure, print and write the table to its page."""
    parser = argparse.ArgumentParser(description="Measure cold starts by where the key is.")
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--print", action="store_true", help="leave the page unchanged")
    options = parser.parse_args()
    with s3() as environment, tempfile.TemporaryDirectory() as scratch:
        package = unpack_named("this project", package_this_project(), Path(scratch, "code"))
        try:
            packages = make_packages(package, store_secret())
            variables = environment | {"AWS_REGION": os.environ["AWS_DEFAULT_REGION"]}
            table = measure_table(packages, variables, options.runs)
        finally:
            remove_package(package.code)
    print(table)
    if not options.print:
        PAGE.write_text(replace_table(PAGE.read_text(), table, "signing-keys"))


def store_secret() -> dict[str, str]:
    """Publish a signed model, store its secret, and return the references to it."""
    ModelRegistry(URL, derive_key(SECRET, URL, "")).publish(wine_model())
    boto3.client("ssm").put_parameter(Name="/wine/key", Value=SECRET, Type="SecureString")
    arn = boto3.client("secretsmanager").create_secret(Name="wine", SecretString=SECRET)["ARN"]
    return dict(zip(NAMES, ("", SECRET, "ssm:/wine/key", arn), strict=True))


def make_packages(package: Package, keys: Mapping[str, str]) -> list[Package]:
    """Return the same package once for each key."""
    return [
        package._replace(
            name=name,
            request=Request("/classify", {"data": ".10"}),
            variables={"MODEL_URL": URL} | ({"MODEL_SIGNING_KEY": key} if key else {}),
        )
        for name, key in keys.items()
    ]


def measure_table(packages: list[Package], variables: Mapping[str, str], runs: int) -> str:
    """Return a table of the processor's time of cold starts; runs have them in random order."""
    times: dict[str, list[float]] = {package.name: [] for package in packages}
    for run in range(runs):
        for package in random.Random(run).sample(packages, len(packages)):
            with start(package, variables) as function:
                make_sender(function, package.request)()
                times[package.name].append(1000 * function.processor_seconds)
    means = {name: statistics.fmean(values) for name, values in times.items()}
    rows = [
        [name, f"{mean:.0f}", "" if name == BASELINE else f"{mean - means[BASELINE]:+.0f}"]
        for name, mean in means.items()
    ]
    rows.append(["TLS, for either reference", "", f"{1000 * tls_seconds(runs):+.0f}"])
    headers = ["key", "processor's time of a cold start, ms", "more, ms"]
    return tabulate(rows, headers, tablefmt="github", disable_numparse=True)


def tls_seconds(runs: int) -> float:
    """Return the processor's time to set up TLS in a new process."""
    command = [sys.executable, "-c", TLS]
    return statistics.median(
        float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        for _ in range(runs)
    )


if __name__ == "__main__":
    main()
