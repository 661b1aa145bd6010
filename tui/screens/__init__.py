"""One file a screen. `tui.app.TABS` names those of a session; each has a class `SCREEN`."""
