"""The page that says what was measured, and how."""

from __future__ import annotations

from benchmarks.prices import COLD_SHARE, READ_ON, USD_PER_MILLION_API_REQUESTS
from benchmarks.results import Results
from benchmarks.tables import (
    batch_table,
    main_table,
    model_size_table,
    one_row_table,
    targets_table,
    throughput_table,
)
from benchmarks.targets import spread

PAGE = """\
# The benchmark

Written by `make bench`, measured on {machine}, with the Lambda runtime emulator.
Each figure is the median of {runs} runs, with the least and the most in brackets. A ratio is made
in each run of what was measured in that run, and the median is of the ratios. They count, not the
times.

![Cold start, warm request, memory and package size of four services](benchmark.png)

## Services

{main_table}

Ratios are to hello world's, which is packaged as Chalice does it, without byte code. The tutorial's
cold start takes {faster} times as long as this project's. A cold start is
the first request to a new process, a warm request a later one. What Lambda itself takes, such as
fetching the package to a machine, is not in it. Peak memory is the most in any run.

Dollars are an estimate of what Lambda charges for a million requests: from these medians, with
{memory_mb} MB of memory, {cold_share:.0%} cold starts and AWS's published prices, read on {read_on}
in stored pages that may be older (`benchmarks/prices.py` names them). API Gateway's
{api_gateway:.2f} come to them.

## Targets

{targets}

## One row

One sample with its 13 features by name, beside a Chalice route that parses its body and answers the
same whatever it holds. On the emulator a request costs what the emulator and the runtime client
cost as well; in one process the handlers are called and nothing else.

{one_row}

## A batch

By position, in one process, beside the bare work: parsing the JSON with the standard library, one
ONNX Runtime call, writing the answer.

{batch}

Samples in a second on the emulator, by the samples in a request:

{throughput}

## The model's size

This project's cold start with networks of several sizes, beside hello world's.

{model_size}
"""


def report(results: Results) -> str:
    """Write all that was measured.

    Parameters
    ----------
    results : Results

    Returns
    -------
    str
        A page in Markdown.
    """
    return PAGE.format(
        machine=results.machine,
        runs=len(results.runs),
        main_table=main_table(results),
        faster=spread(results.faster_than_tutorial, 1),
        memory_mb=results.memory_mb,
        cold_share=COLD_SHARE,
        read_on=READ_ON,
        api_gateway=USD_PER_MILLION_API_REQUESTS,
        targets=targets_table(results),
        one_row=one_row_table(results),
        batch=batch_table(results.batch_in_process),
        throughput=throughput_table(results),
        model_size=model_size_table(results),
    )
