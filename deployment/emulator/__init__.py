"""The Lambda runtime interface emulator, and API Gateway's events."""
