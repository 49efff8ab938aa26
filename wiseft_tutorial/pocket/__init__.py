"""Pocket: a drawn world, the benchmark made from it, and a CLIP that was trained on it."""
