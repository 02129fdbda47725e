"""Rules of other people's scorers that several benchmarks share, one file per kit."""
