"""Which values of a sample are unlike the training data."""

from __future__ import annotations

from chalicelib.inputs.samples import Samples
from chalicelib.models.manifest import Manifest


def find_out_of_range(samples: Samples, manifest: Manifest) -> list[str]:
    """Return the features of a single sample that are outside their range in the training data.

    They are numbers below the minimum or above the maximum, and texts that are none of the known
    categories. Missing values, private features and features without a range are left out.
    """
    signature = manifest.signature
    names = []
    for index, number in zip(signature.number_indices, samples.numbers, strict=True):
        feature = signature.features[index]
        low, high = feature.minimum, feature.maximum
        if low is not None and high is not None and (number < low or number > high):
            names.append(feature.name)
    for encoder in manifest.text_encoders:
        feature = signature.features[encoder["feature"]]
        if "categories" in encoder and not feature.is_private and feature.name not in names:
            text = samples.texts[signature.text_indices.index(encoder["feature"])]
            if text is not None and text not in encoder["categories"]:
                names.append(feature.name)
    return names
