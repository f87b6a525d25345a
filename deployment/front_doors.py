"""What receives the requests of a stack: Chalice's REST API, an HTTP API, or a function URL."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from chalice.package import TemplateDeepMerger

from deployment import access
from deployment.errors import PackagingError

REST, HTTP, FUNCTION = "rest", "http", "function"
FRONT_DOORS = (REST, HTTP, FUNCTION)

_OF_REST_API = (
    "RestAPI",
    "APIHandlerInvokePermission",
    "RequestLog",
    "RequestLogRole",
    "RequestLogAccount",
)
_OPEN_ROUTES = {
    "Page": ("/", "GET"),
    "Health": ("/health", "GET"),
    "Preflight": ("/{path+}", "OPTIONS"),
}

# In the body of the dashboard, without spaces: what has metrics of the REST API.
_METRICS = {
    HTTP: {
        '"AWS/ApiGateway","4XXError","ApiName","${AWS::StackName}","Stage","Prod"': (
            '"AWS/ApiGateway","4xx","ApiId","${HttpAPI}"'
        ),
        '".","5XXError",".",".",".","."': '".","5xx",".","."',
        '"AWS/ApiGateway","Count","ApiName","${AWS::StackName}","Stage","Prod"': (
            '"AWS/ApiGateway","Count","ApiId","${HttpAPI}"'
        ),
        "requests * 3.5 /": "requests * 1 /",
    },
    FUNCTION: {
        '"AWS/ApiGateway","4XXError","ApiName","${AWS::StackName}","Stage","Prod"': (
            '"AWS/Lambda","Url4xxCount","FunctionName","${AWS::StackName}"'
        ),
        '".","5XXError",".",".",".","."': '".","Url5xxCount",".","."',
        '"AWS/ApiGateway","Count","ApiName","${AWS::StackName}","Stage","Prod"': (
            '"AWS/Lambda","UrlRequestCount","FunctionName","${AWS::StackName}"'
        ),
        "requests * 3.5 /": "requests * 0 /",
        '"API Gateway and Lambda"': '"Function URL and Lambda"',
        '"API Gateway"': '"function URL"',
    },
}


def get(name: str | None) -> str:
    """Return a front door by its name; raise `PackagingError` for another name."""
    if name is not None and name not in FRONT_DOORS:
        raise PackagingError(f"There is no front door {name}: URL is {', '.join(FRONT_DOORS)}.")
    return name or REST


def get_access(door: str, name: str | None) -> str:
    """Return who may send requests by default; only a REST API knows keys."""
    if door == REST:
        return access.get(name, access.KEY)
    if name == access.KEY:
        raise PackagingError(f"URL={door} has no API keys: AUTH is iam, PUBLIC=yes is none.")
    return access.get(name, access.IAM)


def describe(door: str, auth: str) -> str:
    """Return who may send requests, in one sentence."""
    if door == FUNCTION and auth == access.IAM:
        return (
            "Access: requests signed with AWS Signature Version 4, by who may"
            " lambda:InvokeFunctionUrl and lambda:InvokeFunction; nothing is open."
        )
    return access.describe(auth)


def replace_rest_api(template: dict[str, Any], folder: Path, door: str, auth: str) -> Any:
    """Return a template with another front door than the REST API that Chalice wrote."""
    for name in _OF_REST_API:
        template["Resources"].pop(name, None)
    for name in ("RestAPIId", "InvokeArn", "ApiKeyId", "ClassifyURL", "EndpointURL"):
        template["Outputs"].pop(name, None)
    overlay = json.loads((folder / f"sam-url-{door}.json").read_text())
    template = TemplateDeepMerger().merge(overlay, template)
    properties = template["Resources"]["APIHandler"]["Properties"]
    if door == FUNCTION:
        is_public = auth == access.PUBLIC
        properties["FunctionUrlConfig"]["AuthType"] = "NONE" if is_public else "AWS_IAM"
    elif auth == access.IAM:
        _require_signatures(template["Resources"]["HttpAPI"], properties["Events"])
    dashboard = template["Resources"].get("Dashboard")
    if dashboard is not None:
        body = dashboard["Properties"]["DashboardBody"]["Fn::Sub"]
        for metric, other in _METRICS[door].items():
            body = body.replace(metric, other)
        dashboard["Properties"]["DashboardBody"] = {"Fn::Sub": body}
    _remove_unused(template)
    return template


def _require_signatures(api: dict[str, Any], events: dict[str, Any]) -> None:
    """Close an HTTP API, but for what is open in a REST API too."""
    api["Properties"]["Auth"] = {"EnableIamAuthorizer": True, "DefaultAuthorizer": "AWS_IAM"}
    for name, (path, method) in _OPEN_ROUTES.items():
        properties = events["Default"]["Properties"] | {"Path": path, "Method": method}
        open_properties = properties | {"Auth": {"Authorizer": "NONE"}}
        events[name] = {"Type": "HttpApi", "Properties": open_properties}


def _remove_unused(template: dict[str, Any]) -> None:
    """Remove the conditions and parameters that nothing refers to any more."""
    for section in ("Conditions", "Parameters"):
        for name in list(template.get(section, {})):
            others = {key: value for key, value in template.items() if key != section}
            others[section] = {k: v for k, v in template[section].items() if k != name}
            text = json.dumps(others)
            if f'"{name}"' not in text.replace(f'"{name}":', "") and f"${{{name}}}" not in text:
                del template[section][name]
