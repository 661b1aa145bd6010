"""May this build pass? A session held against limits, absolute ones or a baseline's.

limits    what a limit is, and how a person writes one
checking  limits held against a session: broken or not, with figures
places    where a figure comes from: stacks, functions, lines
"""
