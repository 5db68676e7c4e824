"""House profile of the property tests: a shared machine may take its time over one example."""

from hypothesis import settings

settings.register_profile("house", deadline=None, print_blob=True)
settings.load_profile("house")
