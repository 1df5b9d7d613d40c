// Commands that the server has not acknowledged yet, kept in this browser so that reload and offline lose nothing.
// Each has an entry of its own, so that two tabs never write over each other's.

// The key names the session: two people may use one browser after each other.
export const SESSION = document.querySelector("#session")?.dataset.session ?? "";
const PREFIX = `oversight.outbox.${SESSION}.`;
const COUNT = `oversight.count.${SESSION}`;
const WRITER = `oversight.writer.${SESSION}`;

const kept = {
  get(key) {
    try {
      return localStorage.getItem(key);
    } catch {
      return null; // private browsing: the commands still wait in memory
    }
  },
  put(key, value) {
    try {
      localStorage.setItem(key, value);
    } catch {
      // as above, or the browser's store is full
    }
  },
  drop(key) {
    try {
      localStorage.removeItem(key);
    } catch {
      // as above
    }
  },
  keys() {
    try {
      return Object.keys(localStorage);
    } catch {
      return [];
    }
  },
};

export function newId() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16)); // plain http on a local network has no randomUUID
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

function readAll() {
  const found = [];
  for (const key of kept.keys().filter((each) => each.startsWith(PREFIX))) {
    try {
      found.push(JSON.parse(kept.get(key)));
    } catch {
      kept.drop(key);
    }
  }
  return found.filter((each) => each?.id).sort((one, other) => one.number - other.number);
}

let waiting = readAll();
let counted = 0;

/** This browser's name in the session, the same in all its tabs. */
export const writer = kept.get(WRITER) ?? newId();
kept.put(WRITER, writer);

/** A count that rises over all tabs of this browser, whatever its clock does. */
export function nextNumber() {
  counted = Math.max(counted, Number(kept.get(COUNT)) || 0) + 1;
  kept.put(COUNT, String(counted));
  return counted;
}

/** Keep a command until it is acknowledged; a newer draft of the same question replaces an older one. */
export function add(command) {
  if (command.kind === "draft") {
    for (const each of waiting) if (each.kind === "draft" && each.position === command.position) remove(each.id);
  }
  waiting.push(command);
  kept.put(PREFIX + command.id, JSON.stringify(command));
}

export function remove(id) {
  const found = waiting.find((each) => each.id === id);
  waiting = waiting.filter((each) => each.id !== id);
  kept.drop(PREFIX + id);
  return found;
}

/** Commands about other questions can no longer be obeyed. */
export function forgetOthers(position) {
  for (const each of waiting) if (each.position !== undefined && each.position !== position) remove(each.id);
}

/** Whether a choice for this question is still on its way, so that older news of it must not be shown. */
export function hasChoice(position) {
  return waiting.some((each) => (each.kind === "draft" || each.kind === "submit") && each.position === position);
}

export function all() {
  return [...waiting];
}
