"""Built-in optimizers, from optax."""
