"""The receiving side: telling the agent's requests apart, inside the application it visits.

::

    from agent.verify import SyntheticMiddleware, Verifier

    app = SyntheticMiddleware(app, Verifier("http-message-signatures-directory"))

The application then finds a ``Synthetic``, or None, in ``scope["footfall.synthetic"]``
(Starlette: ``request.state.synthetic``), under WSGI in ``environ["footfall.synthetic"]``, and
leaves out of its figures what is ``verified``. Nothing of the agent is needed here but this
package, ``cryptography`` and ``http-message-signatures``.
"""

from agent.verify.asgi import SyntheticMiddleware
from agent.verify.claim import Reason, Synthetic
from agent.verify.keys import DirectoryError
from agent.verify.verifier import Verifier
from agent.verify.wsgi import SyntheticWsgiMiddleware

__all__ = [
    "DirectoryError",
    "Reason",
    "Synthetic",
    "SyntheticMiddleware",
    "SyntheticWsgiMiddleware",
    "Verifier",
]
