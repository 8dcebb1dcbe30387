"""Built-in heads: features to a distribution over legal worlds."""
