"""MLflow's own server, an ASGI app, behind Mangum; the model is in S3 as MLflow saves it."""

import os

import mlflow.pyfunc
from mangum import Mangum
from mlflow.pyfunc import scoring_server

model = mlflow.pyfunc.load_model(os.environ["MLFLOW_URL"])
handler = Mangum(scoring_server.init(model), lifespan="off")
