"""SageMaker's LocalSagemakerRuntimeClient, with JSON and CSV."""

import json
import sys

from sagemaker.core.local.local_session import LocalSagemakerRuntimeClient

wines = json.load(sys.stdin)
client = LocalSagemakerRuntimeClient({"local": {"serving_port": int(sys.argv[1])}})


def invoke(body: str, content_type: str, accept: str) -> str:
    """Invoke the endpoint and return the body of the response."""
    response = client.invoke_endpoint(body, "wine", content_type, accept)
    assert response["Body"].status == 200, response["Body"].read()
    return response["Body"].read().decode()


json_body = json.dumps(wines["samples"])
csv_body = "\n".join(",".join(map(str, sample)) for sample in wines["samples"])
for body, content_type in ((json_body, "application/json"), (csv_body, "text/csv")):
    labels = json.loads(invoke(body, content_type, "application/json"))
    labels = labels["predictions"] if isinstance(labels, dict) else labels
    assert [str(label) for label in labels] == wines["labels"], labels
    assert invoke(body, content_type, "text/csv").split() == wines["labels"]
