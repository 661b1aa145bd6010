"""Profiles drawn: each function turns a profile into a Plotly figure as a plain dict.

Plotly itself is not imported. Colours are tokens (`@user`) that `style.themed` or the page
replaces, so that one figure serves the light and the dark page; long columns stay arrays, so
that the page can carry them as bytes. Every name that came from a tool goes through
`style.label`, since Plotly reads some HTML in texts.
"""
