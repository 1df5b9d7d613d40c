// The answer form: every choice is kept as a draft at once; "Saved" is said only when the server has it.

export function answerForm(form, socket) {
  const position = Number(form.dataset.position);
  const saved = document.querySelector("#saved");
  const error = document.querySelector("#answer-error");
  let submitting = null;

  const picked = (name) => form.querySelector(`input[name="${name}"]:checked`)?.value;
  const choice = () => ({
    position,
    option: picked("option") === undefined ? null : Number(picked("option")),
    confidence: picked("confidence") === undefined ? null : Number(picked("confidence")),
  });

  function fail(sentence) {
    error.textContent = sentence;
    error.hidden = !sentence;
  }

  function keep() {
    fail("");
    saved.textContent = "Saving…";
    socket.command("draft", choice());
  }

  form.addEventListener("change", keep);
  // On a slow line a person is faster than this script: what was picked before it came is kept too.
  if ([...form.querySelectorAll("input[type=radio]")].some((each) => each.checked !== each.defaultChecked)) keep();

  form.addEventListener("submit", (event) => {
    if (submitting) {
      event.preventDefault(); // a double click
      return;
    }
    if (!socket.wasReady()) return; // no socket here at all: the browser posts the form the ordinary way
    event.preventDefault();
    submitting = socket.command("submit", choice());
    saved.textContent = socket.isOpen() ? "Sending…" : "Kept here; it is sent as soon as the connection is back";
    form.querySelector("#submit").setAttribute("aria-busy", "true");
  });

  return {
    lock() {
      form.classList.add("locked");
      for (const control of form.querySelectorAll("input, button")) control.disabled = true;
      saved.textContent = "Time is up. Saving what you chose…";
    },
    acknowledged(command) {
      if (command.kind === "draft") saved.textContent = "Choice saved";
      if (command.kind === "submit") saved.textContent = "Answer saved";
    },
    refused(command, sentence) {
      if (command.kind === "submit") {
        submitting = null;
        form.querySelector("#submit").removeAttribute("aria-busy");
      }
      saved.textContent = "";
      fail(sentence);
    },
    /** Another tab may have changed the draft. */
    show(draft) {
      if (!draft || submitting) return;
      for (const [name, value] of [["option", draft.option], ["confidence", draft.confidence]]) {
        for (const input of form.querySelectorAll(`input[name="${name}"]`)) {
          if (value !== null) input.checked = Number(input.value) === value;
        }
      }
    },
  };
}
