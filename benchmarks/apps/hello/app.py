"""The least that Chalice serves."""

from chalice.app import Chalice

app = Chalice(app_name="hello")


@app.route("/", methods=["GET"])
def index() -> dict[str, str]:
    """Say hello."""
    return {"hello": "world"}
