// One WebSocket that speaks SIP (RFC 7118) and comes back by itself when it is cut.
//
// A browser notices a dead connection late or never, so a ping of two line breaks (RFC 5626 section 3.5.1) asks for a
// sign of life; whoever gives none within the next round is taken for gone.

const PING_MS = 20_000;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 15_000;

export class Wire {
  #servers;
  #on;
  #socket = null;
  #failures = 0;
  #heard = true;
  #timer = null;
  #pinging = null;
  #waiting = [];

  /** `on`: `opened()`, `closed()` and `received(text)`; `closed` is told of an attempt that failed as well. */
  constructor(servers, on) {
    this.#servers = servers;
    this.#on = on;
  }

  get isOpen() {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  open() {
    clearTimeout(this.#timer);
    this.#drop();
    const socket = new WebSocket(this.#servers[this.#failures % this.#servers.length], "sip");
    this.#socket = socket;
    socket.onopen = () => this.#opened();
    socket.onclose = () => this.#lost();
    socket.onmessage = ({ data }) => this.#received(data);
  }

  /** Close it for good. */
  close() {
    clearTimeout(this.#timer);
    this.#drop();
    this.#wake(false);
  }

  send(text) {
    if (!this.isOpen) return false;
    this.#socket.send(text);
    return true;
  }

  /** Wait until it is open; false if that takes too long, or it was closed for good. */
  ready(patienceMs) {
    if (this.isOpen) return Promise.resolve(true);
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      setTimeout(resolve, patienceMs, false);
    });
  }

  #opened() {
    this.#failures = 0;
    this.#heard = true;
    this.#pinging = setInterval(() => this.#ping(), PING_MS);
    this.#wake(true);
    this.#on.opened();
  }

  #ping() {
    if (!this.#heard) return this.#lost();
    this.#heard = false;
    this.send("\r\n\r\n");
  }

  #received(data) {
    this.#heard = true;
    if (typeof data === "string" && data.trim()) this.#on.received(data);
  }

  #lost() {
    this.#drop();
    const pause = Math.min(FIRST_PAUSE_MS * 2 ** this.#failures, LONGEST_PAUSE_MS) * (0.75 + Math.random() / 2);
    this.#failures += 1;
    this.#timer = setTimeout(() => this.open(), pause);
    this.#on.closed();
  }

  #drop() {
    clearInterval(this.#pinging);
    const socket = this.#socket;
    this.#socket = null;
    if (!socket) return;
    socket.onopen = socket.onclose = socket.onmessage = null;
    socket.close();
  }

  #wake(isOpen) {
    for (const resolve of this.#waiting.splice(0)) resolve(isOpen);
  }
}
