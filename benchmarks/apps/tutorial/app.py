"""The tutorial's handler, rewritten: every request downloads the pickle from S3 and loads it."""

import io
import os
from urllib.parse import urlsplit

import boto3
import joblib
from chalice.app import Chalice

app = Chalice(app_name="tutorial")
s3 = boto3.client("s3")
location = urlsplit(os.environ.get("PICKLE_URL", "s3://bucket/key"))


@app.route("/classify", methods=["POST"])
def classify() -> dict[str, str]:
    """Classify one sample by its first feature."""
    request = app.current_request
    assert request is not None
    pickle = io.BytesIO()
    s3.download_fileobj(location.netloc, location.path.lstrip("/"), pickle)
    pickle.seek(0)
    model = joblib.load(pickle)
    sample = [float(request.json_body["data"])] + [float("nan")] * 12
    return {"prediction": str(model.predict([sample])[0])}
