"""Score files: what the function of `BULK=yes` alone needs.

::

    handler     one message of the queue: a file to split, or a range to score
    tasks       split a file, score a range
    outbox      plans, parts, markers, `_SUCCESS` and `_FAILED`
    scoring     rows to lines of a part
    inbox       the files, read in ranges
    rows        where rows end, in CSV and JSON Lines
    versions    the live version, and a version that a plan names
    queue       messages to SQS
    settings    environment variables

`app.py` imports it when the first message is there, and in no other function.
"""
