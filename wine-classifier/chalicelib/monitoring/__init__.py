"""What the log tells of requests: a line for each, with metrics."""
