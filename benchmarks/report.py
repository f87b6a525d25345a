"""The page `docs/benchmark.md`."""

from __future__ import annotations

from benchmarks.bulk_tables import bulk_table, scale_table, splitting_sentence
from benchmarks.prices import COLD_SHARE, READ_ON, USD_PER_MILLION_API_REQUESTS
from benchmarks.results import Results
from benchmarks.tables import (
    batch_table,
    bytes_table,
    columns_table,
    file_scoring_table,
    images_sentence,
    log_size_table,
    log_time_table,
    main_table,
    metrics_sentence,
    model_size_table,
    one_row_table,
    targets_table,
    throughput_table,
)
from benchmarks.targets import spread

PAGE = """\
# Benchmark

Written by `make bench` on {machine}, with the Lambda runtime emulator. Each figure is the median of
{runs} runs, with the minimum and the maximum in brackets. A ratio compares two times of the same
run, and its figure is the median of the ratios. Compare ratios, not absolute times.

![Cold start, warm request, memory and package size of this project and of others](benchmark.png)

[Publishing at scale](publishing.md) has a page of its own.

## Services

{main_table}

Ratios are to the hello world, which plain Chalice packages without byte code. The tutorial's cold
start takes {faster} times as long as this project's. Lambda's own overhead, such as
copying the package to a machine, is not included. Peak memory is the maximum of all runs.

A cold start is the time that a client waits for the first response of a new process. A warm request
is a later one. Its time is what the emulator reports as the duration, which Lambda bills: from the
event to the response. A client of the emulator waits {unreported} ms longer, whatever
the function does.

The tutorial's handler fetches and unpickles its model in each request. The next five, in
`benchmarks/apps`, fetch the same ONNX file as this project, once at init, and run it with ONNX
Runtime's Python package. They have byte code, and neither check the features nor log. The bare
handler has no framework. MLflow's and BentoML's servers are ASGI apps: Mangum calls them in the
process of the function, so that there is no second process and no proxy. MLflow's request has all
13 features, as it reads no gap.{images}

The dollars estimate Lambda's charge for a million requests, from these medians, {memory_mb} MB of
memory, {cold_share:.0%} cold starts and AWS's published prices, read on {read_on} in stored pages
that may be older (`benchmarks/prices.py` lists them). API Gateway adds {api_gateway:.2f}.

## Targets

{targets}

## One row

One sample with its 13 features by name, compared with a Chalice route that parses its body and
returns a constant. On the emulator, both times include the runtime client. In one process, the
handlers are called directly.

{one_row}

## Batch

A batch by position in one process, compared with minimal work: parsing the JSON with the standard
library, one ONNX Runtime call and writing the response.

{batch}

The same samples in formats that hold columns, each compared with the minimal work for the same
body:

{columns}

A batch whose [tensor is bytes](http-api.md#tensors-as-bytes) in request and response, compared with
the same in JSON, and with decoding base64, copying the bytes to a matrix and one ONNX Runtime call:

{tensors}

Throughput on the emulator, by the number of samples in a request:

{throughput}

## Files

[A file](how-to/batch.md#a-file-of-any-length) of {scored_rows} rows of CSV scored on all cores,
compared with `pandas.read_csv`, `estimator.predict` and `to_csv`, in processes of their own. Both
write the same bytes. The forest has `n_jobs=-1`. Times are without imports; the ratio of processes
is with them. As after a first run, Python finds the bytecode of all libraries, and numba what it
has compiled.

{file_scoring}

## Files in a bucket

The function that scores [files in a bucket](how-to/batch.md#files-in-a-bucket), on one processor:
parse, check, predict and write, with probabilities. With 1,769 MB Lambda gives a function one
processor, with less a share of it. A dollar pays for Lambda, for S3's requests and for SQS
(`benchmarks/prices.py`).

{bulk}

{splitting}

On paper: a billion such rows, with as many functions as `BulkConcurrency` allows. Lambda begins
with 5 and adds [up to 300 a minute][scaling]. The time to start them, to read S3 and to split the
file comes on top.

{bulk_scale}

Where it stops scaling:

- At most 1,000 functions: the largest maximum concurrency of a queue, and the [quota][quotas] of
  all functions of an account unless AWS raises it. A new account has less.
- A file is split by one function at a time, at most as fast as above and as S3 is read. After 260
  seconds another one goes on. Several files are split at once.
- A file has at most 10,000 ranges: from 160 GB on they are longer, and each has to be scored in 300
  seconds.
- A message names a range and holds no rows, so neither SQS's limit of a message nor Lambda's of a
  payload counts. At most [120,000][sqs] messages are in flight, far more than functions.

[scaling]: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
[quotas]: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
[sqs]: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-queues.html

## Log

What [a line for each request](how-to/monitor.md#requests), metrics in it, and counts to find
[drift](how-to/drift.md) take. On the emulator a warm request with all of them takes
{log_on_emulator} times as long as one without. In one process:

{log_times}

What requests write, and what CloudWatch charges for it (`benchmarks/prices.py`). Lambda's own
lines, three for each request, come on top.

{log_sizes}

{metrics} A metric is charged for the hours in which it gets values.

## Model size

Cold starts with networks of several sizes, compared with the hello world.

{model_size}
"""


def report(results: Results) -> str:
    """Return the results as a Markdown page."""
    return PAGE.format(
        machine=results.machine,
        runs=len(results.runs),
        main_table=main_table(results),
        faster=spread(results.faster_than_tutorial, 1),
        unreported=spread([1000 * seconds for seconds in results.unreported]),
        images=images_sentence(results.packages),
        memory_mb=results.memory_mb,
        cold_share=COLD_SHARE,
        read_on=READ_ON,
        api_gateway=USD_PER_MILLION_API_REQUESTS,
        targets=targets_table(results),
        one_row=one_row_table(results),
        batch=batch_table(results.in_process),
        columns=columns_table(results.in_process),
        tensors=bytes_table(results.in_process),
        throughput=throughput_table(results),
        scored_rows=f"{max(each.rows for each in results.scoring.values()):,}",
        file_scoring=file_scoring_table(results.scoring),
        bulk=bulk_table(results.bulk),
        splitting=splitting_sentence(results.bulk),
        bulk_scale=scale_table(results.bulk),
        log_on_emulator=spread(results.log_on_emulator.ratios),
        log_times=log_time_table(results.log),
        log_sizes=log_size_table(results.log),
        metrics=metrics_sentence(results.log.metrics),
        model_size=model_size_table(results),
    )
