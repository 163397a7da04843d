"""From a target to the transport that speaks its protocol."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agent.telemetry.delivery.destination import Target
    from agent.telemetry.delivery.transport import Transport


async def connect(target: Target) -> Transport:
    """Return the transport for a target; its certificates are read off the loop.

    Raises:
        ValueError: a certificate or the address can't be used.

    """
    if target.protocol == "grpc":
        # Loaded only where wanted: the library costs memory and start-up time.
        from agent.telemetry.delivery import otlp_grpc

        credentials = await asyncio.to_thread(otlp_grpc.credentials_of, target)
        return otlp_grpc.GrpcTransport(target, credentials)
    from agent.telemetry.delivery import otlp_http

    trust = await asyncio.to_thread(otlp_http.trust_of, target)
    return otlp_http.HttpTransport(target, trust)
