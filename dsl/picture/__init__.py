"""An ontology as a picture."""
