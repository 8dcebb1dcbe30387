"""The ontology language: text → syntax tree → ontology → tables for inference. Lark and NumPy only, no JAX."""
