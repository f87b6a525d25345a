"""Run the named clients, or all of them, against `chalice local`: `make clients`."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.support.environment import create_environment
from tests.support.models import publish_to_folder
from tests.support.processes import Server
from training.artifact import build_artifact
from training.wine.dataset import wine
from training.wine.estimators import wine_pipeline

CLIENTS = Path(__file__).parent
SAMPLES = 5


def main(names: list[str]) -> int:
    """Run clients and return 1 if any of them failed."""
    names = names or sorted(path.stem for path in CLIENTS.glob("*.txt"))
    failed = []
    with tempfile.TemporaryDirectory() as folder:
        wines, store_url = publish_wine_model(Path(folder))
        server = Server(f"MODEL_URL={store_url}")
        try:
            for name in names:
                process = run_client(name, server.port, wines)
                if process.returncode:
                    failed.append(name)
                    print(process.stdout)
                outcome = "failed" if process.returncode else "works unmodified"
                print(f"{name:25} {outcome}", flush=True)
        finally:
            server.stop()
    print(f"{len(names) - len(failed)} of {len(names)} clients work unmodified")
    return 1 if failed else 0


def publish_wine_model(folder: Path) -> tuple[dict[str, object], str]:
    """Publish the wine model; return samples with scikit-learn's predictions, and the store."""
    X, y, names = wine()
    estimator = wine_pipeline().fit(X, y)
    built = build_artifact(estimator, X, y, name="wine", feature_names=names)
    registry = publish_to_folder(built, folder)
    samples = X[:: len(X) // SAMPLES][:SAMPLES]
    wines: dict[str, object] = {
        "names": names,
        "samples": samples.tolist(),
        "labels": [str(label) for label in estimator.predict(samples)],
        "probabilities": estimator.predict_proba(samples).tolist(),
        "version": built.version,
    }
    return wines, registry.url


def run_client(name: str, port: int, wines: dict[str, object]) -> subprocess.CompletedProcess[str]:
    """Run a client in its environment."""
    python = create_environment(CLIENTS / f"{name}.txt") / "python"
    return subprocess.run(
        [python, "-W", "ignore", CLIENTS / f"{name}.py", str(port)],
        input=json.dumps(wines),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        cwd=tempfile.gettempdir(),
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
