"""Why the certificate of a server is not taken, in words that say what to do."""

from __future__ import annotations

import ssl

NOT_YET, EXPIRED = 9, 10
OWN, OWN_ROOT, UNKNOWN, UNKNOWN_FIRST = 18, 19, 20, 21
NAME, ADDRESS = 62, 64
"""What OpenSSL calls these failures."""
NO_ENCRYPTION = "it does not speak https there: is its address one with http://, or its port another one?"


def why(error: ssl.SSLError, remedy: str) -> str:
    """What is wrong, as the rest of a sentence; `remedy` says how an authority is made known."""
    if not isinstance(error, ssl.SSLCertVerificationError):
        if error.reason == "WRONG_VERSION_NUMBER":
            return NO_ENCRYPTION
        return "no encrypted connection comes about ({})".format((error.reason or str(error)).lower().replace("_", " "))
    said = error.verify_message.rstrip(".")
    if error.verify_code == EXPIRED:
        return "its certificate has expired: whoever runs it has to renew that"
    if error.verify_code == NOT_YET:
        return "its certificate is not valid yet: whoever runs it has to look at that, and both at the clocks of their machines"
    if error.verify_code in (NAME, ADDRESS):
        return f"its certificate is for another name ({said}): give the address that stands in it"
    if error.verify_code in (OWN, OWN_ROOT, UNKNOWN, UNKNOWN_FIRST):
        return f"its certificate comes from nobody who is trusted here ({said}): {remedy}"
    return f"its certificate is not trusted ({said})"
