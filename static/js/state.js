// What this tab knows, made by one pure function of the frames that the server sends (studies/runtime/snapshot.py).

export const EMPTY = { seq: -1, page: null, clock: null, draft: null, chat: null, items: [] };

/** The next state, and whether a frame was missed so that a snapshot must be asked for. */
export function reduce(state, frame) {
  if (frame.kind === "snapshot") {
    const { kind, server_at, session, ...sections } = frame;
    return { state: keepLongerText(state, sections), resync: false };
  }
  if (frame.kind === "event") {
    if (frame.seq <= state.seq) return { state, resync: false };
    if (frame.after !== state.seq) return { state, resync: true };
    return { state: withItems({ ...state, ...frame.set, seq: frame.seq }, frame.items), resync: false };
  }
  if (frame.kind === "piece") return withPiece(state, frame);
  if (frame.kind === "reply_state") {
    return { state: replaceItem(state, frame.reply, (item) => ({ ...item, waiting: frame.position })), resync: false };
  }
  return { state, resync: false };
}

function withItems(state, changed) {
  const turns = new Map(state.items.map((item) => [item.id, item]));
  for (const item of changed) turns.set(item.id, item);
  return { ...state, items: [...turns.values()] };
}

function replaceItem(state, id, change) {
  return { ...state, items: state.items.map((item) => (item.id === id ? change(item) : item)) };
}

/** A piece says where it belongs: what is known already is skipped; a hole waits for the next snapshot. */
function withPiece(state, { reply, offset, text }) {
  const item = state.items.find((each) => each.id === reply);
  if (!item || item.state === "done" || item.state === "stopped" || item.state === "failed") {
    return { state, resync: false };
  }
  if (offset > item.text.length) return { state, resync: true };
  const longer = item.text.slice(0, offset) + text;
  if (longer.length <= item.text.length) return { state, resync: false };
  return { state: replaceItem(state, reply, () => ({ ...item, text: longer, waiting: 0 })), resync: false };
}

/** The row's text is up to a second behind the pieces; never show less than was shown. */
function keepLongerText(state, sections) {
  const known = new Map(state.items.map((item) => [item.id, item]));
  const items = sections.items.map((item) => {
    const before = known.get(item.id);
    const isRunning = item.state === "queued" || item.state === "streaming";
    return isRunning && before && before.text.startsWith(item.text) ? { ...item, text: before.text } : item;
  });
  return { ...sections, items };
}
