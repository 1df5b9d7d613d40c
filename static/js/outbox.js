// Commands that the server has not acknowledged yet, kept in this browser so that reload and offline lose nothing.

// The key names the session: two people may use one browser after each other.
export const SESSION = document.querySelector("#session")?.dataset.session ?? "";
const KEY = `oversight.outbox.${SESSION}`;

function read() {
  try {
    return JSON.parse(localStorage.getItem(KEY)) || [];
  } catch {
    return [];
  }
}

let waiting = read();

function keep() {
  try {
    localStorage.setItem(KEY, JSON.stringify(waiting));
  } catch {
    // private browsing: the commands still wait in memory
  }
}

export function newId() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16)); // plain http on a local network has no randomUUID
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/** Keep a command until it is acknowledged; a newer draft of the same question replaces an older one. */
export function add(command) {
  if (command.kind === "draft") {
    waiting = waiting.filter((each) => each.kind !== "draft" || each.position !== command.position);
  }
  waiting.push(command);
  keep();
}

export function remove(id) {
  const found = waiting.find((each) => each.id === id);
  waiting = waiting.filter((each) => each.id !== id);
  keep();
  return found;
}

/** Commands about other questions can no longer be obeyed. */
export function forgetOthers(position) {
  waiting = waiting.filter((each) => each.position === undefined || each.position === position);
  keep();
}

/** Whether a choice for this question is still on its way, so that older news of it must not be shown. */
export function hasChoice(position) {
  return waiting.some((each) => (each.kind === "draft" || each.kind === "submit") && each.position === position);
}

export function all() {
  return [...waiting];
}
