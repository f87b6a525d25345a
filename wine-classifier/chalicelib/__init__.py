"""What stands behind the routes: requests, samples, models and the store they come from.

A request goes through these modules in this order::

    classify_request   bytes -> the samples as sent, every malformed body named
    model_store        which model is live: fetched, verified, cached, refreshed
    signature          samples as sent -> a matrix, every problem named
    onnx_classifier    a matrix -> labels and probabilities
    classification     labels and probabilities -> the answer
    http               answers and errors -> HTTP

Nothing here imports ``training`` or pandas; scikit-learn is not needed to serve.
"""
