"""A language server for ontology files: what an editor asks, answered from the checked outline.

`positions`, `words`, `context`, `index`, `complete`, `describe`, `rename` and `buffers` know nothing of the protocol;
`server` speaks it.
"""
