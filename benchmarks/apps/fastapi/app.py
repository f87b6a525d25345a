"""The tutorial's service with FastAPI, Mangum and joblib, which loads the pickle once."""

import io
import os
from urllib.parse import urlsplit

import boto3
import joblib
from fastapi import FastAPI
from mangum import Mangum
from pydantic import BaseModel

location = urlsplit(os.environ["PICKLE_URL"])
pickle = io.BytesIO()
boto3.client("s3").download_fileobj(location.netloc, location.path.lstrip("/"), pickle)
pickle.seek(0)
model = joblib.load(pickle)


class Request(BaseModel):
    """The body of a request."""

    data: float


app = FastAPI()


@app.post("/classify")
def classify(request: Request) -> dict[str, str]:
    """Classify one sample by its first feature."""
    sample = [request.data] + [float("nan")] * 12
    return {"prediction": str(model.predict([sample])[0])}


handler = Mangum(app, lifespan="off", api_gateway_base_path="/Prod")
