// The socket: connects, comes back with backoff and jitter, resends what was not acknowledged, measures the clock.

import * as clock from "./clock.js";
import * as outbox from "./outbox.js";

const FIRST_WAIT = 500;
const LONGEST_WAIT = 10_000;
const QUIET_FOR = 45_000;
const ANSWER_WITHIN = 5_000;

/** on.frame(frame), on.online(isOnline), on.ack(command), on.refused(command, frame), on.paused(), on.troubled(), on.otherSession();
    pageSeq: the last event that the page itself shows. */
export function connect(on, pageSeq) {
  let socket = null;
  let wait = FIRST_WAIT;
  let timer = null;
  let pings = null;
  let heardAt = performance.now();
  let lastSeq = () => 0;
  let isReady = false;
  let wasReady = false;
  let askedAt = 0;
  const asked = new Set(); // commands that this socket has sent and the server has not answered

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

  function ask(command) {
    asked.add(command.id);
    askedAt = performance.now();
    raw(command);
  }

  function ping() {
    raw({ kind: "ping", at: performance.now(), ...(lastSeq() >= 0 && { seq: lastSeq() }) });
  }

  function open() {
    clearTimeout(timer);
    if (socket !== null && socket.readyState <= WebSocket.OPEN) return;
    const own = new WebSocket(url());
    socket = own;
    own.addEventListener("open", () => {
      if (socket !== own) return;
      heardAt = performance.now();
      raw({ kind: "hello", last_seq: Math.max(0, lastSeq()) });
      ping();
    });
    own.addEventListener("message", (message) => {
      if (socket !== own) return;
      heardAt = performance.now();
      receive(JSON.parse(message.data));
    });
    own.addEventListener("close", (closed) => {
      if (socket !== own) return;
      lost(closed.code);
    });
  }

  function lost(code) {
    socket = null;
    isReady = false;
    asked.clear();
    on.online(false);
    if (code === 4401) {
      wasReady = false; // the server does not know this browser: forms go the ordinary way, whose page says so
      return;
    }
    timer = setTimeout(open, wait * (0.5 + Math.random()));
    wait = Math.min(LONGEST_WAIT, wait * 2);
  }

  /** A socket may look open long after the network under it has changed: leave it and make a new one. */
  function renew() {
    const old = socket;
    if (old === null) return;
    wait = FIRST_WAIT;
    lost(0);
    old.close();
    open();
  }

  /** The first snapshot says whose session this is; only then may what waited in this browser go out. */
  function ready() {
    if (isReady) return;
    isReady = wasReady = true;
    wait = FIRST_WAIT;
    on.online(true);
    for (const command of outbox.all()) ask(command);
  }

  function receive(frame) {
    if (frame.kind === "ack" || frame.kind === "refused") asked.delete(frame.id);
    if (frame.kind === "pong") {
      clock.measured(frame.at, frame.server_at);
    } else if (frame.kind === "ack") {
      on.ack(outbox.remove(frame.id));
    } else if (frame.kind === "refused" && frame.code === "internal") {
      on.troubled(); // kept: it is sent again with the next connection
      setTimeout(renew, 1000 + Math.random() * 2000);
    } else if (frame.kind === "refused" && frame.code === "paused") {
      on.paused(); // kept too: it is sent again when the study goes on
    } else if (frame.kind === "refused") {
      on.refused(frame.id ? outbox.remove(frame.id) : undefined, frame);
    } else {
      if (frame.kind === "snapshot" && frame.session !== outbox.SESSION) {
        on.otherSession();
        return;
      }
      on.frame(frame);
      if (frame.kind === "snapshot") ready();
    }
  }

  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState !== "visible") return;
    clock.forget();
    if (isOpen()) ping();
    else open();
  });
  window.addEventListener("online", () => (socket === null ? open() : renew()));
  window.addEventListener("offline", () => on.online(false));
  setInterval(() => {
    if (asked.size > 0 && performance.now() - Math.max(askedAt, heardAt) > ANSWER_WITHIN) renew();
  }, 1000);
  pings = setInterval(() => {
    if (!isOpen()) return;
    if (performance.now() - heardAt > QUIET_FOR) renew(); // half-open: nothing came for long
    else ping();
  }, 15_000);
  window.addEventListener("pagehide", () => clearInterval(pings));

  return {
    open,
    isOpen: () => isReady,
    wasReady: () => wasReady,
    resync: () => raw({ kind: "resync" }),
    tellLastSeq: (get) => {
      lastSeq = get;
    },
    /** Send a command now and again after every reconnect until it is acknowledged or refused. */
    command(kind, values = {}) {
      const command = { kind, id: outbox.newId(), at: Date.now(), number: outbox.nextNumber(), ...values };
      if (kind === "draft") Object.assign(command, { writer: outbox.writer, base: Math.max(pageSeq, lastSeq()) });
      outbox.add(command);
      if (isReady) ask(command);
      return command;
    },
    /** Send something that nobody misses when it is lost. */
    mention(kind, values = {}) {
      raw({ kind, id: outbox.newId(), at: Date.now(), ...values });
    },
  };
}
