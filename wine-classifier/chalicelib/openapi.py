"""The OpenAPI 3.1 document of the API, made from the signature of the model that is live.

The format: https://spec.openapis.org/oas/v3.1.1.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalicelib import SERVER_VERSION
from chalicelib.invocation_forms import write_csv
from chalicelib.manifest import Manifest
from chalicelib.samples import LARGEST_NUMBER
from chalicelib.signature import Signature
from chalicelib.tensors import DATATYPES, LABELS, MAX_ID_CHARACTERS, PROBABILITIES, model_metadata

_Schema = dict[str, Any]

_JSON_TYPES = {
    "numeric": "number",
    "integer": "integer",
    "boolean": "boolean",
    "categorical": "string",
}
_DIGITS = "[0-9]{1,15}"
_NUMBER_AS_TEXT = (
    rf"^[ ]*[+-]?({_DIGITS}(\.({_DIGITS})?)?|\.{_DIGITS})([eE][+-]?[0-9]{{1,2}})?[ ]*$"
)

_ERRORS = {
    "400": ("Malformed", "The body is not JSON (or CSV) in UTF-8, or is nested too deep."),
    "404": ("UnknownModel", "No model of this name and version is served."),
    "413": ("TooLarge", "There are too many samples, or the body is over Lambda's limit."),
    "415": ("UnsupportedMediaType", "The body is of another media type, or compressed."),
    "422": ("Invalid", "The body is not what the model takes: all the problems at once."),
    "503": ("NoModel", "No model could be loaded; Retry-After says when to ask again."),
}
_OF_A_BODY = ("400", "413", "415", "422", "503")
_RETRY_AFTER = {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}}
_MODEL_VERSION = {
    "X-Model-Version": {"description": "The model that answered.", "schema": {"type": "string"}}
}


def openapi_document(manifest: Manifest, *, max_rows: int, server_url: str) -> dict[str, Any]:
    """Describe every route for the model that is live.

    Parameters
    ----------
    manifest : Manifest
        What the model says of itself.
    max_rows : int
        The most samples that one request may hold.
    server_url : str
        What stands before each path.

    Returns
    -------
    dict
        Its examples work when they are sent.
    """
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"{manifest.name} {manifest.version}",
            "version": SERVER_VERSION,
            "summary": "A scikit-learn classifier.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": server_url}],
        "tags": [{"name": name} for name in ("classify", "about", "mlflow", "inference")],
        "paths": {
            **_classify_paths(manifest),
            **_about_paths(),
            **_invocation_paths(manifest),
            **_inference_paths(manifest),
        },
        "components": {
            "schemas": _schemas(manifest, max_rows),
            "responses": {
                name: _answer(text, _ref("Error"), headers=_RETRY_AFTER if code == "503" else None)
                for code, (name, text) in _ERRORS.items()
            },
        },
    }


def _classify_paths(manifest: Manifest) -> dict[str, Any]:
    named, positional = _examples(manifest)
    examples: dict[str, Any] = {
        "by name": {"data": named},
        "by position": {"data": positional},
        "a batch": {"data": [named, positional]},
    }
    if manifest.signature.has_probabilities:
        examples["with probabilities"] = {"data": named, "probabilities": True}
    body = _body("application/json", _ref("ClassifyRequest"), examples)
    answer = _answer("The labels.", _ref("ClassifyAnswer"), headers=_MODEL_VERSION)
    return {
        "/classify": {
            "post": _operation("classify", "Classify samples", "classify", answer, _OF_A_BODY, body)
        }
    }


def _about_paths() -> dict[str, Any]:
    anything = {"type": "object"}
    return {
        "/health": {"get": _health("health", "Tell how the service is", "about")},
        "/model": {
            "get": _operation(
                "model", "Describe the model that is live", "about", _answer("It.", anything)
            )
        },
        "/openapi.json": {
            "get": _operation("openapi", "This document", "about", _answer("It.", anything))
        },
    }


def _invocation_paths(manifest: Manifest) -> dict[str, Any]:
    named, positional = _examples(manifest)
    forms = {
        "dataframe_split": {
            "dataframe_split": {"columns": manifest.signature.names, "data": [positional]}
        },
        "dataframe_records": {"dataframe_records": [named]},
        "instances": {"instances": [positional]},
        "inputs": {"inputs": [named]},
        "bare": [positional],
    }
    body = _body("application/json", _ref("Invocation"), forms)
    body["content"]["text/csv"] = {
        "schema": _csv_schema(manifest),
        "examples": {"without a header": {"value": _csv_line(positional)}},
    }
    answer = _answer("The labels.", _ref("InvocationAnswer"), headers=_MODEL_VERSION)
    answer["content"]["text/csv"] = {"schema": {"type": "string"}}
    version = _closed({"name": {"type": "string"}, "version": {"type": "string"}})
    return {
        "/ping": {"get": _health("ping", "Tell how the service is", "mlflow")},
        "/version": {
            "get": _operation("version", "Name the model", "mlflow", _answer("Its name.", version))
        },
        "/invocations": {
            "post": _operation(
                "invocations", "Classify samples", "mlflow", answer, _OF_A_BODY, body
            )
        },
    }


def _csv_schema(manifest: Manifest) -> _Schema:
    schema: _Schema = {
        "type": "string",
        "description": "A line for each sample, with or without a header of feature names.",
    }
    signature = manifest.signature
    if not signature.takes_any_numbers:
        return schema
    number = r"-?[0-9]{1,9}(\.[0-9]{1,9})?"
    values = [number if feature.required else f"({number})?" for feature in signature.features]
    line = ",".join([number, *values[1:]])  # an empty line is none
    return schema | {"pattern": f"^{line}(\\n{line})*$"}


def _inference_paths(manifest: Manifest) -> dict[str, Any]:
    def get(name: str, summary: str, schema: _Schema, errors: tuple[str, ...]) -> dict[str, Any]:
        answer = _answer("Yes.", schema)
        return {"get": _operation(name, summary, "inference", answer, errors)}

    text = {"type": "string"}
    server = _closed(
        {"name": text, "version": text, "extensions": {"type": "array", "items": text}}
    )
    live = _closed({"live": {"const": True}})
    ready = _closed({"name": text, "ready": {"const": True}})
    infer = _body("application/json", _ref("InferRequest"), {"tensors": _tensor_example(manifest)})
    answer = _answer("The output tensors.", _ref("InferAnswer"), headers=_MODEL_VERSION)
    paths: dict[str, Any] = {
        "/v2": get("serverMetadata", "Say what serves", server, ()),
        "/v2/health/live": get("serverLive", "Tell that the function runs", live, ()),
        "/v2/health/ready": {
            "get": _health("serverReady", "Tell if there is a model", "inference")
        },
    }
    for suffix, path, names in (
        ("", "/v2/models/{model_name}", {"model_name": manifest.name}),
        (
            "Version",
            "/v2/models/{model_name}/versions/{model_version}",
            {"model_name": manifest.name, "model_version": manifest.version},
        ),
    ):
        of_model = ("404", "503")
        errors = (*_OF_A_BODY, "404")
        paths[path] = get(f"metadata{suffix}", "Describe the model", _ref("Metadata"), of_model)
        paths[f"{path}/ready"] = get(
            f"ready{suffix}", "Tell if the model can answer", ready, of_model
        )
        paths[f"{path}/infer"] = {
            "post": _operation(
                f"infer{suffix}", "Classify samples", "inference", answer, errors, infer
            )
        }
        for end in ("", "/ready", "/infer"):
            paths[path + end]["parameters"] = [
                {
                    "name": name,
                    "in": "path",
                    "required": True,
                    "schema": {"type": "string", "enum": [value]},
                }
                for name, value in names.items()
            ]
    return paths


def _operation(
    name: str,
    summary: str,
    tag: str,
    answer: dict[str, Any],
    errors: tuple[str, ...] = ("503",),
    body: dict[str, Any] | None = None,
) -> dict[str, Any]:
    failures = {
        code: {"$ref": f"#/components/responses/{_ERRORS[code][0]}"} for code in sorted(errors)
    }
    operation = {"operationId": name, "summary": summary, "tags": [tag]}
    if body is not None:
        operation["requestBody"] = body  # type: ignore[assignment]
    return operation | {"responses": {"200": answer, **failures}}


def _health(name: str, summary: str, tag: str) -> dict[str, Any]:
    operation = _operation(name, summary, tag, _answer("There is a model.", _ref("Health")))
    text = "There is no model: what /health says, and the error."
    operation["responses"]["503"] = _answer(text, _ref("NotReady"), headers=_RETRY_AFTER)
    return operation


def _answer(
    description: str, schema: _Schema, headers: dict[str, Any] | None = None
) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "description": description,
        "content": {"application/json": {"schema": schema}},
    }
    return answer if headers is None else answer | {"headers": headers}


def _body(media_type: str, schema: _Schema, examples: Mapping[str, object]) -> dict[str, Any]:
    values = {name: {"value": value} for name, value in examples.items()}
    return {"required": True, "content": {media_type: {"schema": schema, "examples": values}}}


def _ref(name: str) -> _Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _closed(properties: dict[str, Any], optional: tuple[str, ...] = ()) -> _Schema:
    """Describe an object that has these members and no others."""
    return {
        "type": "object",
        "properties": properties,
        "required": [name for name in properties if name not in optional],
        "additionalProperties": False,
    }


def _tuple(items: list[_Schema]) -> _Schema:
    """Describe a list of a given length, each of its items by itself."""
    length = {"minItems": len(items), "maxItems": len(items)}
    return {"type": "array", "prefixItems": items, **length}


def _schemas(manifest: Manifest, max_rows: int) -> dict[str, _Schema]:
    return {
        **_sample_schemas(manifest, max_rows),
        **_invocation_schemas(manifest),
        **_tensor_schemas(manifest),
        **_shared_schemas(),
    }


def _sample_schemas(manifest: Manifest, max_rows: int) -> dict[str, _Schema]:
    signature = manifest.signature
    features = _features(manifest)
    label = {"type": "string", "enum": list(signature.classes)}
    kind: Any = ["number", "null"] if signature.may_be_undefined else "number"
    probability = {"type": kind, "minimum": 0, "maximum": 1}
    one = {"prediction": label, "probabilities": _ref("Probabilities")}
    many = {
        "predictions": {"type": "array", "items": label},
        "probabilities": {"type": "array", "items": _ref("Probabilities")},
    }
    data = [_ref("Sample"), _ref("PositionalSample"), _ref("Batch"), *_scalars(manifest)]
    return {
        "Sample": {
            "type": "object",
            "description": "A value for each feature, by name.",
            "properties": dict(zip(signature.names, features, strict=True)),
            "required": _required(signature),
            "additionalProperties": False,
        },
        "PositionalSample": _tuple(features)
        | {"description": "A value for each feature, in the model's order."},
        "Batch": {
            "type": "array",
            "description": f"At most {max_rows:,} samples.",
            "items": {"anyOf": [_ref("Sample"), _ref("PositionalSample")]},
            "minItems": 1,
        },
        "ClassifyRequest": _closed(
            {
                "data": {"anyOf": data},
                "probabilities": {
                    "type": "boolean",
                    "default": False,
                    **({} if signature.has_probabilities else {"const": False}),
                },
            },
            optional=("probabilities",),
        ),
        "Probabilities": _closed(dict.fromkeys(signature.classes, probability)),
        "SampleAnswer": _closed(one, optional=("probabilities",)),
        "BatchAnswer": _closed(many, optional=("probabilities",)),
        "ClassifyAnswer": {"oneOf": [_ref("SampleAnswer"), _ref("BatchAnswer")]},
    }


def _features(manifest: Manifest) -> list[_Schema]:
    return [_feature_schema(document) for document in manifest.document["signature"]["features"]]


def _required(signature: Signature) -> list[str]:
    return [feature.name for feature in signature.features if feature.required]


def _feature_schema(document: Mapping[str, Any]) -> _Schema:
    """Describe a feature; what it ranged over when the model was made binds nobody."""
    kind = _JSON_TYPES[document["kind"]]
    schema: _Schema = {"type": kind if document["required"] else [kind, "null"]}
    if kind in ("number", "integer"):
        schema |= {"minimum": -LARGEST_NUMBER, "maximum": LARGEST_NUMBER}
    if document.get("unknown_categories") == "refused":
        nothing = [] if document["required"] else [None]
        schema["enum"] = [*document["categories"], *nothing]
    notes = []
    if "min" in document:
        notes.append(f"From {document['min']} to {document['max']}, median {document['median']}.")
        schema["x-range"] = {name: document[name] for name in ("min", "max", "median")}
    if document.get("unknown_categories") == "accepted":
        notes.append("Other categories than the known ones are taken too.")
        schema["x-categories"] = document["categories"]
    if not document["required"]:
        notes.append("May be absent or null.")
    return schema | {"description": " ".join(notes), "examples": [document["example"]]}


def _scalars(manifest: Manifest) -> list[_Schema]:
    """Describe the first feature alone, if the model can do without the others."""
    first, *others = manifest.signature.features
    if first.kind == "boolean" or any(feature.required for feature in others):
        return []
    schema = _feature_schema(manifest.document["signature"]["features"][0])
    alone: _Schema = {"type": _JSON_TYPES[first.kind]}
    alone |= {name: schema[name] for name in ("minimum", "maximum", "enum") if name in schema}
    if "enum" in alone:
        alone["enum"] = [category for category in alone["enum"] if category is not None]
    if first.kind == "categorical":
        return [alone]
    return [alone, {"type": "string", "pattern": _NUMBER_AS_TEXT}]


def _invocation_schemas(manifest: Manifest) -> dict[str, _Schema]:
    signature = manifest.signature
    rows = {
        "type": "array",
        "items": _ref("PositionalSample"),
        "minItems": 1,
    }
    split = _closed(
        {
            "columns": _tuple([{"const": name} for name in signature.names])
            | {"description": "In any order, which is that of the values in each row."},
            "data": rows,
        },
    )
    records = {"type": "array", "items": _ref("Sample"), "minItems": 1}
    columns = {
        "type": "object",
        "description": "A list for each feature; all of one length, here of one sample.",
        "properties": {
            feature.name: {"type": "array", "items": schema, "minItems": 1, "maxItems": 1}
            for feature, schema in zip(signature.features, _features(manifest), strict=True)
        },
        "required": _required(signature),
        "minProperties": 1,
        "additionalProperties": False,
    }
    samples = {"anyOf": [_ref("Batch"), _ref("PositionalSample")]}
    forms = {
        "dataframe_split": split,
        "dataframe_records": records,
        "instances": samples,
        "inputs": {"anyOf": [*samples["anyOf"], columns]},
    }
    labels = {"type": "array", "items": {"enum": list(manifest.signature.classes)}}
    return {
        "Invocation": {
            "anyOf": [*(_closed({name: form}) for name, form in forms.items()), samples]
        },
        "InvocationAnswer": {"anyOf": [_closed({"predictions": labels}), labels]},
    }


def _tensor_schemas(manifest: Manifest) -> dict[str, _Schema]:
    name, parameters = {"type": "string"}, {"type": ["object", "null"]}
    datatype = {"type": "string", "enum": list(DATATYPES)}
    size = {"type": "integer", "minimum": 0}
    tensor = {
        "name": name,
        "shape": {"type": "array", "items": size, "minItems": 1, "maxItems": 2},
        "datatype": datatype,
        "data": {"type": "array", "items": {}, "description": "Flat."},
        "parameters": parameters,
    }
    outputs = {"name": {"enum": [LABELS, PROBABILITIES]}, "parameters": parameters}
    described = {
        "name": name,
        "datatype": datatype,
        "shape": {"type": "array", "items": {"type": "integer"}},
    }
    tensors = _input_tensors(manifest, parameters)
    item = {"type": "object", "properties": outputs, "required": ["name"]}
    asked = {"type": ["array", "null"], "items": item}
    answers = {
        "type": "array",
        "items": _closed(tensor, optional=("parameters",)),
    }
    return {
        "InferRequest": {
            "type": "object",
            "properties": {
                "id": {"type": ["string", "null"], "maxLength": MAX_ID_CHARACTERS},
                "parameters": parameters,
                "inputs": tensors,
                "outputs": asked,
            },
            "required": ["inputs"],
        },
        "InferAnswer": _closed(
            {"model_name": name, "model_version": name, "id": name, "outputs": answers},
            optional=("id",),
        ),
        "Metadata": _closed(
            {
                "name": name,
                "versions": {"type": "array", "items": name},
                "platform": name,
                "inputs": {"type": "array", "items": _closed(described)},
                "outputs": {"type": "array", "items": _closed(described)},
            }
        ),
    }


def _input_tensors(manifest: Manifest, parameters: _Schema) -> _Schema:
    """Describe the tensors of one sample: JSON Schema cannot say how data and shape belong."""
    inputs = model_metadata(manifest)["inputs"]
    features = _features(manifest)
    is_matrix = len(inputs) == 1
    items = []
    for given, schema in zip(inputs, features, strict=False):
        of_tensor = features if is_matrix else [schema]
        tensor = {
            "name": {"type": "string"} if is_matrix else {"const": given["name"]},
            "shape": _tuple([{"const": 1}, {"const": len(of_tensor)}]),
            "datatype": {"const": given["datatype"]},
            "data": _tuple(of_tensor),
            "parameters": parameters,
        }
        needed = [name for name in tensor if name != "parameters"]
        items.append({"type": "object", "properties": tensor, "required": needed})
    return _tuple(items) | {
        "description": "Here of one sample: for n of them the shape begins with n, and the data "
        "has n times as many values, flat or nested. Other datatypes of numbers are taken too."
    }


def _shared_schemas() -> dict[str, _Schema]:
    text, maybe = {"type": "string"}, {"type": ["string", "null"]}
    problem = _closed({"at": text, "problem": text})
    health = {
        "live": {"const": True},
        "ready": {"type": "boolean"},
        "degraded": {"type": "boolean"},
        "since": maybe,
        "reason": maybe,
        "version": maybe,
    }
    problems = {"type": "array", "items": problem}
    return {
        "Error": _closed({"error": text, "problems": problems}, optional=("problems",)),
        "Health": _closed(health),
        "NotReady": _closed({"error": text, **health}),
    }


def _examples(manifest: Manifest) -> tuple[dict[str, Any], list[Any]]:
    """Give a sample that the model has proved to answer, by name and by position."""
    positional = manifest.golden_samples.samples[0]
    by_name = zip(manifest.signature.names, positional, strict=True)
    return {name: value for name, value in by_name if value is not None}, positional


def _csv_line(sample: list[Any]) -> str:
    return write_csv([sample])


def _tensor_example(manifest: Manifest) -> dict[str, Any]:
    _, sample = _examples(manifest)
    inputs = model_metadata(manifest)["inputs"]
    if len(inputs) == 1 and len(sample) > 1:
        return {"inputs": [inputs[0] | {"shape": [1, len(sample)], "data": sample}]}
    columns = zip(inputs, sample, strict=True)
    return {"inputs": [column | {"shape": [1, 1], "data": [value]} for column, value in columns]}
