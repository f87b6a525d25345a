"""Tests of ``wine-classifier/``."""
