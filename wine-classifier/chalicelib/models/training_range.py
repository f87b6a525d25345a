"""Which values of a sample are unlike the training data."""

from __future__ import annotations

from chalicelib.inputs.samples import Samples
from chalicelib.models.manifest import Manifest


def find_out_of_range(samples: Samples, manifest: Manifest) -> list[str]:
    """Return the features of a single sample that are outside their range in the training data.

    They are numbers below the minimum or above the maximum, and texts that are none of the known
    categories. Missing values, private features and features without a range are left out.
    """
    signature, numbers = manifest.signature, samples.numbers
    names = [
        name
        for column, low, high, name in signature.ranges
        if numbers[column] < low or numbers[column] > high
    ]
    for encoder in manifest.text_encoders:
        feature = signature.features[encoder["feature"]]
        if "categories" in encoder and not feature.is_private and feature.name not in names:
            text = samples.texts[signature.text_indices.index(encoder["feature"])]
            if text is not None and text not in encoder["categories"]:
                names.append(feature.name)
    return names
