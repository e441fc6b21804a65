"""A whole review of synthetic records, done by simulated people over the public API."""
