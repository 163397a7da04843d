"""The options of a browser context, as editors and type checkers know them.

They are those of Playwright's ``new_context`` that a journey may give, and ``device``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypedDict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


class Size(TypedDict):
    """Pixels of CSS."""

    width: int
    height: int


class Geolocation(TypedDict, total=False):
    """A place on earth, in degrees; ``accuracy`` in metres."""

    latitude: float
    longitude: float
    accuracy: float | None


class HttpCredentials(TypedDict, total=False):
    """Name and password for HTTP's own authentication."""

    username: str
    password: str
    origin: str | None
    send: Literal["always", "unauthorized"] | None


class Proxy(TypedDict, total=False):
    """A proxy for this context alone."""

    server: str
    bypass: str | None
    username: str | None
    password: str | None


class ClientCertificate(TypedDict, total=False):
    """A certificate that is shown to one origin; its keys are spelt as Playwright spells them."""

    origin: str
    certPath: str | Path | None
    cert: bytes | None
    keyPath: str | Path | None
    key: bytes | None
    pfxPath: str | Path | None
    pfx: bytes | None
    passphrase: str | None


class StoredItem(TypedDict):
    """One entry of a page's local storage."""

    name: str
    value: str


class StoredOrigin(TypedDict):
    """The local storage of one origin."""

    origin: str
    localStorage: list[StoredItem]


class StoredCookie(TypedDict, total=False):
    """A cookie, as Playwright's ``storage_state`` has it."""

    name: str
    value: str
    domain: str
    path: str
    expires: float
    httpOnly: bool
    secure: bool
    sameSite: Literal["Lax", "None", "Strict"]


class StorageState(TypedDict, total=False):
    """Cookies and local storage to begin with."""

    cookies: list[StoredCookie]
    origins: list[StoredOrigin]


class ContextOptions(TypedDict, total=False):
    """What ``@journey(context=…)`` and ``run.new_context(…)`` take.

    Playwright's documentation of ``new_context`` says what each does. ``device`` is the name of
    one of Playwright's devices; what is given beside it stands above the device's own.
    """

    accept_downloads: bool | None
    bypass_csp: bool | None
    client_certificates: Sequence[ClientCertificate] | None
    color_scheme: Literal["dark", "light", "no-preference", "null"] | None
    contrast: Literal["more", "no-preference", "null"] | None
    device: str
    device_scale_factor: float | None
    extra_http_headers: dict[str, str] | None
    forced_colors: Literal["active", "none", "null"] | None
    geolocation: Geolocation | None
    has_touch: bool | None
    http_credentials: HttpCredentials | Sequence[HttpCredentials] | None
    ignore_https_errors: bool | None
    is_mobile: bool | None
    java_script_enabled: bool | None
    locale: str | None
    no_viewport: bool | None
    offline: bool | None
    permissions: Sequence[str] | None
    proxy: Proxy | None
    reduced_motion: Literal["no-preference", "null", "reduce"] | None
    screen: Size | None
    service_workers: Literal["allow", "block"] | None
    storage_state: StorageState | str | Path | None
    strict_selectors: bool | None
    timezone_id: str | None
    user_agent: str | None
    viewport: Size | None


class VariantOptions(ContextOptions, total=False):
    """What one of ``@journey(variants=…)`` differs in: context and parameters."""

    params: Mapping[str, Any]
