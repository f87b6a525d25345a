"""Runs a classifier as scikit-learn's own estimator: the fallback for what ONNX cannot express.

The file is a ``.skops`` archive, audited before anything in it is built. scikit-learn and skops are
imported here only, when a model needs them; a function may be packaged without them.
"""

from __future__ import annotations

import warnings
from array import array
from typing import TYPE_CHECKING, Any

from chalicelib.errors import InvalidArtifact
from chalicelib.inputs.samples import Samples
from chalicelib.inputs.signature import Signature
from chalicelib.runtimes.base import Prediction

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

# What a file may hold beside what skops itself trusts (NumPy's, SciPy's and scikit-learn's public
# types): the private parts of scikit-learn's classifiers and transformers. None of them runs code
# that a file brings; but the compiled ones believe what a file says of their arrays, so that a
# forged file may crash the process. Against that, sign the models.
TRUSTED_TYPES = (
    "numpy.dtype",
    "numpy.mean",
    "scipy.interpolate._bsplines.BSpline",
    "scipy.interpolate._bsplines._BSpline",
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "sklearn.calibration._TemperatureScaling",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.feature_selection._univariate_selection.chi2",
    "sklearn.feature_selection._univariate_selection.f_classif",
    "sklearn.gaussian_process._gpc._BinaryGaussianProcessClassifierLaplace",
    "sklearn.gaussian_process.kernels.CompoundKernel",
    "sklearn.gaussian_process.kernels.ConstantKernel",
    "sklearn.gaussian_process.kernels.DotProduct",
    "sklearn.gaussian_process.kernels.Exponentiation",
    "sklearn.gaussian_process.kernels.ExpSineSquared",
    "sklearn.gaussian_process.kernels.Hyperparameter",
    "sklearn.gaussian_process.kernels.Matern",
    "sklearn.gaussian_process.kernels.Product",
    "sklearn.gaussian_process.kernels.RBF",
    "sklearn.gaussian_process.kernels.RationalQuadratic",
    "sklearn.gaussian_process.kernels.Sum",
    "sklearn.gaussian_process.kernels.WhiteKernel",
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
    "sklearn.model_selection._split.StratifiedKFold",
    "sklearn.multiclass._ConstantPredictor",
    "sklearn.neighbors._ball_tree.BallTree",
    "sklearn.neighbors._kd_tree.KDTree",
    "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
    "sklearn.neural_network._stochastic_optimizers.SGDOptimizer",
    "sklearn.tree._tree.Tree",
    "sklearn.utils._bunch.Bunch",
    "sklearn.utils._metadata_requests.MetadataRequest",
    "sklearn.utils._metadata_requests.MethodMetadataRequest",
)

_LISTED_TYPES = 3


class SklearnClassifier:
    """A fitted scikit-learn classifier.

    Parameters
    ----------
    artifact : bytes
        A ``.skops`` file.
    signature : Signature
        What it takes.
    fitted_with : str
        The version of scikit-learn that fitted it.

    Raises
    ------
    InvalidArtifact
        If scikit-learn is not there or of another version than the one that fitted it, or the
        file holds a type that is not allowed.
    """

    def __init__(self, artifact: bytes, signature: Signature, fitted_with: str) -> None:
        try:
            import sklearn
            import skops.io
        except ImportError as error:
            raise InvalidArtifact(
                "The model needs scikit-learn and skops, which this function was packaged without:"
                " package it with RUNTIME=sklearn."
            ) from error
        if sklearn.__version__ != fitted_with:
            raise InvalidArtifact(
                f"The model was fitted with scikit-learn {fitted_with}, and this function has "
                f"{sklearn.__version__}: publish it anew, or package that version."
            )
        try:
            audit(artifact)
            self._estimator: Any = skops.io.loads(artifact, trusted=list(TRUSTED_TYPES))
        except InvalidArtifact:
            raise
        except Exception as error:  # a file that is not as skops writes it may raise anything
            raise InvalidArtifact(
                f"skops cannot load the model: {type(error).__name__}."
            ) from error
        self._signature = signature

    def predict(self, samples: Samples) -> Prediction:
        """Classify samples.

        Parameters
        ----------
        samples : Samples
            The samples.

        Returns
        -------
        Prediction
        """
        import numpy as np

        shape = samples.rows, -1
        numbers = np.frombuffer(samples.numbers).reshape(shape)
        texts = np.array(samples.texts, dtype=np.object_).reshape(shape)
        X = build_matrix(numbers, texts, self._signature)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # such as that X has no names for its features
            labels = [str(label) for label in self._estimator.predict(X).tolist()]
            if not self._signature.has_probabilities:
                return Prediction(labels, None)
            probabilities = self._estimator.predict_proba(X)
        return Prediction(labels, array("d", probabilities.astype(np.float64).tobytes()))


def audit(artifact: bytes) -> None:
    """Refuse a file that holds a type which is not allowed, before anything in it is built.

    Parameters
    ----------
    artifact : bytes
        A ``.skops`` file.

    Raises
    ------
    InvalidArtifact
        If it holds such a type.
    """
    import skops.io

    foreign = sorted(set(skops.io.get_untrusted_types(data=artifact)) - set(TRUSTED_TYPES))
    if foreign:
        listed = ", ".join(name[:100] for name in foreign[:_LISTED_TYPES])
        raise InvalidArtifact(f"The file holds types that are not allowed: {listed}.")


def build_matrix(
    numbers: npt.NDArray[np.float64], texts: npt.NDArray[np.object_], signature: Signature
) -> npt.NDArray[Any]:
    """Join numbers and texts again, as an estimator takes them.

    Parameters
    ----------
    numbers : numpy.ndarray of float64
        Shape (samples, features that are not text), NaN where a value is missing.
    texts : numpy.ndarray of object
        Shape (samples, features that are text), None where a value is missing.
    signature : Signature
        Which feature is what.

    Returns
    -------
    numpy.ndarray
        Shape (samples, features): of float64 if all features are numeric, else of objects, with
        NaN for what is missing. A fitted `ColumnTransformer` takes either by position.
    """
    import numpy as np

    if signature.takes_only_numeric:
        return numbers
    X = np.empty((len(numbers), len(signature.features)), dtype=np.object_)
    for column, position in enumerate(signature.number_indices):
        kind = signature.features[position].kind
        X[:, position] = [_as_kind(value, kind) for value in numbers[:, column].tolist()]
    X[:, signature.text_indices] = np.where(texts == None, np.nan, texts)  # noqa: E711
    return X


def _as_kind(value: float, kind: str) -> float | int | bool:
    if value != value or kind == "numeric":  # NaN is missing
        return value
    return bool(value) if kind == "boolean" else int(value)
