// Asks the API for delivery to the chosen country; an order can be sent only with its answer.
const form = document.getElementById("checkout");
const settings = JSON.parse(form.dataset.settings);

const country = document.getElementById("country");
const quote = document.getElementById("quote");
const place = document.getElementById("place");
const note = document.getElementById("delivery-note");
const money = new Intl.NumberFormat("en-IE", { style: "currency", currency: settings.currency });

function show(id, cents) {
  document.getElementById(id).textContent = cents === null ? "–" : money.format(cents / 100);
}

async function ask() {
  place.disabled = true;
  quote.value = "";
  show("shipping", null);
  show("total", null);
  const chosen = country.value;
  if (!chosen) {
    note.textContent = "Choose a country to see the cost of delivery.";
    return;
  }
  const answer = await fetch(`${settings.shipping}?country=${encodeURIComponent(chosen)}`);
  if (country.value !== chosen) return;
  if (!answer.ok) {
    note.textContent = "We could not work out the delivery. Please try again.";
    return;
  }
  const offer = await answer.json();
  show("shipping", offer.shipping_cents);
  show("total", offer.total_cents);
  note.textContent = `Arrives in ${offer.days} days.`;
  quote.value = offer.quote;
  place.disabled = false;
}

country.addEventListener("change", ask);
form.addEventListener("submit", () => { place.disabled = true; });
ask();
