"""The Open Inference Protocol (V2): Triton, KServe, MLServer.

Format: https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md
"""

# The length of the JSON in a body that holds tensors as bytes too.
JSON_LENGTH_HEADER = "Inference-Header-Content-Length"
# The parameter of a tensor whose values are not in the JSON.
BINARY_DATA_SIZE = "binary_data_size"
