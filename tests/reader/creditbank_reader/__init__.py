"""A second implementation of the Credit Bank protocol, written from its document alone."""
