"""Approximate kernels: sklearn.kernel_approximation."""

from __future__ import annotations

import functools
import operator

import numpy as np
from sklearn.kernel_approximation import (
    AdditiveChi2Sampler,
    Nystroem,
    PolynomialCountSketch,
    RBFSampler,
    SkewedChi2Sampler,
)

from training.export.converters.features import Features, from_tensor
from training.export.converters.kernels import pairwise_kernel
from training.export.converters.preprocessing.scaling import row_of
from training.export.converters.registry import transforms
from training.export.converters.tensor import Tensor, concatenate

# Where the sample interval is not given, scikit-learn takes it from figure 2 c of Vedaldi and
# Zisserman, "Efficient additive kernels via explicit feature maps", 2011.
_INTERVALS = {1: 0.8, 2: 0.5, 3: 0.4}


@transforms(Nystroem)
def _nystroem(nystroem: Nystroem, X: Features) -> Features:
    options = nystroem._get_kernel_params()
    kernel = pairwise_kernel(nystroem, X.numbers(), nystroem.components_, options)
    weights = np.asarray(nystroem.normalization_, dtype=np.float64).T
    return from_tensor(kernel @ weights, weights.shape[1])


@transforms(RBFSampler)
def _rbf_sampler(sampler: RBFSampler, X: Features) -> Features:
    return _random_waves(sampler, X.numbers(), (2.0 / sampler.n_components) ** 0.5)


@transforms(SkewedChi2Sampler)
def _skewed_chi2_sampler(sampler: SkewedChi2Sampler, X: Features) -> Features:
    values = X.numbers()
    X.graph.reject(values <= -float(sampler.skewedness))
    scale = np.sqrt(2.0) / np.sqrt(sampler.n_components)
    return _random_waves(sampler, (values + float(sampler.skewedness)).log(), scale)


def _random_waves(
    sampler: RBFSampler | SkewedChi2Sampler, values: Tensor, scale: float
) -> Features:
    weights = np.asarray(sampler.random_weights_, dtype=np.float64)
    phase = values @ weights + np.asarray(sampler.random_offset_, dtype=np.float64)
    return from_tensor(phase.op("Cos") * float(scale), weights.shape[1])


@transforms(AdditiveChi2Sampler)
def _additive_chi2_sampler(sampler: AdditiveChi2Sampler, X: Features) -> Features:
    steps, interval = sampler.sample_steps, sampler.sample_interval
    interval = float(_INTERVALS[steps] if interval is None else interval)
    values = X.numbers()
    X.graph.reject(values < 0.0)
    is_zero = values.equal(0.0)
    positive = is_zero.where(1.0, values)
    logarithm = positive.log() * interval
    blocks = [(positive * interval).sqrt()]
    for step in range(1, steps):
        factor = (positive * 2.0 * interval / float(np.cosh(np.pi * step * interval))).sqrt()
        phase = logarithm * float(step)
        blocks += [factor * phase.op("Cos"), factor * phase.op("Sin")]
    blocks = [is_zero.where(0.0, block) for block in blocks]
    return from_tensor(concatenate(blocks), len(X) * len(blocks))


@transforms(PolynomialCountSketch)
def _polynomial_count_sketch(sketch: PolynomialCountSketch, X: Features) -> Features:
    """Convolve the count sketches by discrete Fourier transforms, each a product of matrices."""
    width = int(sketch.n_components)
    values = X.numbers() * row_of(np.sqrt(sketch.gamma))
    if sketch.coef0 != 0:
        constant = X.graph.repeat(np.array([np.sqrt(float(sketch.coef0))]))
        values = concatenate([values, constant])
    angles = 2.0 * np.pi * (np.outer(np.arange(width), np.arange(width)) % width) / width
    cosine, sine = np.cos(angles), np.sin(angles)
    spectra = []
    for index, bit in zip(sketch.indexHash_, sketch.bitHash_, strict=True):
        counts = np.zeros((len(index), width))
        counts[np.arange(len(index)), index] = bit
        spectra.append(_Complex(values @ (counts @ cosine), values @ (counts @ -sine)))
    product = functools.reduce(operator.mul, spectra)
    result: Tensor = (product.real @ cosine - product.imaginary @ sine) / float(width)
    return from_tensor(result, width)


class _Complex:
    """Complex numbers as two tensors."""

    def __init__(self, real: Tensor, imaginary: Tensor) -> None:
        self.real = real
        self.imaginary = imaginary

    def __mul__(self, other: _Complex) -> _Complex:
        return _Complex(
            self.real * other.real - self.imaginary * other.imaginary,
            self.real * other.imaginary + self.imaginary * other.real,
        )
