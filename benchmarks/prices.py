"""AWS's prices, and an estimate of the cost of requests."""

from __future__ import annotations

import math

# US East (N. Virginia), x86, first tier, without the free tier. AWS's price pages fill in their
# tables in the browser, so the figures are from stored copies of the pages below, read on
# 2026-11-22. The copies may be older: check the pages before you rely on the figures.
READ_ON = "2026-11-22"

# https://docs.aws.amazon.com/whitepapers/latest/how-aws-pricing-works/lambda.html: "$0.20 per
# 1 million requests", "$0.00001667 for every GB-second" and "rounded up to the nearest 1
# millisecond"; https://cloudchipr.com/blog/aws-lambda-pricing (2024) has the price with more
# digits, for the first 6 billion GB-seconds of a month.
USD_PER_GB_SECOND = 0.0000166667
USD_PER_MILLION_LAMBDA_REQUESTS = 0.20

# REST API, the first 333 million requests of a month:
# https://docs.aws.amazon.com/pt_br/whitepapers/latest/best-practices-api-gateway-private-apis-integration/cost-optimization.html
USD_PER_MILLION_API_REQUESTS = 3.50

# HTTP API, the first 300 million requests of a month:
# https://amnic.com/blogs/aws-api-gateway-pricing
USD_PER_MILLION_HTTP_API_REQUESTS = 1.00

# A function URL has no charge of its own:
# https://docs.aws.amazon.com/lambda/latest/dg/furls-http-invoke-decision.html
USD_BY_FRONT_DOOR = {
    "function URL": 0.0,
    "HTTP API": USD_PER_MILLION_HTTP_API_REQUESTS,
    "REST API": USD_PER_MILLION_API_REQUESTS,
}

# What always runs. Fargate on Linux and x86: https://vantage.sh/blog/fargate-pricing; the hours of
# an application load balancer, without its capacity units:
# https://cloudburn.io/blog/aws-fargate-pricing; the smallest real-time endpoint of SageMaker,
# ml.t3.medium: https://www.wring.co/blog/aws-sagemaker-inference-guide
USD_PER_VCPU_HOUR, USD_PER_GB_HOUR = 0.04048, 0.004445
USD_PER_LOAD_BALANCER_HOUR = 0.0225
USD_PER_ENDPOINT_HOUR = 0.05
HOURS_A_MONTH = 730

# Since 2025-08-01 the init phase is billed as the request is. Cold starts "typically occur in
# under 1% of invocations", as others quote the announcement, of which there was no stored copy:
# https://aws.amazon.com/blogs/compute/aws-lambda-standardizes-billing-for-init-phase/
COLD_SHARE = 0.01

# CloudWatch, the first 10,000 metrics of a month, each for the hours in which it gets values, and
# the ingestion of logs of the standard class. The free tier, 10 metrics and 5 GB, is left out:
# https://aws.amazon.com/cloudwatch/pricing/ (its tables are filled in by the browser);
# https://www.vantage.sh/blog/cloudwatch-metrics-pricing-explained-in-plain-english has the price
# of a metric, https://www.factualminds.com/blog/amazon-cloudwatch-pricing-metrics-logs-alarms-dashboards/
# that of logs.
USD_PER_METRIC = 0.30
USD_PER_GB_OF_LOG = 0.50

# S3's standard class and SQS's standard queues, without the free tier:
# https://aws.amazon.com/s3/pricing/ and https://aws.amazon.com/sqs/pricing/ (the browser fills in
# their tables); https://c3x.dev/blog/s3-request-fees-explained has S3's prices,
# https://cloudburn.io/blog/amazon-sqs-pricing (2026-03) those of SQS.
USD_PER_S3_WRITE = 0.005 / 1000  # or listing
USD_PER_S3_READ = 0.0004 / 1000
USD_PER_SQS_REQUEST = 0.40 / 1_000_000

# The memory with which a function has one processor; its share is proportional to the memory:
# https://docs.amazonaws.cn/en_us/lambda/latest/dg/configuration-memory.html
# In its first ten seconds, a cold start has a whole processor whatever the memory:
# https://serverlessland.com/content/service/lambda/guides/effectively-running-java-on-serverless/init-heavy-lifting
MB_OF_ONE_PROCESSOR = 1769


def usd_of_containers(tasks: int, processors: float, memory_gb: float) -> float:
    """Return the charge for a month of Fargate tasks behind a load balancer, in US dollars."""
    task = processors * USD_PER_VCPU_HOUR + memory_gb * USD_PER_GB_HOUR
    return HOURS_A_MONTH * (tasks * task + USD_PER_LOAD_BALANCER_HOUR)


def usd_of_range(seconds: float, size: int, memory_mb: int) -> float:
    """Estimate the charge for a range of a file, in US dollars.

    Parameters
    ----------
    seconds : float
        What one whole processor takes.
    size : int
        Bytes of the range, each MB of which is a request to S3.
    memory_mb : int
        Of the function.
    """
    billed = seconds * max(1.0, MB_OF_ONE_PROCESSOR / memory_mb) * memory_mb / 1024
    reads, writes, messages = math.ceil(size / 2**20) + 4, 4, 3
    return (
        billed * USD_PER_GB_SECOND
        + USD_PER_MILLION_LAMBDA_REQUESTS / 1e6
        + reads * USD_PER_S3_READ
        + writes * USD_PER_S3_WRITE
        + messages * USD_PER_SQS_REQUEST
    )


def usd_of_log(size: float) -> float:
    """Return CloudWatch's charge for so many bytes of log, in US dollars."""
    return size / 1e9 * USD_PER_GB_OF_LOG


def usd_per_million(cold_seconds: float, warm_seconds: float, memory_mb: int) -> float:
    """Estimate Lambda's charge for a million requests in US dollars, without API Gateway's.

    With s the share of cold starts and M the memory in MB, both times rounded up to 1 ms::

        cold_ms = ceil(1000 cold_seconds)
        warm_ms = ceil(1000 warm_seconds max(1, 1769 / M))
        usd = 0.20 + 1000 (s cold_ms + (1 - s) warm_ms) (M / 1024) usd_per_gb_second

    Assumes that a request computes all the time on at most one processor, and that a cold start,
    its first request included, has a whole processor. Both times are those on one processor.
    """
    cold_ms = math.ceil(1000 * cold_seconds)
    warm_ms = math.ceil(1000 * warm_seconds * max(1.0, MB_OF_ONE_PROCESSOR / memory_mb))
    mean_ms = COLD_SHARE * cold_ms + (1 - COLD_SHARE) * warm_ms
    gb_seconds_per_million = 1000 * mean_ms * memory_mb / 1024
    return USD_PER_MILLION_LAMBDA_REQUESTS + gb_seconds_per_million * USD_PER_GB_SECOND
