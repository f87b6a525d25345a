"""The keys that models are signed with: of secrets in variables, or of references to secrets."""

from __future__ import annotations

import threading

from chalicelib.background import Background
from chalicelib.errors import StoreError
from chalicelib.settings import MIN_KEY_CHARACTERS, Settings, derive_key, is_reference


class SigningKeys:
    """The keys of a store and a stage; what variables refer to is read once."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._keys: tuple[str, ...] | None = None
        self._reading = threading.Lock()
        self._prefetch: list[Background] = []

    def prefetch(self) -> None:
        """Begin to read what variables refer to, in the background."""
        if any(is_reference(secret) for _, secret in self._settings.signing_secrets):
            self._prefetch.append(self._start())

    def get(self) -> tuple[str, ...]:
        """Return the keys, none if signatures are not checked.

        Raises `StoreError` if a reference cannot be read; the next call tries again.
        """
        if self._keys is None:
            with self._reading:
                if self._keys is None:
                    self._keys = self._read()
        return self._keys

    def _read(self) -> tuple[str, ...]:
        secrets = self._settings.signing_secrets
        if any(is_reference(secret) for _, secret in secrets):
            reading = self._prefetch.pop() if self._prefetch else self._start()
            try:
                texts = reading.wait(self._settings.timeout_seconds)
            except TimeoutError:
                raise StoreError(
                    "no signing key", "The signing key could not be read in time."
                ) from None
        else:
            texts = [secret for _, secret in secrets]
        url, stage = self._settings.model_url, self._settings.stage
        return tuple(derive_key(text, url, stage) for text in texts)

    def _start(self) -> Background:
        return Background(self._resolve)

    def _resolve(self) -> list[str]:
        from chalicelib.store.secret_store import read_secret  # needed only with a reference

        texts = []
        for variable, secret in self._settings.signing_secrets:
            if is_reference(secret):
                secret = read_secret(variable, secret, self._settings.timeout_seconds)
                if len(secret) < MIN_KEY_CHARACTERS:
                    raise StoreError(
                        "no signing key",
                        f"{variable} refers to a text of {len(secret)} characters; it must have "
                        f"at least {MIN_KEY_CHARACTERS}.",
                    )
            texts.append(secret)
        return texts
