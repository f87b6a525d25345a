"""The command line: ``python -m deployment package`` and ``python -m deployment deploy``."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from deployment.chalice_project import PLACEHOLDER, Project, copied
from deployment.errors import PackagingError
from deployment.package.archive import Size, check_size, write_zip
from deployment.package.bytecode import compile_all
from deployment.package.elf import check_shared_objects
from deployment.package.pruning import prune
from deployment.package.wheels import fetch, unpack
from deployment.sam_template import write_template
from deployment.target import ARCHITECTURES, RUNTIME, RUNTIMES, UPLOAD_BYTES, architecture, runtime

ROOT = Path(__file__).parent.parent
APP = ROOT / "wine-classifier"
DIST = ROOT / "dist"
REFUSED = 2


def main() -> int:
    """Do what the command line says.

    Returns
    -------
    int
        The exit code.
    """
    parser = argparse.ArgumentParser(prog="deployment", description="Package and deploy the app.")
    parser.add_argument("command", choices=["package", "deploy"])
    parser.add_argument("--stage", required=True)
    parser.add_argument("--arch", default="x86_64", help=" or ".join(ARCHITECTURES))
    parser.add_argument("--runtime", default="onnx", help=" or ".join(RUNTIMES))
    parser.add_argument("--bucket", help=f"what stands for {PLACEHOLDER} in the configuration")
    parser.add_argument("--api-key", action="store_true", help="let the API ask for a key")
    parser.add_argument("--project", type=Path, default=APP, help="the Chalice project's folder")
    parser.add_argument("--out", type=Path, help="a folder; else dist/STAGE")
    options = parser.parse_args()
    try:
        ship(options)
    except PackagingError as error:
        print(f"{options.command}: {error}", file=sys.stderr)
        return REFUSED
    return 0


def ship(options: argparse.Namespace) -> None:
    """Make the package, then the template or the function.

    Parameters
    ----------
    options : argparse.Namespace
        What the command line says.

    Raises
    ------
    PackagingError
        If the package would not work on Lambda, or cannot be made.
    """
    target, runs = architecture(options.arch), runtime(options.runtime)
    out = options.out or DIST / options.stage
    requirements = ROOT / runs.requirements
    package = out / "deployment.zip"
    package.unlink(missing_ok=True)  # so that no older one is taken for this one
    with copied(options.project, options.stage, target, requirements, options.bucket) as project:
        if options.command == "deploy":
            check_deployable(project, runs.goes_through_s3, options.api_key)
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch)
            unpack(fetch(requirements, target, DIST / ".wheels"), folder)
            project.unpack_app(folder)
            prune(folder, runs.name)
            count = check_shared_objects(folder, target)
            compile_all(folder)
            size = write_zip(folder, package)
        try:
            check_size(size, runs)
        except PackagingError:
            package.unlink()
            raise
        project.take(package)
        say_what_was_made(package, size, count, target.name)
        if options.command == "package":
            write_template(project, options.stage, options.api_key, out / "sam.json")
        else:
            print(project.run_chalice("deploy"), end="")


def check_deployable(project: Project, goes_through_s3: bool, api_key: bool) -> None:
    """Refuse what `chalice deploy` would send in vain.

    Parameters
    ----------
    project : Project
        What is deployed.
    goes_through_s3 : bool
        Whether the package may be too large for it.
    api_key : bool
        Whether requests have to bring an API key, which Chalice cannot set up.

    Raises
    ------
    PackagingError
    """
    if goes_through_s3:
        raise PackagingError(
            "This runtime's package goes through S3: use make package and sam deploy."
        )
    if api_key:
        raise PackagingError("Chalice cannot set up an API key: use make package and sam deploy.")
    if PLACEHOLDER in (project.folder / ".chalice" / "config.json").read_text():
        raise PackagingError(
            f"Say where the models are: BUCKET=name, for {PLACEHOLDER} in .chalice/."
        )


def say_what_was_made(package: Path, size: Size, shared_objects: int, arch: str) -> None:
    """Print one line about a package, and another if it cannot be sent to Lambda itself.

    Parameters
    ----------
    package : Path
        Where it is.
    size : Size
        How large it is.
    shared_objects : int
        How many it holds.
    arch : str
        What it runs on.
    """
    where = package.relative_to(ROOT) if package.is_relative_to(ROOT) else package
    print(
        f"{where}: {size.zipped / 1e6:.1f} MB, {size.unzipped / 1e6:.1f} MB unzipped, "
        f"{RUNTIME} on {arch}, {shared_objects} shared objects checked"
    )
    if size.zipped > UPLOAD_BYTES:
        print("It is over what Lambda takes directly, so it goes through S3: use sam deploy.")


if __name__ == "__main__":
    sys.exit(main())
