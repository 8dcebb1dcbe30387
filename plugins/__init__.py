"""Plugins: contracts, the registry, and the built-in backbones, heads, decoders, data sets, optimizers and metrics."""
