"""What stands behind the routes: requests, samples, models and the store they come from.

A request goes through these modules in this order::

    gateway            events -> bytes and headers, whatever an event lacks
    json_body          bytes -> JSON, every malformed body named
    classify_request   JSON -> the samples as sent
    model_store        which model is live: fetched, verified, cached, refreshed
    samples            samples as sent -> arrays that fit the signature, every problem named
    onnx_classifier    arrays -> labels and probabilities (or sklearn_classifier)
    classification     labels and probabilities -> the answer
    http               answers and errors -> HTTP

The other protocols are adapters over the same modules, each with its routes in a blueprint and
what it translates beside it, which is imported by the first request that needs it::

    inference_protocol infer_request      the Open Inference Protocol (V2)
    invocations        invocation_forms   what MLflow's and SageMaker's clients send
    description        openapi            the model, and the API, described

On Lambda ``cold_start`` begins before the rest is imported; elsewhere ``local_server`` makes
`chalice local` strict.

Nothing here imports ``training`` or pandas; scikit-learn is imported by
``sklearn_classifier`` only, when a model needs it.
"""

# As in pyproject.toml, which is not a part of the package.
SERVER_VERSION = "0.1.0"
