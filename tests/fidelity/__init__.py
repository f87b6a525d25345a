"""A matrix of pipelines, each published and compared with scikit-learn; `make fidelity` runs it."""
