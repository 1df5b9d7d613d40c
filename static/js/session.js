// A page of a participant's session: connects its parts to the socket, and loads the page again when the server's differs.

import { answerForm } from "./answer.js";
import { chatPane } from "./chat.js";
import * as clock from "./clock.js";
import * as outbox from "./outbox.js";
import { connect } from "./socket.js";
import { EMPTY, reduce } from "./state.js";
import { keepSurvey } from "./survey.js";
import { countdown } from "./timer.js";

const root = document.querySelector("#session");
const page = JSON.parse(document.querySelector("#page-state").textContent);
const pageClock = JSON.parse(document.querySelector("#page-clock").textContent);
const banner = document.querySelector("#connection");
const form = document.querySelector("#answer");
const chatRoot = document.querySelector("#chat");
const survey = document.querySelector("#survey");
const isPausedPage = document.querySelector("#paused") !== null;
const isTask = form !== null || survey !== null;
const follows = location.pathname === root.dataset.url || isTask || isPausedPage; // not the instructions page

let state = EMPTY;
let offlineTimer = null;
let resyncTimer = null;

function announce(text) {
  document.querySelector("#announce").textContent = text;
}

function load() {
  location.replace(root.dataset.url);
}

function samePage(other) {
  return ["state", "stage", "position", "trial", "is_paused"].every((key) => page[key] === other[key]);
}

/** Ask for a snapshot, at most once a second; a wish that comes too early waits. */
function resyncSoon() {
  if (resyncTimer) return;
  resyncTimer = setTimeout(() => {
    resyncTimer = null;
    socket.resync();
  }, 300);
}

clock.start(Number(root.dataset.serverAt));

const socket = connect({
  frame(frame) {
    const next = reduce(state, frame);
    state = next.state;
    if (next.resync) resyncSoon();
    if (frame.kind === "snapshot" || frame.kind === "event") {
      if (state.page && follows && !samePage(state.page)) {
        load();
        return;
      }
      timer.set(state.clock);
      if (!next.resync && !outbox.hasChoice(page.position)) answer?.show(state.draft);
    }
    if (state.chat) chat?.draw(state);
  },
  online(isOnline) {
    clearTimeout(offlineTimer);
    if (isOnline) {
      if (!banner.hidden) socket.mention("event", { type: "reconnect" });
      banner.hidden = true;
      return;
    }
    offlineTimer = setTimeout(() => {
      banner.textContent = "No connection. We keep trying; what you choose and write is kept here until then.";
      banner.hidden = false;
    }, 1500);
  },
  ack(command) {
    if (!command) return;
    finishing.look();
    answer?.acknowledged(command);
    chat?.acknowledged(command);
    if (command.kind === "submit") resyncSoon(); // should the event be lost, the snapshot still brings the next page
  },
  paused() {
    if (follows) resyncSoon();
  },
  troubled() {
    announce("Something went wrong on the server; trying again.");
  },
  otherSession() {
    load(); // somebody else's session was opened in this browser
  },
  refused(command, frame) {
    finishing.look();
    const isOld = ["wrong_question", "already_closed", "too_late", "session_over"].includes(frame.code);
    if (isOld && follows) resyncSoon();
    if (!command || (isOld && command.position !== page.position)) return;
    if (command.kind === "draft" || command.kind === "submit") {
      answer?.refused(command, frame.sentence);
      answer?.show(state.draft);
    } else {
      chat?.refused(command, frame.sentence);
    }
  },
}, Number(root.dataset.seq));

const timer = countdown({
  announce,
  onLock() {
    answer?.lock();
    chat?.lock();
    announce("The time is over.");
  },
  onOver() {
    if (socket.isOpen()) socket.resync();
    else fetch(root.dataset.url).then((answered) => answered.ok && load(), () => socket.open());
  },
});
const answer = form ? answerForm(form, socket) : null;
const chat = chatRoot ? chatPane(chatRoot, socket, page.position, announce) : null;

if (page.trial === "open") {
  outbox.forgetOthers(page.position);
  timer.set(pageClock);
  for (const kind of ["copy", "paste"]) {
    document.addEventListener(kind, (event) => {
      const text = (event.clipboardData || window.clipboardData)?.getData("text") || String(getSelection());
      socket.mention("event", { type: kind, counts: { characters: text.length } });
    });
  }
  document.addEventListener("visibilitychange", () => {
    socket.mention("event", { type: document.visibilityState === "visible" ? "focus" : "blur" });
  });
}
document.querySelector("#show-instructions").addEventListener("click", (event) => {
  event.preventDefault();
  document.querySelector(".help").open = false;
  document.querySelector("#instructions-again").showModal();
  socket.mention("event", { type: "instructions" });
});
/** The completion code is asked for when everything in this browser has reached the server. */
const finishing = {
  form: document.querySelector("#finish")?.form,
  isAsked: false,
  look() {
    if (!this.isAsked || outbox.all().length) return;
    this.isAsked = false;
    this.form.requestSubmit();
  },
};
finishing.form?.addEventListener("submit", (event) => {
  if (!outbox.all().length || !socket.wasReady()) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  finishing.isAsked = true;
  banner.textContent = "Sending what is still on its way; then it goes on.";
  banner.hidden = false;
});
for (const single of document.querySelectorAll("form[method=post]:not(#answer):not(#compose)")) {
  single.addEventListener("submit", (event) => {
    if (single.dataset.sent) event.preventDefault(); // a double click
    single.dataset.sent = "yes";
  });
}
keepSurvey(survey, root.dataset.session, page.state === "active" && page.stage === "survey");
socket.tellLastSeq(() => state.seq);
socket.open();
