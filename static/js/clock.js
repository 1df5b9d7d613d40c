// The server's time as well as this tab can know it: a measured offset on a clock that the person cannot change.

const samples = [];
let base = 0; // server ms at performance.now() === 0

/** First guess, from the page itself. */
export function start(serverAt) {
  base = serverAt - performance.now();
}

/** A ping that left at `sent` (performance.now()) came back with the server's time: keep the quickest of the last five. */
export function measured(sent, serverAt) {
  const now = performance.now();
  samples.push({ trip: now - sent, base: serverAt + (now - sent) / 2 - now });
  if (samples.length > 5) samples.shift();
  base = samples.reduce((best, each) => (each.trip < best.trip ? each : best)).base;
}

/** After sleep the old measurements are worth nothing. */
export function forget() {
  samples.length = 0;
}

export function serverNow() {
  return base + performance.now();
}
