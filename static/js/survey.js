// What is chosen and written in the survey stays in this tab until the survey is sent: a pause, a reload or a lost
// connection takes nothing of it away. Nothing leaves the tab before it is sent.

/** `mark` names the session; without a form what was kept is dropped, unless it may be asked for again. */
export function keepSurvey(form, mark, isToCome) {
  const key = `oversight.survey.${mark}`;
  if (!form) {
    if (!isToCome) store("removeItem", key);
    return;
  }
  const kept = new URLSearchParams(store("getItem", key) ?? "");
  for (const [name, value] of kept) {
    for (const control of form.querySelectorAll("textarea, input[type=radio]")) {
      if (control.name !== name) continue;
      if (control.type === "radio") control.checked = control.value === value;
      else control.value = value;
    }
  }
  const keep = () => {
    const given = [...new FormData(form)].filter(([name]) => name.startsWith("item-"));
    store("setItem", key, new URLSearchParams(given).toString());
  };
  form.addEventListener("input", keep);
  keep();
}

function store(method, ...given) {
  try {
    return sessionStorage[method](...given);
  } catch {
    return null; // private browsing: it stays on the page alone
  }
}
