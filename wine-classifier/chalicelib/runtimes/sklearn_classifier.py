"""Classifiers run by scikit-learn itself: the fallback for estimators that ONNX cannot express.

The artifact is a ``.skops`` archive, audited before any object in it is built. scikit-learn and
skops are imported only when a model needs them: a function may be packaged without them.
"""

from __future__ import annotations

import io
import json
import warnings
import zipfile
from array import array
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from chalicelib.errors import BodyTooLarge, InvalidArtifact
from chalicelib.inputs.samples import Samples
from chalicelib.inputs.signature import Feature, Signature
from chalicelib.runtimes.base import Prediction
from chalicelib.runtimes.skops_audit import check_objects, check_size

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

# The private parts of scikit-learn's classifiers and transformers. skops itself trusts the public
# types of NumPy, SciPy and scikit-learn. No type here runs code from the file. The compiled types
# trust the file's array sizes, so a forged file may crash the process; signed models prevent that.
TRUSTED_TYPES = (
    "builtins.object",
    "functools.partial",
    "numpy.dtype",
    "numpy.mean",
    "numpy.number",
    "scipy.interpolate._bsplines.BSpline",
    "scipy.interpolate._bsplines._BSpline",
    "scipy.sparse._csc.csc_array",
    "scipy.sparse._csc.csc_matrix",
    "scipy.sparse._csr.csr_array",
    "scipy.sparse._csr.csr_matrix",
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "sklearn.calibration._TemperatureScaling",
    "sklearn.compose._column_transformer.make_column_selector",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.feature_selection._univariate_selection.chi2",
    "sklearn.feature_selection._univariate_selection.f_classif",
    "sklearn.gaussian_process._gpc._BinaryGaussianProcessClassifierLaplace",
    "sklearn.gaussian_process.kernels.CompoundKernel",
    "sklearn.gaussian_process.kernels.ConstantKernel",
    "sklearn.gaussian_process.kernels.DotProduct",
    "sklearn.gaussian_process.kernels.ExpSineSquared",
    "sklearn.gaussian_process.kernels.Exponentiation",
    "sklearn.gaussian_process.kernels.Hyperparameter",
    "sklearn.gaussian_process.kernels.Matern",
    "sklearn.gaussian_process.kernels.Product",
    "sklearn.gaussian_process.kernels.RBF",
    "sklearn.gaussian_process.kernels.RationalQuadratic",
    "sklearn.gaussian_process.kernels.Sum",
    "sklearn.gaussian_process.kernels.WhiteKernel",
    "sklearn.impute._iterative.IterativeImputer",
    "sklearn.impute._iterative._ImputerTriplet",
    "sklearn.metrics._classification.accuracy_score",
    "sklearn.metrics._classification.balanced_accuracy_score",
    "sklearn.metrics._classification.f1_score",
    "sklearn.metrics._dist_metrics.ChebyshevDistance64",
    "sklearn.metrics._dist_metrics.EuclideanDistance64",
    "sklearn.metrics._dist_metrics.ManhattanDistance64",
    "sklearn.metrics._dist_metrics.MinkowskiDistance64",
    "sklearn.metrics._scorer._CurveScorer",
    "sklearn.metrics._scorer._PassthroughScorer",
    "sklearn.metrics._scorer._Scorer",
    "sklearn.model_selection._split.GroupKFold",
    "sklearn.model_selection._split.KFold",
    "sklearn.model_selection._split.LeaveOneOut",
    "sklearn.model_selection._split.RepeatedKFold",
    "sklearn.model_selection._split.RepeatedStratifiedKFold",
    "sklearn.model_selection._split.ShuffleSplit",
    "sklearn.model_selection._split.StratifiedKFold",
    "sklearn.model_selection._split.StratifiedShuffleSplit",
    "sklearn.model_selection._split.TimeSeriesSplit",
    "sklearn.multiclass._ConstantPredictor",
    "sklearn.neighbors._ball_tree.BallTree",
    "sklearn.neighbors._kd_tree.KDTree",
    "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
    "sklearn.neural_network._stochastic_optimizers.SGDOptimizer",
    "sklearn.tree._tree.Tree",
    "sklearn.utils._bunch.Bunch",
    "sklearn.utils._metadata_requests.MetadataRequest",
    "sklearn.utils._metadata_requests.MethodMetadataRequest",
    "sklearn.utils.validation.check_array",
)

# A partial object calls any trusted function or class with arguments from the file. scikit-learn's
# histogram boosting needs one of this function, which only checks an array.
_PARTIAL_FUNCTION = ("sklearn.utils.validation", "check_array", "FunctionNode")

_LISTED_TYPES = 3

# About a second of scikit-learn's vectorizers, with a few n-grams at each character.
MAX_TEXT_CHARACTERS = 1_000_000


class SklearnClassifier:
    """A fitted scikit-learn classifier; raises `InvalidArtifact` if it cannot be loaded safely.

    Parameters
    ----------
    artifact : bytes
        A ``.skops`` archive.
    signature : Signature
        The model's signature.
    sklearn_version : str
        The version of scikit-learn that fitted the model; the installed version must be the same.
    """

    def __init__(self, artifact: bytes, signature: Signature, sklearn_version: str) -> None:
        try:
            import sklearn
            import skops.io
        except ImportError as error:
            raise InvalidArtifact(
                "missing runtime",
                "The model needs scikit-learn and skops, which this function was packaged without:"
                " package it with RUNTIME=sklearn.",
            ) from error
        if sklearn.__version__ != sklearn_version:
            raise InvalidArtifact(
                "other scikit-learn",
                f"The model was fitted with scikit-learn {sklearn_version}, and this function has "
                f"{sklearn.__version__}: fit and publish it again, or package that version.",
            )
        try:
            check_size(artifact)
            audit(artifact)
            self._estimator: Any = skops.io.loads(artifact, trusted=list(TRUSTED_TYPES))
            check_objects(self._estimator)
        except InvalidArtifact:
            raise
        except Exception as error:  # a malformed archive may raise anything
            raise InvalidArtifact(
                "not loadable", f"skops cannot load the model: {type(error).__name__}."
            ) from error
        self._signature = signature
        self.runtime = f"scikit-learn {sklearn_version}"

    @staticmethod
    def check_cost(samples: Samples) -> None:
        """Raise `BodyTooLarge` if the samples' texts take too long for one request."""
        if sum(len(text) for text in samples.texts if text) > MAX_TEXT_CHARACTERS:
            raise BodyTooLarge("The texts of a request", MAX_TEXT_CHARACTERS, "characters")

    def predict(self, samples: Samples) -> Prediction:
        """Classify samples."""
        import numpy as np

        shape = samples.rows, -1
        numbers = np.frombuffer(samples.numbers).reshape(shape)
        texts = np.array(samples.texts, dtype=np.object_).reshape(shape)
        X = build_matrix(numbers, texts, self._signature)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # such as the one for missing feature names
            labels = [str(label) for label in self._estimator.predict(X).tolist()]
            if not self._signature.has_probabilities:
                return Prediction(labels, None)
            probabilities = self._estimator.predict_proba(X)
        return Prediction(labels, array("d", probabilities.astype(np.float64).tobytes()))


def audit(artifact: bytes) -> None:
    """Raise `InvalidArtifact` if an archive holds a type that is not allowed; build no object."""
    untrusted = find_untrusted(artifact)
    if untrusted:
        listed = ", ".join(name[:100] for name in untrusted[:_LISTED_TYPES])
        raise InvalidArtifact(
            "untrusted types", f"The file holds types that are not allowed: {listed}."
        )


def find_untrusted(artifact: bytes) -> list[str]:
    """Return the sorted names of the types in an archive that are not allowed."""
    import skops.io

    untrusted = set(skops.io.get_untrusted_types(data=artifact)) - set(TRUSTED_TYPES)
    with zipfile.ZipFile(io.BytesIO(artifact)) as archive:
        schema = json.loads(archive.read("schema.json"))
    if not all(map(_is_allowed_partial, _partial_nodes(schema))):
        untrusted.add("functools.partial of another function")
    return sorted(untrusted)


def _partial_nodes(schema: Any) -> Iterator[dict[str, Any]]:
    """Yield the nodes of a schema from which skops makes partial objects, whatever their class."""
    waiting = [schema]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            is_partial = (node.get("__module__"), node.get("__class__")) == ("functools", "partial")
            if is_partial or node.get("__loader__") == "PartialNode":
                yield node
            waiting += node.values()
        elif isinstance(node, list):
            waiting += node


def _is_allowed_partial(node: dict[str, Any]) -> bool:
    content = node.get("content")
    function = content.get("func") if isinstance(content, dict) else None
    if node.get("__loader__") != "PartialNode" or not isinstance(function, dict):
        return False
    keys = ("__module__", "__class__", "__loader__")
    return tuple(function.get(key) for key in keys) == _PARTIAL_FUNCTION


def build_matrix(
    numbers: npt.NDArray[np.float64], texts: npt.NDArray[np.object_], signature: Signature
) -> npt.NDArray[Any]:
    """Merge the columns of numbers and of text into the matrix that an estimator expects.

    Parameters
    ----------
    numbers : numpy.ndarray of float64
        Shape (samples, features that are not text), NaN where a value is missing.
    texts : numpy.ndarray of object
        Shape (samples, features that are text), None where a value is missing.
    signature : Signature
        The model's signature.

    Returns
    -------
    numpy.ndarray
        Shape (samples, columns that the estimator was fitted on), or (samples,) of a sequence of
        texts: float64 if every feature is numeric, else objects. A missing value is NaN, or None
        where the training data has None. Columns that the estimator drops are NaN.
    """
    import numpy as np

    unused = signature.unused_columns
    if signature.takes_only_numeric and not unused:
        return numbers
    width = len(signature.features) + len(unused)
    used = [column for column in range(width) if column not in unused]
    if signature.takes_only_numeric:
        X = np.full((len(numbers), width), np.nan)
        X[:, used] = numbers
        return X
    X = np.full((len(numbers), width), np.nan, dtype=np.object_)
    for column, index in enumerate(signature.number_indices):
        feature = signature.features[index]
        X[:, used[index]] = [_to_kind(value, feature) for value in numbers[:, column].tolist()]
    for column, index in enumerate(signature.text_indices):
        X[:, used[index]] = texts[:, column]
        if not signature.features[index].missing_is_none:
            X[texts[:, column] == None, used[index]] = np.nan  # noqa: E711
    return X[:, 0] if signature.is_text_sequence else X


def _to_kind(value: float, feature: Feature) -> float | int | bool | None:
    if value != value:  # NaN: missing
        return None if feature.missing_is_none else value
    if feature.kind == "numeric":
        return value
    return bool(value) if feature.kind == "boolean" else int(value)
