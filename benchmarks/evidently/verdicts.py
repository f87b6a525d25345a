"""Print Evidently's verdicts on tables; runs in the environment of `requirements.txt`.

Arguments: the CSV file of the training data, then those to compare with it. Prints a JSON list with
the columns that drifted, of each file, and whether the whole table did.
"""

import json
import sys
import warnings

import pandas as pd
from evidently import DataDefinition, Dataset, Report
from evidently.presets import DataDriftPreset

DATASET = "DriftedColumnsCount"
COLUMN = "ValueDrift"


def main() -> None:
    """Compare each table with the first."""
    reference = pd.read_csv(sys.argv[1])
    numbers = list(reference.select_dtypes("number").columns)
    others = [name for name in reference.columns if name not in numbers]
    definition = DataDefinition(numerical_columns=numbers, categorical_columns=others)
    trained = Dataset.from_pandas(reference, definition)
    verdicts = []
    for path in sys.argv[2:]:
        served = Dataset.from_pandas(pd.read_csv(path), definition)
        report = Report([DataDriftPreset()], include_tests=True).run(served, trained)
        failed = [test for test in report.dict()["tests"] if test["status"] == "FAIL"]
        parameters = [test["metric_config"]["params"] for test in failed]
        columns = [each["column"] for each in parameters if each["type"].endswith(COLUMN)]
        dataset = any(each["type"].endswith(DATASET) for each in parameters)
        verdicts.append({"columns": columns, "dataset": dataset})
    json.dump(verdicts, sys.stdout)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()
