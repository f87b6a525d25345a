"""The modules that are mutated, and the tests that should notice."""

from __future__ import annotations

from pathlib import Path

from tests.support.paths import ROOT

_SERVER = "wine-classifier/chalicelib"
_FORMATS = (
    *("test_samples", "test_classify", "test_probabilities", "test_invocations"),
    *("test_open_inference", "test_binary_tensors", "test_errors", "test_out_of_range"),
)
_HTTP = (
    *("test_body", "test_health", "test_response_sizes", "test_cors", "test_events"),
    *("test_request_log", "test_added_routes"),
)
_HOSTILE = ("test_changed_requests", "test_request_cost", "test_hostile_requests")
_PROPERTIES = ("properties/test_protocols", "properties/test_classify")

# The first prefix of a module's path that is here decides. Tests run until one fails: first those
# that are about the module, the slow ones last.
_TESTS: dict[str, tuple[str, ...]] = {
    f"{_SERVER}/inputs/text_": (
        *("test_text_encoding", "training/test_text_vectorizers", "test_request_cost"),
    ),
    f"{_SERVER}/inputs": (
        *("test_numbers", "test_columns", "test_suggestions", *_FORMATS, *_HOSTILE),
        *(*_PROPERTIES, "test_openapi"),
    ),
    f"{_SERVER}/protocols": (
        *("test_tensors", "test_csv", *_FORMATS[::-1], "test_added_routes", *_HOSTILE),
        *(*_PROPERTIES, "test_request_log"),
    ),
    f"{_SERVER}/rest": (*_HTTP, *_FORMATS, *_HOSTILE, "test_front_doors", "test_metrics"),
    f"{_SERVER}/models": (
        *("test_artifact", "test_prediction", "test_training_range", "test_slow_models"),
        *("test_model_memory", *_FORMATS, "test_drift", "test_metrics"),
    ),
    f"{_SERVER}/runtimes/onnx_audit": (
        *("test_onnx_audit", "test_onnx_tensors", "test_onnx_sizes", "test_hostile_models"),
        "test_artifact",
    ),
    f"{_SERVER}/runtimes/skops_audit": (
        *("test_hostile_skops", "test_skops_sizes", "training/test_skops_export"),
    ),
    f"{_SERVER}/store": (
        *("test_object_store", "test_model_store", "test_model_store_checks"),
        "test_secret_endpoints",
        *("test_signing_keys", "test_credentials", "test_store_faults", "test_model_memory"),
        *("test_settings", "test_errors"),
    ),
    "training/export/comparison": (
        *("training/test_comparison_samples", "training/test_comparison"),
        "training/test_comparison_limits",
    ),
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
