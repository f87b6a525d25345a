"""schemathesis, with all its checks, for what the API's description does not say: `make fuzz`.

It makes requests from `/openapi.json`, right ones and wrong ones, for a model of numbers and for
one of every kind of column, and compares the answers with what the document says of them.
"""
