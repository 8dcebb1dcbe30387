"""Ontologies from and to other formats."""
