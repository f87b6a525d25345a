"""The modules that are mutated, and the tests that should notice."""

from __future__ import annotations

from pathlib import Path

from tests.support.paths import ROOT

_SERVER = "wine-classifier/chalicelib"
_FORMATS = (
    *("test_samples", "test_classify", "test_probabilities", "test_invocations"),
    *("test_open_inference", "test_binary_tensors", "test_errors", "test_out_of_range"),
)
_HTTP = ("test_body", "test_events", "test_front_doors", "test_cors", "test_request_log")
_HOSTILE = ("test_changed_requests", "test_request_cost", "test_hostile_requests")
_MODELS = ("test_artifact", "test_slow_models", "test_probabilities", "test_model_memory")
_STORE = ("test_model_store", "test_signing_keys", "test_store_faults", "test_model_memory")
_PROPERTIES = ("properties/test_classify", "properties/test_protocols")
_TEXTS = ("training/test_text_vectorizers", "training/test_categories")
_DESCRIBED = ("test_openapi", "test_disclosure", "test_metrics")
_COMPARED = ("comparison", "categories", "search", "rejections", "skops_export", "inputs")

# The first prefix of a module's path that is here decides. Tests run until one fails: first those
# that are about the module.
_TESTS: dict[str, tuple[str, ...]] = {
    f"{_SERVER}/inputs/text_": (*_TEXTS, *_FORMATS, "test_request_cost"),
    f"{_SERVER}/inputs": (*_FORMATS, *_HOSTILE, *_PROPERTIES, *_DESCRIBED, *_TEXTS),
    f"{_SERVER}/protocols": (*_FORMATS[::-1], *_HOSTILE, *_PROPERTIES, *_HTTP),
    f"{_SERVER}/rest": (*_HTTP, *_FORMATS, *_HOSTILE),
    f"{_SERVER}/models": (*_MODELS, *_FORMATS, *_STORE, *_DESCRIBED, "test_drift"),
    f"{_SERVER}/runtimes/onnx_audit": ("test_hostile_models", "test_artifact"),
    f"{_SERVER}/runtimes/skops_audit": ("test_hostile_skops", "training/test_skops_export"),
    f"{_SERVER}/store": (*_STORE, "test_settings", "test_errors"),
    "training/export/comparison": tuple(f"training/test_{name}" for name in _COMPARED),
}


def find_modules() -> list[str]:
    """Return the paths of all modules that are mutated, relative to the repository."""
    patterns = [f"{prefix}{suffix}" for prefix in _TESTS for suffix in ("*.py", "/**/*.py")]
    paths = {path for pattern in patterns for path in ROOT.glob(pattern)}
    return sorted(path.relative_to(ROOT).as_posix() for path in paths)


def find_tests(path: str) -> list[str]:
    """Return the test files of a module, in the order in which they run."""
    names = next(names for prefix, names in _TESTS.items() if path.startswith(prefix))
    files = [Path("tests", name if "/" in name else f"serving/{name}") for name in names]
    return [file.with_suffix(".py").as_posix() for file in files]
