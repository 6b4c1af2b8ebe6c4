"""The shell around the pure core: the only package that opens, reads, writes or asks the time.

A lead's path: importing -> store -> snapshots -> train -> promote -> score -> compare.
"""
