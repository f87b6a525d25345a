"""Fuzz tests of the API against its OpenAPI document, with schemathesis: `make fuzz`.

schemathesis generates valid and invalid requests from `/openapi.json` and checks each response
against the document, for a numeric model and for a model with every kind of feature.
"""
