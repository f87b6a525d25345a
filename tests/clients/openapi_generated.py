"""A client that openapi-python-client generates from `/openapi.json`."""

import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

wines = json.load(sys.stdin)
base = f"http://127.0.0.1:{sys.argv[1]}"
with TemporaryDirectory() as folder:
    command = [Path(sys.executable).with_name("openapi-python-client"), "generate"]
    command += ["--url", f"{base}/openapi.json", "--output-path", f"{folder}/client"]
    process = subprocess.run([*command, "--meta", "none"], capture_output=True, text=True)
    assert process.returncode == 0, process.stdout + process.stderr
    sys.path.insert(0, folder)
    from client import Client
    from client.api.classify import classify
    from client.models import ClassifyRequest

    labels = []
    for sample in wines["samples"]:
        named = dict(zip(wines["names"], sample, strict=True))
        request = ClassifyRequest.from_dict({"data": named, "probabilities": True})
        response = classify.sync(client=Client(base_url=base), body=request)
        labels.append(str(response.to_dict()["prediction"]))
assert labels == wines["labels"], labels
