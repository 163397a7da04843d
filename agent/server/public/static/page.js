// Takes the page anew each minute while somebody looks, and says so when nobody renews it: what
// was green an hour ago must not go on looking fresh.
"use strict";

const EVERY = 60_000;
const OLD = 15 * 60_000;

function look() {
  const at = Date.parse(document.querySelector("[data-at]").dateTime);
  document.querySelector("[data-stale]").hidden = Date.now() - at < OLD;
}

async function renew() {
  if (document.hidden) return;
  try {
    const answer = await fetch(location.href, { cache: "no-store" });
    if (answer.ok) {
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const icon = 'link[rel="icon"]';
      document.title = page.title;
      document.querySelector(icon).replaceWith(page.querySelector(icon));
      document.querySelector("main").replaceWith(page.querySelector("main"));
    }
  } catch {
    // It is tried again; meanwhile the page says how old it is.
  }
  look();
}

look();
setInterval(renew, EVERY);
document.addEventListener("visibilitychange", renew);
