"""What AWS charges: the one place where its prices stand, and an estimate made of them."""

from __future__ import annotations

import math

# US East (N. Virginia), x86, first tier, without the free tier. AWS's price pages fill in their
# tables in the browser, so the figures were read on 2026-11-22 in stored copies of these pages,
# which may be older than that day. Look there before you rely on them.
READ_ON = "2026-11-22"

# https://docs.aws.amazon.com/whitepapers/latest/how-aws-pricing-works/lambda.html said "$0.20 per
# 1 million requests", "$0.00001667 for every GB-second" and "rounded up to the nearest 1
# millisecond"; https://cloudchipr.com/blog/aws-lambda-pricing (of 2024) gave the price with more
# digits, for the first 6 billion GB-seconds of a month.
USD_PER_GB_SECOND = 0.0000166667
USD_PER_MILLION_LAMBDA_REQUESTS = 0.20

# REST API, the first 333 million requests of a month:
# https://docs.aws.amazon.com/pt_br/whitepapers/latest/best-practices-api-gateway-private-apis-integration/cost-optimization.html
USD_PER_MILLION_API_REQUESTS = 3.50

# Since 2025-08-01 the start (INIT) is billed as the request is, and starts "typically occur in
# under 1% of invocations": so others quote the announcement, which was not itself stored:
# https://aws.amazon.com/blogs/compute/aws-lambda-standardizes-billing-for-init-phase/
COLD_SHARE = 0.01

# The memory with which a function has one processor. With less it has as much less of it:
# https://docs.amazonaws.cn/en_us/lambda/latest/dg/configuration-memory.html
# But a start has a whole one, whatever the memory, for its first ten seconds:
# https://serverlessland.com/content/service/lambda/guides/effectively-running-java-on-serverless/init-heavy-lifting
MB_OF_ONE_PROCESSOR = 1769


def usd_per_million(cold_seconds: float, warm_seconds: float, memory_mb: int) -> float:
    """Estimate what a million requests cost of Lambda's own.

    With s the share of cold starts and M the memory in MB, both times in whole milliseconds::

        cold_ms = ceil(1000 cold_seconds)
        warm_ms = ceil(1000 warm_seconds max(1, 1769 / M))
        usd = 0.20 + 1000 (s cold_ms + (1 - s) warm_ms) (M / 1024) usd_per_gb_second

    as Lambda rounds each up to 1 ms. A request is taken to compute all the time and to use one
    processor at most; a cold start, its first request included, is taken to have a whole one.

    Parameters
    ----------
    cold_seconds, warm_seconds : float
        How long a request takes on one processor, with and without a start.
    memory_mb : int
        What the function is given.

    Returns
    -------
    float
        In US dollars; what API Gateway costs comes to it.
    """
    cold_ms = math.ceil(1000 * cold_seconds)
    warm_ms = math.ceil(1000 * warm_seconds * max(1.0, MB_OF_ONE_PROCESSOR / memory_mb))
    mean_ms = COLD_SHARE * cold_ms + (1 - COLD_SHARE) * warm_ms
    gb_seconds_of_a_million = 1000 * mean_ms * memory_mb / 1024
    return USD_PER_MILLION_LAMBDA_REQUESTS + gb_seconds_of_a_million * USD_PER_GB_SECOND
