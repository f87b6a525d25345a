"""What `chalice deploy` cannot set: a limit on requests, and the age of the function's log.

Chalice's ``log_retention_in_days`` is for a log group that an API's function does not write to:
its name ends in ``-api_handler``.
"""

from __future__ import annotations

import json
from contextlib import suppress
from urllib.parse import urlsplit

import boto3

from deployment.chalice_project import Project

REQUESTS_PER_SECOND = 20
REQUEST_BURST = 40
LOG_RETENTION_DAYS = 14


def set_limits(project: Project, stage: str) -> None:
    """Set the limits of a stage that Chalice deployed."""
    record = json.loads((project.folder / ".chalice" / "deployed" / f"{stage}.json").read_text())
    resources = {entry["resource_type"]: entry for entry in record["resources"]}
    api = resources["rest_api"]
    url = urlsplit(api["rest_api_url"])  # https://ID.execute-api.REGION.amazonaws.com/STAGE/
    session = boto3.Session(region_name=url.netloc.split(".")[2])
    limit_requests(session, api["rest_api_id"], url.path.strip("/"))
    limit_log(session, resources["lambda_function"]["lambda_arn"].rpartition(":")[2])
    print(
        f"Limited to {REQUESTS_PER_SECOND} requests per second, {REQUEST_BURST} at once; "
        f"the log is kept for {LOG_RETENTION_DAYS} days."
    )


def limit_requests(session: boto3.Session, api: str, api_stage: str) -> None:
    """Limit the rate of requests to an API; more get a 429."""
    limits = {"rateLimit": REQUESTS_PER_SECOND, "burstLimit": REQUEST_BURST}
    session.client("apigateway").update_stage(
        restApiId=api,
        stageName=api_stage,
        patchOperations=[
            {"op": "replace", "path": f"/*/*/throttling/{name}", "value": str(value)}
            for name, value in limits.items()
        ],
    )


def limit_log(session: boto3.Session, function: str) -> None:
    """Limit the age of a function's log, which exists from its first event on."""
    logs, group = session.client("logs"), f"/aws/lambda/{function}"
    with suppress(logs.exceptions.ResourceAlreadyExistsException):
        logs.create_log_group(logGroupName=group)
    logs.put_retention_policy(logGroupName=group, retentionInDays=LOG_RETENTION_DAYS)
