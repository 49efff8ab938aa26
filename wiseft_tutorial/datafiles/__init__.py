"""Files of real data sets: where they come from, how they are fetched, and how they are read."""
