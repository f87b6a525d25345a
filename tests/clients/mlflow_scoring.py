"""MLflow's ScoringServerClient, with data frames in both orientations and with tensors."""

import json
import sys

import numpy as np
import pandas as pd
from mlflow.pyfunc.scoring_server.client import ScoringServerClient

wines = json.load(sys.stdin)
client = ScoringServerClient("127.0.0.1", int(sys.argv[1]))
client.ping()
client.get_version()
frame = pd.DataFrame(wines["samples"], columns=wines["names"])
for data in (frame, frame[frame.columns[::-1]], np.array(wines["samples"])):
    predictions = client.invoke(data).get_predictions()
    labels = [str(label) for label in np.asarray(predictions).ravel()]
    assert labels == wines["labels"], labels
