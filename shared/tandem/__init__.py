"""Tandem: screening for systematic reviews, by two people and a ranking."""

__version__ = "0.1.0"
