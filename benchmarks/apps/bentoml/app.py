"""BentoML's own server, an ASGI app, behind Mangum; its lifespan begins once, at init."""

import asyncio

import bentoml
from mangum import Mangum
from model import classify


@bentoml.service
class Wine:
    """The service."""

    @bentoml.api
    def classify(self, data: float) -> dict[str, str]:
        """Classify one sample by its first feature."""
        return {"prediction": classify(data)}


app = Wine.to_asgi()
loop = asyncio.new_event_loop()
asyncio.set_event_loop(loop)
lifespan = app.router.lifespan_context(app)
loop.run_until_complete(lifespan.__aenter__())
handler = Mangum(app, lifespan="off")
