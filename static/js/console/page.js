// Small things on console pages: copy a link, say when a page is no longer live, send each form once.

function say(text) {
  const line = document.querySelector("#offline");
  if (!line) return;
  line.textContent = text;
  line.hidden = text === "";
}

async function copy(button) {
  const field = document.getElementById(button.dataset.copy);
  const before = button.textContent;
  try {
    await navigator.clipboard.writeText(field.value);
    button.textContent = "Copied";
  } catch {
    field.select(); // plain http on a local network has no clipboard: the person presses Ctrl-C
    button.textContent = "Selected: press Ctrl-C";
  }
  setTimeout(() => {
    button.textContent = before;
  }, 2500);
}

for (const button of document.querySelectorAll("[data-copy]")) {
  button.hidden = false;
  button.addEventListener("click", () => copy(button));
}
for (const field of document.querySelectorAll("input[readonly]")) {
  field.addEventListener("focus", () => field.select());
}
for (const form of document.querySelectorAll("form[method=post]")) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) event.preventDefault(); // a double click
    form.dataset.sent = "yes";
  });
}
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent; // came back by "back"
});
for (const kind of ["htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(kind, () => say("The server does not answer. What you see is from before; we keep trying."));
}
document.addEventListener("htmx:responseError", () => say("The server could not refresh this page. Please load it again."));
document.addEventListener("htmx:afterOnLoad", () => say(""));
