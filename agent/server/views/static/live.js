// Keeps a page as it is on the server: fetches it anew and puts its fragments in place of the old.
//
// A fragment is an element with `data-fragment` and an id. What happens is heard on a stream of
// events, which only say that it is time to look: nothing of theirs is shown. Where the stream is
// away a timer does. Nothing goes on while the page is hidden. Where the agent can't be had, the
// page's root has `data-stale`.
"use strict";

(() => {
  const EVERY = 30_000; // ms between two looks with a stream: the agent's own state has no events
  const EVERY_ALONE = 10_000; // without one
  const EVERY_SOON = 2_000; // while a page has `data-soon`: it waits for what has no event
  const SETTLES = 150; // ms in which more events may come before a look
  const GAP = 1_000; // ms between two looks at the least
  const GAP_OF_LISTS = 5_000; // where every run of every journey counts
  const PATIENCE = 10; // times as long as the last look took
  const AGAIN = 60_000; // ms after which a stream that was closed is asked for again
  const WITHIN = 15_000; // ms for an answer

  const [, kind, name] = location.pathname.split("/");
  const ofRun = kind === "runs" && name;
  const ofJourney = kind === "journeys" && name;

  let stream = null;
  let timer = 0;
  let again = 0;
  let looking = null;
  let wanted = false; // something happened while a look went on
  let due = 0; // when the look that is planned comes
  let lastBegan = -Infinity;
  let lastTook = 0;

  function address() {
    const asked = new URLSearchParams();
    if (ofRun) asked.set("run", decodeURIComponent(name));
    if (ofJourney) asked.set("journey", decodeURIComponent(name));
    return `/api/v1/events${asked.size ? `?${asked}` : ""}`;
  }

  // Looks.

  function plan(wait) {
    const at = performance.now() + wait;
    if (timer && due <= at) return;
    clearTimeout(timer);
    due = at;
    timer = setTimeout(look, wait);
  }

  function soon(gap) {
    if (looking) {
      wanted = true;
      return;
    }
    const rest = Math.max(gap, Math.min(PATIENCE * lastTook, EVERY));
    plan(Math.max(SETTLES, lastBegan + rest - performance.now()));
  }

  function later() {
    clearTimeout(timer);
    timer = 0;
    const awaited = document.querySelector("[data-soon]");
    const heard = stream && stream.readyState === EventSource.OPEN;
    plan(awaited ? EVERY_SOON : heard ? EVERY : EVERY_ALONE);
  }

  async function look() {
    timer = 0;
    if (looking || document.hidden) return;
    looking = new AbortController();
    wanted = false;
    lastBegan = performance.now();
    const limit = setTimeout(() => looking?.abort(), WITHIN);
    try {
      const answer = await fetch(location.href, {
        headers: { Accept: "text/html" },
        cache: "no-store",
        signal: looking.signal,
      });
      if (answer.redirected || answer.status === 401) {
        // The session is over: the page itself leads to where one signs in.
        location.reload();
        return;
      }
      if (answer.ok) swap(new DOMParser().parseFromString(await answer.text(), "text/html"));
      document.documentElement.toggleAttribute("data-stale", !answer.ok);
    } catch {
      // Left or hidden meanwhile is no trouble.
      if (!document.hidden) document.documentElement.toggleAttribute("data-stale", true);
    } finally {
      clearTimeout(limit);
      lastTook = performance.now() - lastBegan;
      looking = null;
      if (!document.hidden) {
        later();
        if (wanted) soon(GAP);
      }
    }
  }

  // Fragments.

  const fragments = (page) => [...page.querySelectorAll("[data-fragment][id]")];
  const names = (page) => fragments(page).map((one) => one.id).join();

  function swap(fresh) {
    // Where some came or went, all that they stand in is put in place.
    const isBeside = (one) => !one.closest("main");
    const changed = names(document) === names(fresh)
      ? fragments(document)
      : [...fragments(document).filter(isBeside), document.querySelector("main")];
    for (const old of changed) {
      const made = old.id ? fresh.getElementById(old.id) : fresh.querySelector("main");
      if (!made || old.isEqualNode(made) || isInUse(old)) continue;
      const open = [...old.querySelectorAll("details[id][open]")].map((one) => one.id);
      const focus = focusIn(old);
      old.replaceWith(document.adoptNode(made));
      for (const id of open) document.getElementById(id)?.setAttribute("open", "");
      focus?.(made);
    }
  }

  // Whether somebody types here, or has marked what is to be copied.
  function isInUse(element) {
    const active = document.activeElement;
    if (element.contains(active) && active.matches("input, textarea, select")) return true;
    const marked = getSelection();
    return !marked.isCollapsed && marked.containsNode(element, true);
  }

  function focusIn(element) {
    const active = document.activeElement;
    if (!element.contains(active)) return null;
    const place = [...element.querySelectorAll("a, button, summary, [tabindex]")].indexOf(active);
    const { id } = active;
    const href = active.getAttribute("href");
    return (made) => {
      const all = [...made.querySelectorAll("a, button, summary, [tabindex]")];
      const same =
        (id && all.find((one) => one.id === id)) ||
        (href && all.find((one) => one.getAttribute("href") === href)) ||
        all[place];
      same?.focus({ preventScroll: true });
    };
  }

  // The stream.

  function listen() {
    if (stream || document.hidden) return;
    stream = new EventSource(address());
    const near = () => soon(GAP);
    stream.addEventListener("state", near);
    stream.addEventListener("missed", near);
    stream.addEventListener("run", ofRun || ofJourney ? near : () => soon(GAP_OF_LISTS));
    if (ofRun) stream.addEventListener("step", near);
    // What happened before it was there.
    stream.addEventListener("open", near);
    stream.addEventListener("closed", () => {
      leave();
      again = setTimeout(listen, AGAIN);
      near();
    });
    stream.onerror = () => {
      if (stream?.readyState === EventSource.CLOSED) {
        leave();
        again = setTimeout(listen, AGAIN);
      }
      later();
    };
  }

  function leave() {
    clearTimeout(again);
    stream?.close();
    stream = null;
  }

  function show() {
    if (document.hidden) {
      leave();
      clearTimeout(timer);
      timer = 0;
      looking?.abort();
    } else {
      listen();
      soon(GAP);
    }
  }

  document.addEventListener("visibilitychange", show);
  // A page that comes back from where browsers keep those that were left.
  addEventListener("pageshow", (event) => event.persisted && show());
  addEventListener("pagehide", leave);
  listen();
  later();
})();
