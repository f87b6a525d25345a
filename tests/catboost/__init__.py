"""CatBoost: its wheel is too large for the environment of all tests."""
