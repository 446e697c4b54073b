// The one socket to the server. It comes back by itself when the server does; what was going on, each exhibit says again.
const token = new URLSearchParams(location.search).get("token") ?? "";
const address = `ws://${location.host}/live?token=${encodeURIComponent(token)}`;
const handlers = new Map();
const openers = new Set();
const watchers = new Set();
let socket = null;
let patience = 250;
let everOpen = false;

function connect() {
  socket = new WebSocket(address);
  socket.addEventListener("open", () => {
    patience = 250;
    everOpen = true;
    tell("open");
    for (const opener of openers) opener();
  });
  socket.addEventListener("message", event => {
    const message = JSON.parse(event.data);
    handlers.get(message.exhibit)?.(message);
  });
  socket.addEventListener("close", () => {
    tell(everOpen || token ? "lost" : "refused");
    setTimeout(connect, patience);
    patience = Math.min(2 * patience, 4000);
  });
}

function tell(state) {
  for (const watcher of watchers) watcher(state);
}

/** Asks something of an exhibit; without a connection nothing is asked, and false comes back. */
export function send(exhibit, wish, more = {}) {
  if (socket?.readyState !== WebSocket.OPEN) return false;
  socket.send(JSON.stringify({ exhibit, do: wish, ...more }));
  return true;
}

/** What the server says of an exhibit goes to `handler`; `opened` is called whenever there is a new connection. */
export function listen(exhibit, handler, opened) {
  handlers.set(exhibit, handler);
  openers.add(opened);
  if (socket?.readyState === WebSocket.OPEN) opened();
}

/** Told "open", "lost" or "refused" whenever that changes. */
export function onConnection(watcher) {
  watchers.add(watcher);
}

connect();
