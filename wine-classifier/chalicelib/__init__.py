"""The code behind the routes, in layers: a package imports only those below it.

::

    openapi          the description of the API and of the live model
    protocols        wire formats: requests to samples, predictions to responses
      classify         POST /classify
      invocations      POST /invocations: MLflow, SageMaker, CSV
      open_inference   /v2: Triton, KServe, MLServer
    local            what `chalice local` alone needs; not in the package
    rest             API Gateway and HTTP: events, bodies, responses, errors, CORS
    service          the settings and the model store that requests share
    cold_start       ONNX Runtime starts while Python imports the rest
    prefetch         the live model is fetched meanwhile
    store            objects on S3 or in a folder; which model is live
    models           the artifact, its manifest, verification, prediction
    runtimes         ONNX Runtime, or scikit-learn itself
    inputs           the signature; samples, and the problems in them
    errors, settings, log

Nothing here imports ``training`` or pandas; only `chalicelib.runtimes.sklearn_classifier` imports
scikit-learn, when a model needs it. Each import is a part of every cold start.
"""

SERVER_VERSION = "0.1.0"  # as in pyproject.toml, which is not in the package
