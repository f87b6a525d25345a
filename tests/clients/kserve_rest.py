"""KServe's InferenceRESTClient, with the V2 protocol."""

import asyncio
import json
import sys

import numpy as np
from kserve import InferenceRESTClient, InferInput, InferRequest, RESTConfig

wines = json.load(sys.stdin)
base = f"http://127.0.0.1:{sys.argv[1]}"


async def main() -> None:
    """Run every request that the client has."""
    client = InferenceRESTClient(RESTConfig(protocol="v2", retries=0, timeout=30))
    assert await client.is_server_live(base)
    assert await client.is_server_ready(base)
    assert await client.is_model_ready(base, "wine")
    tensor = InferInput("input", [len(wines["samples"]), 13], "FP64", data=wines["samples"])
    request = InferRequest(model_name="wine", infer_inputs=[tensor], request_id="17")
    response = await client.infer(base, request, model_name="wine")
    outputs = {output.name: output for output in response.outputs}
    assert response.id == "17"
    assert [str(label) for label in outputs["predict"].data] == wines["labels"]
    probabilities = np.array(outputs["predict_proba"].data).reshape(outputs["predict_proba"].shape)
    np.testing.assert_allclose(probabilities, wines["probabilities"], atol=1e-5)
    matrix = np.array(wines["samples"])
    tensor = InferInput("input", list(matrix.shape), "FP64")
    tensor.set_data_from_numpy(matrix, binary_data=True)
    request = InferRequest(
        model_name="wine", infer_inputs=[tensor], parameters={"binary_data_output": True}
    )
    response = await client.infer(base, request, model_name="wine")
    labels, probabilities = (output.as_numpy() for output in response.outputs)
    assert [str(label) for label in labels] == wines["labels"]
    np.testing.assert_allclose(probabilities, wines["probabilities"], atol=1e-5)
    wrong_shape = InferRequest(
        model_name="wine",
        infer_inputs=[InferInput("input", [1, 12], "FP64", data=[wines["samples"][0][:12]])],
    )
    message = ""
    try:
        await client.infer(base, wrong_shape, model_name="wine")
    except Exception as error:
        message = str(error)
    assert "inputs[0].shape must be [samples, 13]" in message, message


asyncio.run(main())
