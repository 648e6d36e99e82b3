"""How Sphinx builds this documentation."""  # noqa: INP001 - read by Sphinx, not imported

from __future__ import annotations

from beaker import __version__

project = "Beaker"
author = "the Beaker authors"
release = version = __version__
copyright = "2026, the Beaker authors"  # noqa: A001 - Sphinx calls it so

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
exclude_patterns = ["_build", "benchmarks"]
default_role = "code"

# Else what is told of an attribute collides with the attribute itself.
napoleon_use_ivar = True
autodoc_member_order = "bysource"
autodoc_typehints = "description"

html_theme = "alabaster"
html_title = f"Beaker {release}"
html_theme_options = {
    "description": "Caching and sessions for Python web applications",
    "fixed_sidebar": True,
    "page_width": "64rem",
}
