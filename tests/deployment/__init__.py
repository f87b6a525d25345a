"""Tests of ``deployment/``."""
