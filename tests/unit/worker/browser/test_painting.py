"""What a picture must not show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.core.redact import Redactor
from agent.worker.browser.painting import hidden_fields

if TYPE_CHECKING:
    from playwright.async_api import Browser

FIELDS = """
<input id=plain value="all shall see"><input id=secret><input id=half>
<input id=word type=password value="x"><input id=shown name=newPasswd value="typed">
<textarea id=area></textarea><div id=edited contenteditable></div><div id=open contenteditable>a
</div><select id=choice><option>hunter2pw</select>
<iframe srcdoc="<input id=framed value='HUNTER2PW'>"></iframe>
<script>
customElements.define("x-y", class extends HTMLElement { constructor() { super();
  this.attachShadow({mode: "open"}).innerHTML = "<input id=shadowed value=hunter2pw>" } });
Array.prototype.map = () => []; Object.keys = () => [];
</script><x-y></x-y>
"""


async def test_what_is_painted_over(browser: Browser) -> None:
    """Wherever a secret stands in a field, whole or half typed, and what was a password field."""
    redactor = Redactor()
    redactor.add("hunter2pw")
    page = await browser.new_page()
    await page.set_content(FIELDS)
    await page.fill("#secret", "hunter2pw")
    await page.locator("#half").press_sequentially("hunter")
    await page.locator("#area").type("my hunter2pw!")
    await page.locator("#edited").click()
    await page.keyboard.insert_text("hunter2pw")
    hidden = await hidden_fields(page, redactor, 5.0)
    ids = {await one.get_attribute("id") for locator in hidden for one in await locator.all()}
    without = await hidden_fields(page, Redactor(), 5.0)
    assert ids == {
        "secret",
        "half",
        "word",
        "shown",
        "area",
        "edited",
        "choice",
        "framed",
        "shadowed",
    }
    assert len(without) == 1
