"""NVIDIA's tritonclient, over HTTP."""

import json
import sys

import numpy as np
from tritonclient.http import InferenceServerClient, InferInput, InferRequestedOutput
from tritonclient.utils import InferenceServerException

wines = json.load(sys.stdin)
client = InferenceServerClient(f"127.0.0.1:{sys.argv[1]}")
samples = np.array(wines["samples"])

assert client.is_server_live()
assert client.is_server_ready()
assert client.is_model_ready("wine")
assert client.is_model_ready("wine", wines["version"])
assert not client.is_model_ready("beer")
assert client.get_server_metadata()["name"] == "wine-classifier"
metadata = client.get_model_metadata("wine")
[matrix] = metadata["inputs"]
assert matrix["shape"] == [-1, 13]

for dtype in (np.float64, np.float32):
    datatype = "FP64" if dtype is np.float64 else "FP32"
    tensor = InferInput(matrix["name"], list(samples.shape), datatype)
    tensor.set_data_from_numpy(samples.astype(dtype), binary_data=False)
    outputs = [InferRequestedOutput(o["name"], binary_data=False) for o in metadata["outputs"]]
    result = client.infer("wine", [tensor], outputs=outputs, request_id="17")
    assert result.get_response()["id"] == "17"
    assert [str(label) for label in result.as_numpy("predict")] == wines["labels"]
    tolerance = 1e-3 if dtype is np.float32 else 1e-5
    probabilities = result.as_numpy("predict_proba")
    np.testing.assert_allclose(probabilities, wines["probabilities"], atol=tolerance)

# The client's defaults: tensors as bytes both ways, and all outputs.
for dtype, datatype in ((np.float64, "FP64"), (np.float32, "FP32")):
    tensor = InferInput(matrix["name"], list(samples.shape), datatype)
    tensor.set_data_from_numpy(samples.astype(dtype))
    for outputs in (None, [InferRequestedOutput(o["name"]) for o in metadata["outputs"]]):
        result = client.infer("wine", [tensor], outputs=outputs)
        assert [str(label, "utf-8") for label in result.as_numpy("predict")] == wines["labels"]
        tolerance = 1e-3 if dtype is np.float32 else 1e-5
        probabilities = result.as_numpy("predict_proba")
        np.testing.assert_allclose(probabilities, wines["probabilities"], atol=tolerance)

tensor = InferInput(matrix["name"], [1, 12], "FP64")
tensor.set_data_from_numpy(samples[:1, :12])
message = ""
try:
    client.infer("wine", [tensor])
except InferenceServerException as error:
    message = str(error)
assert "inputs[0].shape must be [samples, 13]" in message, message
