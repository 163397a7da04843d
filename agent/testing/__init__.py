"""For the tests of a journey's author: a ``Run`` without a browser, a site or an agent.

``FakeRun`` is given to a helper, or to a whole journey, in place of the run that a worker makes.
It remembers what was done with it. ``FakeApi`` answers in place of ``run.api``. Neither imports
Playwright; a page is whatever the test gives.
"""

from agent.testing.fake_api import Asked, FakeAnswer, FakeApi
from agent.testing.fake_run import FakeRun

__all__ = ["Asked", "FakeAnswer", "FakeApi", "FakeRun"]
