"""Makes what is shipped to Lambda: ``python -m deployment package`` and ``deploy``.

The app and Chalice's own runtime files come from Chalice; the rest goes through these modules::

    wheels           requirements -> the wheels of a Lambda function, unpacked
    lean             which files serving never opens
    shared_objects   whether Lambda can load what is left
    bytecode         what Lambda would else compile on every cold start
    archive          a folder -> a zip, the same byte for byte each time, within the limits
    project          Chalice, run on a copy of the project that holds this zip

What was made is run by ``emulator``, as Lambda does: ``emulator_files`` fetches what it takes, and
``api_gateway`` is what comes before the function.

Chalice has no hook to change a package; but it takes a zip that lies where it would put its own.
"""
