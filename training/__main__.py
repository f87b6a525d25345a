"""The command line: ``python -m training --help``."""

from __future__ import annotations

import argparse
import logging
import sys
import traceback
from collections.abc import Sequence

from chalicelib.errors import ServingError
from training.environments import find_other_sklearn, run_with_sklearn
from training.errors import TrainingError, first_line
from training.jobs import command as jobs
from training.parser import create_parser
from training.scoring import command as score

EXIT_ERROR = 2  # argparse's exit code for wrong usage


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code.

    An error is printed as one line on standard error; with ``--verbose`` all of it.
    """
    parser = create_parser()
    options = parser.parse_args(arguments)
    has_model = getattr(options, "model", None) is not None
    if has_model and not (options.data and options.target):
        parser.error(f"{options.command}: --model requires --data and --target")
    is_verbose = getattr(options, "verbose", False)
    if is_verbose or sys.stderr.isatty():  # show progress to a person
        logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        other_sklearn = _find_other_sklearn(options)
        if other_sklearn:
            command = sys.argv[1:] if arguments is None else arguments
            return run_with_sklearn(other_sklearn, options.model, command)
        if options.command == "score":
            return score.run(options)
        if options.command == "jobs":
            return jobs.run(options)
        # Imported here: --help and usage errors do not wait for scikit-learn.
        from training import commands

        commands.run(options)
    except (TrainingError, ServingError, OSError) as error:
        print(f"{options.command}: {error}", file=sys.stderr)
        for attempt in getattr(error, "attempts", []) if is_verbose else []:
            print(f"{attempt.strategy}: {attempt.rejection}", file=sys.stderr)
    except Exception as error:  # a library may raise anything for a file of any kind
        print(f"{options.command}: {type(error).__name__}: {first_line(error)}", file=sys.stderr)
        if is_verbose:
            traceback.print_exc()
    else:
        return 0
    return EXIT_ERROR


def _find_other_sklearn(options: argparse.Namespace) -> str | None:
    """Return the scikit-learn that ``--model`` needs and that is not the installed one."""
    if getattr(options, "model", None) is None:
        return None
    if options.model.suffix != ".skops" and not options.trust_pickle:
        return None  # it is rejected first
    return find_other_sklearn(options.model, options.sklearn)


if __name__ == "__main__":
    sys.exit(main())
