"""A route that only parses its body: the cost of any request with a body."""

from chalice.app import Chalice

app = Chalice(app_name="json_only")


@app.route("/classify", methods=["POST"])
def classify() -> dict[str, str]:
    """Parse the body and return a constant."""
    assert app.current_request is not None
    assert app.current_request.json_body
    return {"prediction": "1"}
