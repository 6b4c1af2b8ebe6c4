"""Benchmarks: run by hand, never as tests; what they print is ratios of paired runs on one machine."""
