"""The top: everything a person types into or looks at in a terminal."""
