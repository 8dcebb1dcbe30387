"""Built-in data sets: images and raw annotations."""
