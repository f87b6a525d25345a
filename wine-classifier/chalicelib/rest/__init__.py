"""API Gateway and HTTP: events, bodies, responses, errors, CORS."""
