"""How hard Hypothesis tries: the same examples every time, or many new ones with LEADSCORE_HYPOTHESIS=long."""

import os

from hypothesis import settings

settings.register_profile("ci", derandomize=True, deadline=None, database=None)
settings.register_profile("long", deadline=None, max_examples=2000, print_blob=True)
settings.load_profile(os.environ.get("LEADSCORE_HYPOTHESIS", "ci"))
