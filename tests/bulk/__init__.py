"""Tests of the function that scores files."""
