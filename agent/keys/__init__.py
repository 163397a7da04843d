"""Keys of signatures, as JWK and PEM."""
