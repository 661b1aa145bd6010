"""A session in other tools' formats, one module a format (docs/commands/export.md)."""
