"""The page in a real browser: Playwright drives Chromium against `chalice local`.

``make browser`` installs both and runs these tests; ``make test`` does not collect them.
"""
