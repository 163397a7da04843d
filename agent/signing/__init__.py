"""Signatures of requests: the signer, and the issuer that workers ask."""
