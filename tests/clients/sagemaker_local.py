"""SageMaker's LocalSagemakerRuntimeClient, with JSON and CSV."""

import json
import sys

from sagemaker.core.local.local_session import LocalSagemakerRuntimeClient

wines = json.load(sys.stdin)
client = LocalSagemakerRuntimeClient({"local": {"serving_port": int(sys.argv[1])}})


def invoke(body: str, content_type: str, accept: str) -> str:
    """Ask, and give the body of the answer."""
    answer = client.invoke_endpoint(body, "wine", content_type, accept)
    assert answer["Body"].status == 200, answer["Body"].read()
    return answer["Body"].read().decode()


as_json = json.dumps(wines["samples"])
as_csv = "\n".join(",".join(map(str, sample)) for sample in wines["samples"])
for body, content_type in ((as_json, "application/json"), (as_csv, "text/csv")):
    labels = json.loads(invoke(body, content_type, "application/json"))
    labels = labels["predictions"] if isinstance(labels, dict) else labels
    assert [str(label) for label in labels] == wines["labels"], labels
    assert invoke(body, content_type, "text/csv").split() == wines["labels"]
