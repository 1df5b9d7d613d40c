// The chat: turns drawn from the state, a box to write in, and what can be done with a reply.

import * as outbox from "./outbox.js";

const { SESSION } = outbox;

export function chatPane(root, socket, position, announce) {
  const turns = root.querySelector("#turns");
  const compose = root.querySelector("#compose");
  const box = root.querySelector("#message");
  const send = root.querySelector("#send");
  const stop = root.querySelector("#stop");
  const reset = root.querySelector("#reset");
  const kept = `oversight.message.${SESSION}.${position}`;
  const drawn = new Map();
  let unsent = outbox.all().find((each) => each.kind === "message" && each.position === position) ?? null;
  let spoken = null;
  let running = null;

  box.value = sessionStorage.getItem(kept) || "";
  box.addEventListener("input", () => sessionStorage.setItem(kept, box.value));
  box.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    compose.requestSubmit();
  });
  compose.addEventListener("submit", (event) => {
    event.preventDefault();
    const text = box.value;
    if (!text.trim() || send.disabled) return;
    unsent = socket.command("message", { position, text });
    box.value = "";
    sessionStorage.removeItem(kept);
    drawUnsent();
    enable(false);
  });
  stop.addEventListener("click", () => socket.command("stop", { position, reply: running }));
  reset.addEventListener("click", () => socket.command("reset", { position }));

  function enable(isFree) {
    box.disabled = false;
    send.disabled = !isFree;
    reset.disabled = false;
  }

  function element(tag, className, text) {
    const made = document.createElement(tag);
    if (className) made.className = className;
    if (text !== undefined) made.textContent = text;
    return made;
  }

  function drawUnsent() {
    turns.querySelector(".unsent")?.remove();
    if (unsent) turns.append(element("div", "turn mine unsent", unsent.text));
    turns.scrollTop = turns.scrollHeight;
  }

  function stateOf(item) {
    if (item.state === "queued" && item.waiting) return `Waiting: ${item.waiting} before you…`;
    if (item.state === "queued" || (item.state === "streaming" && !item.text)) return "Thinking…";
    if (item.state === "failed") return item.failure;
    if (item.state === "stopped") return item.reason === "time_up" ? "The time was over." : "Stopped.";
    if (item.state === "done" && item.reason === "length") return "The reply reached its longest length.";
    return "";
  }

  function drawReply(item, isLast) {
    const turn = element("div", "turn theirs");
    turn.dataset.id = item.id;
    const text = element("div", "text");
    if (item.html) {
      text.innerHTML = item.html; // rendered and sanitised by the server
      text.style.whiteSpace = "normal";
    } else {
      text.textContent = item.text;
    }
    turn.append(text);
    const said = stateOf(item);
    if (said) turn.append(element("span", item.state === "failed" ? "state failed" : "state", said));
    if (isLast && (item.state === "failed" || item.state === "stopped") && item.reason !== "time_up") {
      const again = element("button", "small secondary outline", "Ask again");
      again.type = "button";
      again.addEventListener("click", () => {
        again.disabled = true;
        socket.command("retry", { position, reply: item.id });
      });
      turn.append(again);
    }
    return turn;
  }

  function line() {
    return element("p", "reset-line", turns.dataset.resetLine);
  }

  /** Draw what changed; a running reply only grows its text. */
  function draw(state) {
    const isAtEnd = turns.scrollHeight - turns.scrollTop - turns.clientHeight < 60;
    const wanted = [];
    let context = 0;
    state.items.forEach((item, index) => {
      while (context < item.context) wanted.push(`line${++context}`);
      wanted.push([item, index === state.items.length - 1 && item.context === state.chat.context]);
    });
    while (context < state.chat.context) wanted.push(`line${++context}`);

    const keep = new Set();
    for (const each of wanted) {
      const [key, mark] = typeof each === "string" ? [each, each] : [each[0].id, JSON.stringify(each)];
      keep.add(key);
      const before = drawn.get(key);
      if (before?.mark === mark) {
        turns.append(before.node);
        continue;
      }
      let node;
      if (typeof each === "string") node = line();
      else if (each[0].kind === "message") node = element("div", "turn mine", each[0].text);
      else node = drawReply(...each);
      before?.node.remove();
      turns.append(node);
      drawn.set(key, { mark, node });
    }
    for (const [key, { node }] of drawn) {
      if (!keep.has(key)) {
        node.remove();
        drawn.delete(key);
      }
    }
    drawUnsent();
    if (isAtEnd) turns.scrollTop = turns.scrollHeight;

    const last = state.items.at(-1);
    const isRunning = last?.kind === "reply" && (last.state === "queued" || last.state === "streaming");
    running = isRunning ? last.id : null;
    stop.hidden = !isRunning;
    send.hidden = isRunning;
    enable(!isRunning && !unsent);
    if (last?.kind === "reply" && !isRunning && spoken !== last.id && spoken !== null) {
      announce(`Assistant: ${last.text || stateOf(last)}`);
    }
    spoken = last?.kind === "reply" && !isRunning ? last.id : spoken ?? "";
  }

  return {
    draw,
    acknowledged(command) {
      if (command.id !== unsent?.id) return;
      unsent = null;
      drawUnsent();
    },
    refused(command, sentence) {
      if (command.kind === "message") {
        box.value = command.text + box.value;
        if (command.id === unsent?.id) unsent = null;
        drawUnsent();
        enable(true);
      }
      announce(sentence);
      const note = element("p", "error", sentence);
      turns.append(note);
      setTimeout(() => note.remove(), 8000);
    },
    lock() {
      for (const control of root.querySelectorAll("textarea, button")) control.disabled = true;
    },
  };
}
