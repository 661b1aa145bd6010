"""What readers return: the four shapes of profile, and the small values they share.

Everything above the readers looks at a shape and never at the tool that filled it.
Import the names from the module of their shape:

- `shared`   Frame, Damage, Shape
- `errors`   ErrorProfile  (Memcheck, Helgrind, DRD)
- `cost`     CostProfile   (Cachegrind, Callgrind)
- `heap`     HeapProfile   (Massif, DHAT)
- `samples`  SampleProfile (vmstat, schedstat)
"""
