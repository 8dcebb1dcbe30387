"""Built-in metrics: predictions beside evidence to numbers."""
