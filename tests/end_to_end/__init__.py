"""Tests over sockets and processes, on what users run."""
