// The countdown: drawn from the server's time; locks the form at the deadline and tells when the server must have closed.

import { serverNow } from "./clock.js";

const SPOKEN = [60, 30, 10];

export function countdown({ onLock, onOver, announce }) {
  const box = document.querySelector(".timer");
  const left = document.querySelector("#time-left");
  let clock = null;
  let spoken = Infinity;
  let isLocked = false;
  let overAt = null;

  function draw() {
    if (!clock || !clock.deadline_at) return;
    const remaining = clock.deadline_at - serverNow();
    const seconds = Math.max(0, Math.ceil(remaining / 1000));
    if (left) left.textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
    box?.classList.toggle("soon", seconds <= 30 && seconds > 0);
    box?.classList.toggle("over", seconds === 0);
    const due = SPOKEN.find((mark) => seconds <= mark && mark < spoken && seconds > mark - 5);
    if (due) {
      spoken = due;
      announce(`${due} seconds left`);
    }
    if (remaining <= 0 && !isLocked) {
      isLocked = true;
      onLock();
    }
    if (remaining < -(clock.grace + 1500) && (overAt === null || performance.now() - overAt > 5000)) {
      overAt = performance.now();
      onOver();
    }
  }

  setInterval(draw, 200);
  return {
    set(next) {
      if (next?.deadline_at > clock?.deadline_at) spoken = Infinity; // time was given back: the marks come again
      clock = next;
      draw();
    },
  };
}
