// Two beacons a page, as two common products send them.
{
  const { origin, event } = document.currentScript.dataset;

  const query = new URLSearchParams({
    v: "2",
    tid: "G-DEMOSHOP01",
    en: event,
    dl: location.href,
    dt: document.title,
  });
  navigator.sendBeacon(`${origin}/g/collect?${query}`);

  const visit = {
    n: event === "purchase" ? "Purchase" : "pageview",
    u: location.href,
    d: location.hostname,
    r: document.referrer || null,
  };
  fetch(`${origin}/api/event`, {
    method: "POST",
    headers: { "Content-Type": "text/plain" },
    body: JSON.stringify(visit),
    keepalive: true,
  }).catch(() => {});
}
