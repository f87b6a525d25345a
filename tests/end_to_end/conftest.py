"""Fixtures that start make, servers and functions as a user does."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import boto3
import pytest

from deployment.emulator.function import Function, remove_package, unpack_package
from tests.support.lambda_function import StartFunction, make_package
from tests.support.models import WineModel
from tests.support.once import lock
from tests.support.processes import Process, Server, StartServer
from training.registry import ModelRegistry


@pytest.fixture(scope="module")
def start_server() -> Iterator[StartServer]:
    """Return a function that starts a server, which stops after the module's tests."""
    servers = []

    def start(*arguments: str, **environment: str) -> Server:
        servers.append(Server(*arguments, **environment))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


@pytest.fixture(scope="module")
def server(start_server: StartServer, shared_folder: Path) -> Server:
    """A server that `make serve` started with defaults; the first one trains the wine model."""
    with lock(shared_folder / "model-store.lock"):
        return start_server()


@pytest.fixture
def run_make() -> Iterator[Callable[..., Process]]:
    """Return a function that runs make to its end."""
    processes = []

    def run(*arguments: str, **environment: str) -> Process:
        processes.append(Process(*arguments, **environment))
        processes[-1].wait()
        return processes[-1]

    yield run
    for process in processes:
        process.stop()


@pytest.fixture(scope="session")
def package(shared_folder: Path) -> Path:
    """The package of stage dev."""
    return make_package("dev", shared_folder) / "deployment.zip"


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Path], Path]]:
    """Unzip packages to read-only folders."""
    folders = []

    def unpack(package: Path) -> Path:
        folders.append(unpack_package(package, tmp_path_factory.mktemp("task") / "task"))
        return folders[-1]

    yield unpack
    for folder in folders:
        remove_package(folder)


@pytest.fixture(scope="module")
def code(package: Path, unpacked: Callable[[Path], Path]) -> Path:
    """The package, unzipped."""
    return unpacked(package)


@pytest.fixture
def start_function() -> Iterator[StartFunction]:
    """Start functions that stop after the test."""
    functions = []

    def start(code: Path, **environment: str) -> Function:
        functions.append(Function(code, environment))
        return functions[-1]

    yield start
    for function in functions:
        function.stop()


@pytest.fixture
def empty_store(s3_environment: dict[str, str]) -> ModelRegistry:
    """A model store on S3, in a bucket that is new."""
    bucket = f"models-{os.urandom(4).hex()}"
    location = {"LocationConstraint": "eu-central-1"}
    boto3.client("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration=location)
    return ModelRegistry(f"s3://{bucket}/wine")


@pytest.fixture
def store(empty_store: ModelRegistry, trained: WineModel) -> ModelRegistry:
    """A model store on S3, with the wine model live."""
    empty_store.publish(trained.built.artifact)
    return empty_store
