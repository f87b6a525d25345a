"""Fuzz tests, with schemathesis and with hypothesis: `make fuzz`.

`openapi` lets schemathesis generate valid and invalid requests from `/openapi.json` and check each
response against the document. `cost` searches, model by model, for the requests that take the most
CPU time and memory, and fails if one is over a bound.
"""
