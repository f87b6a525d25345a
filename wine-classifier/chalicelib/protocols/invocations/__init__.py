"""``/invocations``: MLflow and SageMaker."""
