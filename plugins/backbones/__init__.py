"""Built-in backbones: images to features."""
