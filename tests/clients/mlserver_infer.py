"""MLServer's command `mlserver infer`."""

import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

wines = json.load(sys.stdin)
with TemporaryDirectory() as folder:
    requests_path, responses_path = Path(folder, "in.jsonl"), Path(folder, "out.jsonl")
    with requests_path.open("w") as lines:
        for sample in wines["samples"]:
            tensor = {"name": "input", "shape": [1, 13], "datatype": "FP64", "data": sample}
            print(json.dumps({"inputs": [tensor]}), file=lines)
    command = [Path(sys.executable).with_name("mlserver"), "infer"]
    command += ["--url", f"127.0.0.1:{sys.argv[1]}", "--model-name", "wine"]
    command += ["--input-data-path", requests_path, "--output-data-path", responses_path]
    command += ["--workers", "2"]
    subprocess.run(command, check=True)
    responses = [json.loads(line) for line in responses_path.read_text().splitlines()]
labels = sorted(
    str(output["data"][0])
    for response in responses
    for output in response["outputs"]
    if output["name"] == "predict"
)
assert labels == sorted(wines["labels"]), labels
