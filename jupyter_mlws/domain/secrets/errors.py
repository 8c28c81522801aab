"""Failures of secrets."""

from __future__ import annotations

from jupyter_mlws.kit.errors import BadInput, Conflict, NotFound


class SecretNotFound(NotFound):
    """No secret of the workspace has this name."""

    code = "secret_not_found"


class UnknownSecret(BadInput):
    """A job names a secret that its workspace does not have."""

    code = "unknown_secret"


class UnusableSecret(BadInput):
    """The value cannot be an environment variable, or is so short that it could not be hidden in a log."""

    code = "unusable_secret"


class KeyMissing(Conflict):
    """The key that the secrets are sealed with is not here."""

    code = "secrets_key_missing"


class KeyUnusable(Conflict):
    """There is a key, and it cannot be used: others can read it, or it is none."""

    code = "secrets_key_unusable"
