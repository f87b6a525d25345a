"""The Lambda runtime interface emulator."""
