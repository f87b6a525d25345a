"""Tests of the pages: links, form, and completeness against the code."""
