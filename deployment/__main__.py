"""The command line: ``python -m deployment package``, ``deploy`` and ``delete``."""

from __future__ import annotations

import argparse
import shlex
import sys
import tempfile
from pathlib import Path

from deployment import access, front_doors, snapstart
from deployment.chalice_project import DEFAULT_NAME, PLACEHOLDER, Project, temporary_copy
from deployment.errors import PackagingError
from deployment.limits import set_limits
from deployment.package.archive import Size, check_size, write_zip
from deployment.package.bundle import write_bundle
from deployment.package.bytecode import compile_all
from deployment.package.elf import check_shared_objects
from deployment.package.licences import add_licences
from deployment.package.pruning import prune
from deployment.package.sbom import read_components, write_sbom
from deployment.package.wheels import fetch, unpack
from deployment.sam_template import write_template
from deployment.target import (
    ARCHITECTURES,
    PYTHON_RUNTIME,
    RUNTIMES,
    UPLOAD_BYTES,
    Architecture,
    Runtime,
    get_architecture,
    get_runtime,
)

ROOT = Path(__file__).parent.parent
APP = ROOT / "wine-classifier"
DIST = ROOT / "dist"
SBOM = "sbom.json"
EXIT_REJECTED = 2
PACKAGED_STAGE = "prod"  # whose stack has a bucket
CLOSED = "make package STAGE=prod, then sam deploy"


def main() -> int:
    """Run the command line and return its exit code."""
    parser = argparse.ArgumentParser(prog="deployment", description="Package and deploy the app.")
    parser.add_argument("command", choices=["package", "deploy", "delete"])
    parser.add_argument("--stage", required=True, help="the Chalice stage: dev or prod")
    parser.add_argument(
        "--name", default=DEFAULT_NAME, help="the name of the function, its API and its models"
    )
    parser.add_argument("--arch", default="x86_64", help=" or ".join(ARCHITECTURES))
    parser.add_argument("--runtime", default="onnx", help=" or ".join(RUNTIMES))
    parser.add_argument("--bucket", help=f"replaces {PLACEHOLDER} in .chalice/")
    parser.add_argument(
        "--auth",
        help=f"{', '.join(access.ACCESS)}: who may send requests (package: {access.KEY})",
    )
    parser.add_argument(
        "--unsigned", action="store_true", help="let stage prod serve models without a signature"
    )
    parser.add_argument(
        "--bulk", action="store_true", help="add the function that scores files (package of prod)"
    )
    parser.add_argument(
        "--url", help=f"{', '.join(front_doors.FRONT_DOORS)}: what receives requests (package)"
    )
    parser.add_argument("--tracing", action="store_true", help="trace requests with X-Ray")
    parser.add_argument(
        "--snapstart", action="store_true", help="restore instances from a snapshot (package)"
    )
    parser.add_argument("--cors-origins", help="CORS_ORIGINS of the stage")
    parser.add_argument("--project", type=Path, default=APP, help="the Chalice project's folder")
    parser.add_argument("--out", type=Path, help="the output folder (default: dist/STAGE)")
    options = parser.parse_args()
    try:
        build(options)
    except PackagingError as error:
        print(f"{options.command}: {error}", file=sys.stderr)
        return EXIT_REJECTED
    return 0


def build(options: argparse.Namespace) -> None:
    """Build the package, then write the SAM template or deploy; or delete what was deployed.

    Raises `PackagingError` if the package cannot be built, or would not work on Lambda.
    """
    target, runtime = get_architecture(options.arch), get_runtime(options.runtime)
    url = front_doors.get(options.url)
    if options.command == "deploy":
        auth = access.get(options.auth, access.PUBLIC)
    else:
        auth = front_doors.get_access(url, options.auth)
    if url != front_doors.REST and (options.command, options.stage) != ("package", PACKAGED_STAGE):
        raise PackagingError(f"URL={url} needs make package STAGE={PACKAGED_STAGE}.")
    if options.snapstart:
        snapstart.check_command(options.command)
    out = options.out or DIST / options.stage
    requirements = ROOT / runtime.requirements
    package = out / "deployment.zip"
    if options.bulk and (options.command, options.stage) != ("package", PACKAGED_STAGE):
        raise PackagingError(f"BULK=yes needs make package STAGE={PACKAGED_STAGE}, for its bucket.")
    if options.command != "delete":
        for path in (package, out / SBOM):  # a failed build leaves no older package behind
            path.unlink(missing_ok=True)
    with temporary_copy(
        options.project,
        options.stage,
        target,
        requirements,
        options.bucket,
        options.name,
        options.cors_origins,
        bulk=options.bulk,
    ) as project:
        if options.command == "delete":
            print(project.run_chalice("delete"), end="")
            return
        if options.command == "deploy":
            check_deployable(project, runtime.requires_s3_upload, auth)
        size, count = write_package(project, target, runtime, package, options.name)
        project.install_package(package)
        print_summary(package, size, count, target.name)
        if options.command == "package":
            write_template(
                project,
                options.stage,
                out / "sam.json",
                auth=auth,
                unsigned=options.unsigned,
                tracing=options.tracing,
                url=url,
                restores_snapshots=options.snapstart,
            )
            print(front_doors.describe(url, auth))
            print_next_step(out / "sam.json", options.name, options.stage)
        else:
            print(project.run_chalice("deploy"), end="")
            set_limits(project, options.stage)


def write_package(
    project: Project, target: Architecture, runtime: Runtime, package: Path, name: str
) -> tuple[Size, int]:
    """Write the zip, and its bill of materials beside it.

    Return the size of the zip and the number of shared objects in it.
    """
    requirements = ROOT / runtime.requirements
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        wheels = fetch(requirements, target, DIST / ".wheels")
        unpack(wheels, folder)
        components = read_components(folder, wheels)
        project.unpack_app(folder)
        prune(folder, runtime.name, bulk=project.bulk)
        add_licences(folder)
        count = check_shared_objects(folder, target)
        compile_all(folder)
        write_bundle(folder)
        size = write_zip(folder, package)
        try:
            check_size(size, runtime)
        except PackagingError:
            package.unlink()
            raise
        write_sbom(package, folder, components, name, package.with_name(SBOM))
    return size, count


def check_deployable(project: Project, requires_s3_upload: bool, auth: str) -> None:
    """Raise `PackagingError` for a deployment that `chalice deploy` cannot make."""
    if requires_s3_upload:
        raise PackagingError(
            "This runtime's package has to be uploaded through S3: use make package and sam deploy."
        )
    if auth != access.PUBLIC:
        raise PackagingError(f"Chalice cannot set up an API key or IAM: {CLOSED}.")
    if PLACEHOLDER in (project.folder / ".chalice" / "config.json").read_text():
        raise PackagingError(
            f"BUCKET=name is required: the bucket of the models, for {PLACEHOLDER} in .chalice/."
        )


def print_summary(package: Path, size: Size, shared_objects: int, arch: str) -> None:
    """Print the package's path, size and target, and whether it has to go through S3."""
    print(
        f"{_shorten(package)}: {size.zipped / 1e6:.1f} MB, {size.unzipped / 1e6:.1f} MB unzipped, "
        f"{PYTHON_RUNTIME} on {arch}, {shared_objects} shared objects checked"
    )
    if size.zipped > UPLOAD_BYTES:
        print("It is too large for a direct upload, so it goes through S3: use sam deploy.")


def print_next_step(template: Path, name: str, stage: str) -> None:
    """Print the command that deploys a template."""
    stack = name if stage == "prod" else f"{name}-{stage}"
    print(
        f"Deploy it with: sam deploy --template-file {shlex.quote(str(_shorten(template)))} "
        f"--stack-name {stack} --resolve-s3 --capabilities CAPABILITY_IAM"
    )


def _shorten(path: Path) -> Path:
    return path.relative_to(ROOT) if path.is_relative_to(ROOT) else path


if __name__ == "__main__":
    sys.exit(main())
