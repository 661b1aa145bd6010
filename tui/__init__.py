"""The top: everything a person types into or looks at in a terminal."""

import gc

# Starting makes very many objects that stay. To look for garbage among them after every 700
# takes a sixth of the time to the dashboard's first paint (`scripts/bench/screens`).
gc.set_threshold(10_000)
