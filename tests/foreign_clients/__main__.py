"""Run every foreign client against `chalice local`, or those that are named: `make clients`."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.conftest import ROOT
from tests.end_to_end.conftest import Server
from training.artifact import build_artifact
from training.dataset import wine
from training.pipeline import wine_pipeline
from training.store import WritableStore

HERE = Path(__file__).parent
ENVIRONMENTS = ROOT / ".tools" / "clients"
WINES = 5


def main(names: list[str]) -> int:
    """Run clients and count those that failed.

    Parameters
    ----------
    names : list of str
        Which; all if there are none.

    Returns
    -------
    int
        The exit code.
    """
    names = names or sorted(path.stem for path in HERE.glob("*.txt"))
    failed = []
    with tempfile.TemporaryDirectory() as folder:
        wines, url = publish(folder)
        server = Server(f"MODEL_URL={url}")
        try:
            for name in names:
                done = run(name, server.port, wines)
                if done.returncode:
                    failed.append(name)
                    print(done.stdout)
                outcome = "failed" if done.returncode else "works unmodified"
                print(f"{name:25} {outcome}", flush=True)
        finally:
            server.stop()
    print(f"{len(names) - len(failed)} of {len(names)} clients work unmodified")
    return 1 if failed else 0


def publish(folder: str) -> tuple[dict[str, object], str]:
    """Publish the wine model, and say which wines to ask about and what scikit-learn says."""
    X, y, names = wine()
    estimator = wine_pipeline().fit(X, y)
    store = WritableStore(folder)
    built = build_artifact(estimator, X, y, name="wine", feature_names=names)
    store.publish(built.artifact)
    asked = X[:: len(X) // WINES][:WINES]
    wines: dict[str, object] = {
        "names": names,
        "samples": asked.tolist(),
        "labels": [str(label) for label in estimator.predict(asked)],
        "probabilities": estimator.predict_proba(asked).tolist(),
        "version": built.version,
    }
    return wines, store.url


def run(name: str, port: int, wines: dict[str, object]) -> subprocess.CompletedProcess[str]:
    """Run a client in its environment."""
    return subprocess.run(
        [str(environment(name)), "-W", "ignore", str(HERE / f"{name}.py"), str(port)],
        input=json.dumps(wines),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        cwd=tempfile.gettempdir(),
    )


def environment(name: str) -> Path:
    """Make a client's environment, unless there is one with the same requirements."""
    requirements = HERE / f"{name}.txt"
    state = hashlib.sha256(requirements.read_bytes()).hexdigest()[:12]
    folder = ENVIRONMENTS / f"{name}-{state}"
    done = folder / ".done"
    if not done.exists():
        uv = os.environ.get("UV", "uv")
        python = f"{sys.version_info[0]}.{sys.version_info[1]}"
        make = [uv, "venv", "--quiet", "--allow-existing", "--python", python, str(folder)]
        fill = [uv, "pip", "install", "--quiet", "--python", str(folder), "-r", str(requirements)]
        for command in (make, fill):
            subprocess.run(command, check=True, cwd=ROOT)
        done.touch()
    return folder / "bin" / "python"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
