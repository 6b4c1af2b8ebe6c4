"""Mapping files that come along: which column of which export is what."""
