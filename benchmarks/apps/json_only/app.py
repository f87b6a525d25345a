"""A route that parses its body and does nothing with it: what any request with a body costs."""

from chalice.app import Chalice

app = Chalice(app_name="json_only")


@app.route("/classify", methods=["POST"])
def classify() -> dict[str, str]:
    """Parse, and answer the same whatever was sent."""
    assert app.current_request is not None
    assert app.current_request.json_body
    return {"prediction": "1"}
