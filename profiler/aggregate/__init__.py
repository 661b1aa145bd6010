"""From rows to answers: sums per function, file and line, top stacks, statistics of samples."""
