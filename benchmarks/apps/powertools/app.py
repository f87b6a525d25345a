"""The resolver of Powertools for AWS Lambda, without validation, as that imports pydantic."""

from aws_lambda_powertools.event_handler import APIGatewayRestResolver
from model import classify

app = APIGatewayRestResolver()


@app.post("/classify")
def classify_sample() -> dict[str, str]:
    """Classify one sample by its first feature."""
    return {"prediction": classify(float(app.current_event.json_body["data"]))}


handler = app.resolve
