"""What stands behind the routes: requests, samples, models and the store they come from.

A request goes through these modules in this order::

    classify_request   bytes -> the samples as sent, every malformed body named
    model_store        which model is live: fetched, verified, cached, refreshed
    samples            samples as sent -> arrays that fit the signature, every problem named
    onnx_classifier    arrays -> labels and probabilities (or sklearn_classifier)
    classification     labels and probabilities -> the answer
    http               answers and errors -> HTTP

Nothing here imports ``training`` or pandas; scikit-learn is imported by
``sklearn_classifier`` only, when a model needs it.
"""

SERVER_VERSION = "0.1.0"
