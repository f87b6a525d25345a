"""The Open Inference Protocol (V2): Triton, KServe, MLServer."""
