// The whole state of the exhibit as text behind the address' #, to be shared: what is learnt, the network, its parameters.

/** Numbers as text: single precision, base64 in the alphabet of addresses. */
function pack(numbers) {
  const raw = new Uint8Array(new Float32Array(numbers).buffer);
  let text = "";
  for (const byte of raw) text += String.fromCharCode(byte);
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function unpack(text) {
  const raw = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  const buffer = Uint8Array.from(raw, character => character.charCodeAt(0));
  return [...new Float32Array(buffer.buffer, 0, Math.floor(buffer.length / 4))];
}

/** What stands behind the #. */
export function write(state, frame) {
  const { lesson } = state;
  const query = new URLSearchParams({ kind: lesson.kind });
  if (lesson.kind === "formula") query.set("f", lesson.formula);
  if ("from" in lesson) query.set("on", `${lesson.from},${lesson.to}`);
  if (lesson.kind === "drawn") query.set("drawn", pack(lesson.values));
  if (lesson.kind === "table") query.set("table", lesson.table);
  if (lesson.kind === "plane") for (const name of ["set", "noise", "seed"]) query.set(name === "seed" ? "data" : name, lesson[name]);
  query.set("hidden", state.hidden.join(","));
  for (const name of ["activation", "optimizer", "rate", "seed", "epsilon", "speed"]) query.set(name, state[name]);
  if (frame) {
    query.set("steps", frame.steps);
    query.set("w", pack(frame.parameters));
  }
  return "#function?" + query;
}

/** The state of an address over the state there is; what an address lacks or has wrong stays as it is. */
export function read(query, state) {
  const found = { ...state };
  const numbers = name => (query.get(name) ?? "").split(",").filter(part => part !== "").map(Number);
  const number = (name, otherwise) => (query.has(name) && Number.isFinite(Number(query.get(name))) ? Number(query.get(name)) : otherwise);
  const [from, to] = numbers("on").length === 2 ? numbers("on") : [-2, 2];
  const lessons = {
    formula: () => ({ kind: "formula", formula: query.get("f") ?? "", from, to }),
    drawn: () => ({ kind: "drawn", values: unpack(query.get("drawn") ?? ""), from, to }),
    table: () => ({ kind: "table", table: query.get("table") ?? "" }),
    plane: () => ({ kind: "plane", set: query.get("set") ?? "circle", noise: number("noise", 0), seed: number("data", 1) }),
  };
  try {
    found.lesson = lessons[query.get("kind")]?.() ?? state.lesson;
    if (query.has("hidden")) found.hidden = numbers("hidden");
    for (const name of ["activation", "optimizer"]) found[name] = query.get(name) ?? state[name];
    for (const name of ["rate", "seed", "epsilon", "speed"]) found[name] = number(name, state[name]);
    if (query.has("w")) [found.parameters, found.steps] = [unpack(query.get("w")), number("steps", 0)];
  } catch {
    return state; // no base64: the address is damaged
  }
  return found;
}
