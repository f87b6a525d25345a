"""FastAPI, which checks the body with pydantic, behind Mangum."""

from fastapi import FastAPI
from mangum import Mangum
from model import classify
from pydantic import BaseModel


class Request(BaseModel):
    """The body of a request."""

    data: float


app = FastAPI()


@app.post("/classify")
async def classify_sample(request: Request) -> dict[str, str]:
    """Classify one sample by its first feature; async, as a thread would take longer."""
    return {"prediction": classify(request.data)}


handler = Mangum(app, lifespan="off", api_gateway_base_path="/Prod")
