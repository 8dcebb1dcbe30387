"""Built-in decoders: a distribution to one answer."""
