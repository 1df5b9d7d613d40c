// The socket: connects, comes back with backoff and jitter, resends what was not acknowledged, measures the clock.

import * as clock from "./clock.js";
import * as outbox from "./outbox.js";

const FIRST_WAIT = 500;
const LONGEST_WAIT = 10_000;
const QUIET_FOR = 45_000;

/** on.frame(frame), on.online(isOnline), on.ack(command), on.refused(command, frame) */
export function connect(on) {
  let socket = null;
  let wait = FIRST_WAIT;
  let timer = null;
  let pings = null;
  let heardAt = performance.now();
  let lastSeq = () => 0;
  let wasOpen = false;

  function url() {
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    return `${scheme}//${location.host}/ws/session/`;
  }

  function isOpen() {
    return socket !== null && socket.readyState === WebSocket.OPEN;
  }

  function raw(frame) {
    if (isOpen()) socket.send(JSON.stringify(frame));
  }

  function ping() {
    raw({ kind: "ping", at: performance.now() });
  }

  function open() {
    clearTimeout(timer);
    if (socket !== null && socket.readyState <= WebSocket.OPEN) return;
    socket = new WebSocket(url());
    socket.addEventListener("open", () => {
      wait = FIRST_WAIT;
      wasOpen = true;
      heardAt = performance.now();
      on.online(true);
      raw({ kind: "hello", last_seq: Math.max(0, lastSeq()) });
      for (const command of outbox.all()) raw(command);
      ping();
    });
    socket.addEventListener("message", (message) => {
      heardAt = performance.now();
      receive(JSON.parse(message.data));
    });
    socket.addEventListener("close", (closed) => {
      on.online(false);
      if (closed.code === 4401) return; // the server does not know this browser: the page says so after a reload
      timer = setTimeout(open, wait * (0.5 + Math.random()));
      wait = Math.min(LONGEST_WAIT, wait * 2);
    });
  }

  function receive(frame) {
    if (frame.kind === "pong") {
      clock.measured(frame.at, frame.server_at);
    } else if (frame.kind === "ack") {
      on.ack(outbox.remove(frame.id));
    } else if (frame.kind === "refused") {
      on.refused(frame.id ? outbox.remove(frame.id) : undefined, frame);
    } else {
      on.frame(frame);
    }
  }

  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState !== "visible") return;
    clock.forget();
    if (isOpen()) ping();
    else open();
  });
  window.addEventListener("online", open);
  pings = setInterval(() => {
    if (!isOpen()) return;
    if (performance.now() - heardAt > QUIET_FOR) socket.close(); // half-open: nothing came for long
    else ping();
  }, 15_000);
  window.addEventListener("pagehide", () => clearInterval(pings));

  return {
    open,
    isOpen,
    wasOpen: () => wasOpen,
    resync: () => raw({ kind: "resync" }),
    tellLastSeq: (get) => {
      lastSeq = get;
    },
    /** Send a command now and again after every reconnect until it is acknowledged or refused. */
    command(kind, values = {}) {
      const command = { kind, id: outbox.newId(), at: Date.now(), ...values };
      outbox.add(command);
      raw(command);
      return command;
    },
    /** Send something that nobody misses when it is lost. */
    mention(kind, values = {}) {
      raw({ kind, id: outbox.newId(), at: Date.now(), ...values });
    },
  };
}
