"""Studies: study file → search space → trials → study → results; the training engine; supervisor and worker."""
