"""Evaluate a fitted classifier, export it, compare it with scikit-learn and publish it.

From the shell: ``python -m training --help``. From Python: `training.publish.publish`. Each layer
imports only the layers below it::

    __main__, commands      the command line
    publish                 build and publish in one call
    artifact, registry      build the file to publish; store, list and roll back versions
    checks, formats         what may be published; the format of the file
    manifest                the description inside the file
    export/                 find the fastest exact runtime
    data/                   tables, user files, the inferred signature
    errors

``scoring/`` labels the rows of a file, and alone needs ``pyarrow``. ``wine/`` is the worked
example: its data, estimators and evaluation, used by ``commands`` only.
"""
