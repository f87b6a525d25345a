"""Build and deploy the Lambda package: ``python -m deployment package`` and ``deploy``.

Chalice packages the app and its runtime; the rest of the package goes through these modules::

    package.wheels     requirements -> the wheels for Lambda, unpacked
    package.pruning    remove the files that serving never opens
    package.elf        check that Lambda can load every shared object
    package.bytecode   compile once what Lambda would compile on every cold start
    package.archive    a folder -> a reproducible zip, within Lambda's limits
    chalice_project    run Chalice on a copy of the project that contains this zip
    sam_template       the SAM template, with the parts from `.chalice/`

``emulator`` runs a package on this machine as Lambda does.
"""
