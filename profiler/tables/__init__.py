"""Profiles as Parquet tables in the session: derived from the raw files, quick to reopen.

Tables are written without compression, one page a column, so that a column is a piece of
the file: reopening maps it into memory and reads nothing until it is looked at. Any other
reader of Parquet reads them too.
"""
