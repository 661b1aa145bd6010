"""One recording: asked for, carried out, and gone on with after a cut."""
