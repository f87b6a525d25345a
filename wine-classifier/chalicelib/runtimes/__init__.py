"""Runtimes that compute predictions: ONNX Runtime, or scikit-learn itself."""
