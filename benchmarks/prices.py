"""What AWS charges: the one place where its prices stand, and an estimate made of them."""

from __future__ import annotations

# US East (N. Virginia), x86, first tier, without the free tier; as published on
# https://aws.amazon.com/lambda/pricing/ and https://aws.amazon.com/api-gateway/pricing/
# in 2025. Look there before you rely on them.
DATE = "2025"
USD_PER_GB_SECOND = 0.0000166667
USD_PER_MILLION_LAMBDA_REQUESTS = 0.20
USD_PER_MILLION_API_REQUESTS = 3.50

# The memory with which a function has one processor; with less it has as much less of it, and
# takes as much longer: what a computation costs is nearly the same whatever the memory is.
# https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
GB_OF_ONE_PROCESSOR = 1769 / 1024

COLD_SHARE = 0.01  # of all requests; AWS says that it is under one in a hundred


def usd_per_million(cold_seconds: float, warm_seconds: float) -> float:
    """Estimate what a million requests cost of Lambda's own.

    Parameters
    ----------
    cold_seconds, warm_seconds : float
        How long a request takes on one processor, with and without a start.

    Returns
    -------
    float
        In US dollars; what API Gateway costs comes to it.
    """
    seconds = COLD_SHARE * cold_seconds + (1 - COLD_SHARE) * warm_seconds
    computing = 1e6 * seconds * GB_OF_ONE_PROCESSOR * USD_PER_GB_SECOND
    return USD_PER_MILLION_LAMBDA_REQUESTS + computing
