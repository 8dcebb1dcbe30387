"""Built-in augmentations: random changes of training images."""
