"""Run every foreign client against `chalice local`, or those that are named: `make clients`."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.support.environment import environment
from tests.support.processes import Server
from training.artifact import build_artifact
from training.registry import ModelRegistry
from training.wine.dataset import wine
from training.wine.estimators import wine_pipeline

HERE = Path(__file__).parent
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
    store = ModelRegistry(folder)
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
    python = environment(HERE / f"{name}.txt") / "python"
    return subprocess.run(
        [python, "-W", "ignore", HERE / f"{name}.py", str(port)],
        input=json.dumps(wines),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        cwd=tempfile.gettempdir(),
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
