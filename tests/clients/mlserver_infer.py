"""MLServer's command `mlserver infer`."""

import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

wines = json.load(sys.stdin)
with TemporaryDirectory() as folder:
    given, answered = Path(folder, "in.jsonl"), Path(folder, "out.jsonl")
    with given.open("w") as lines:
        for sample in wines["samples"]:
            tensor = {"name": "input", "shape": [1, 13], "datatype": "FP64", "data": sample}
            print(json.dumps({"inputs": [tensor]}), file=lines)
    command = [Path(sys.executable).with_name("mlserver"), "infer"]
    command += ["--url", f"127.0.0.1:{sys.argv[1]}", "--model-name", "wine"]
    command += ["--input-data-path", given, "--output-data-path", answered, "--workers", "2"]
    subprocess.run(command, check=True)
    answers = [json.loads(line) for line in answered.read_text().splitlines()]
labels = sorted(
    str(output["data"][0])
    for answer in answers
    for output in answer["outputs"]
    if output["name"] == "predict"
)
assert labels == sorted(wines["labels"]), labels
