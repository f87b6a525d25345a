"""The Open Inference Protocol (V2): Triton, KServe, MLServer.

Format: https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md
"""
