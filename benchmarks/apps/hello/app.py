"""The smallest Chalice app."""

from chalice.app import Chalice

app = Chalice(app_name="hello")


@app.route("/", methods=["GET"])
def index() -> dict[str, str]:
    """Return a constant."""
    return {"hello": "world"}
