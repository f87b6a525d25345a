"""Linear and quadratic discriminant analysis: sklearn.discriminant_analysis."""

from __future__ import annotations

import numpy as np
from sklearn.discriminant_analysis import (
    LinearDiscriminantAnalysis,
    QuadraticDiscriminantAnalysis,
)

from training.export.converters.linear_model import logistic_outputs
from training.export.converters.outputs import Outputs, from_log_likelihoods
from training.export.converters.registry import converts
from training.export.converters.tensor import Tensor, concatenate


@converts(LinearDiscriminantAnalysis)
def _linear_discriminant_analysis(estimator: LinearDiscriminantAnalysis, X: Tensor) -> Outputs:
    return logistic_outputs(estimator, X)


@converts(QuadraticDiscriminantAnalysis)
def _quadratic_discriminant_analysis(
    estimator: QuadraticDiscriminantAnalysis, X: Tensor
) -> Outputs:
    squared_norms = []
    parameters = zip(estimator.means_, estimator.rotations_, estimator.scalings_, strict=True)
    for mean, rotation, scaling in parameters:
        whitened = (X - mean) @ (rotation * scaling**-0.5)
        squared_norms.append((whitened * whitened).sum())
    log_determinants = np.array([np.sum(np.log(scaling)) for scaling in estimator.scalings_])
    log_priors = np.log(estimator.priors_)
    log_likelihoods = (concatenate(squared_norms) + log_determinants) * -0.5 + log_priors
    return from_log_likelihoods(log_likelihoods, len(estimator.classes_))
