"""``[gate]``: which deploy tools may ask for verdicts, and who is told of one."""

from typing import Annotated, Literal

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from pydantic import AfterValidator, Field, SecretStr

from agent.config.addresses import web_address
from agent.config.fields import HeaderValue, Name, SentHeaderName, SiteAddress, Token
from agent.config.sections import Section

_LONGEST = 400
"""Characters of what a deploy is called: an owner, a repository and an environment."""
_FEWEST_BITS = 2048


def _deploys(sites: dict[str, str]) -> dict[str, str]:
    for name in sites:
        before, colon, behind = name.partition(":")
        if not (before and colon and behind and name.isprintable() and len(name) <= _LONGEST):
            raise ValueError(
                f'{name[:80]!a} must have a colon between two names, as "acme/shop:production"'
            )
    return sites


def _address(text: str) -> str:
    return web_address(text) if text else text


def _app(text: str) -> str:
    if text and not (text.isascii() and text.replace(".", "").isalnum() and len(text) <= 64):
        raise ValueError('must be the client ID of the GitHub App, such as "Iv23liAbCdEf"')
    return text


def _app_key(value: SecretStr) -> SecretStr:
    text = value.get_secret_value()
    if not text:
        return value
    try:
        key = load_pem_private_key(text.encode(), None)
    except (TypeError, ValueError):
        # What the library says may quote it.
        key = None
    if not isinstance(key, RSAPrivateKey) or key.key_size < _FEWEST_BITS:
        raise ValueError(
            "must be a private key of the GitHub App as it was downloaded, a PEM file: better the "
            "file FOOTFALL_GATE__GITHUB__KEY in secrets_dir"
        )
    return value


Deploys = Annotated[dict[str, str], AfterValidator(_deploys)]
"""The site that a deploy is of, by what the tool calls it."""
Address = Annotated[str, AfterValidator(_address)]
"""Where something is sent, or nothing."""
AppId = Annotated[str, AfterValidator(_app)]
AppKey = Annotated[SecretStr, AfterValidator(_app_key)]


class TokenSection(Section):
    """``[gate.argo_rollouts]``, ``[gate.flagger]``: what the tool shows; nothing: no way in."""

    token: Token = SecretStr("")


class GitHubSection(Section):
    """``[gate.github]``: what signs the deliveries, and who reports on a protection rule."""

    secret: Token = SecretStr("")
    deploys: Deploys = Field(default_factory=dict)
    release: Literal["sha", "ref", "none"] = "sha"
    api: Annotated[str, AfterValidator(web_address)] = "https://api.github.com"
    app: AppId = ""
    key: AppKey = SecretStr("")


class CdEventsSection(Section):
    """``[gate.cdevents]``: events of deploys in, and verdicts out to a sink."""

    token: Token = SecretStr("")
    deploys: Deploys = Field(default_factory=dict)
    sink: Address = ""
    sink_token: Token = SecretStr("")


class CanarySiteSection(Section):
    """``[gate.canaries.SITE]``: where a canary of the site answers, and what leads to it."""

    url: SiteAddress | None = None
    headers: dict[SentHeaderName, HeaderValue] = Field(default_factory=dict)


class HookSection(Section):
    """``[gate.hook]``: what is called for a gate that failed; nothing: nobody is."""

    url: Address = ""
    secret: Token = SecretStr("")


class GateSection(Section):
    """``[gate]``: one table a tool."""

    argo_rollouts: TokenSection = TokenSection()
    flagger: TokenSection = TokenSection()
    github: GitHubSection = GitHubSection()
    cdevents: CdEventsSection = CdEventsSection()
    hook: HookSection = HookSection()
    canaries: dict[Name, CanarySiteSection] = Field(default_factory=dict)
