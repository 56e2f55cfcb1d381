// SIP messages as text (RFC 3261 section 7): reading, writing, and the few values that a phone looks into.

const COMPACT = { c: "content-type", f: "from", i: "call-id", k: "supported", l: "content-length", m: "contact", t: "to", v: "via" };

const bytesOf = (text) => new TextEncoder().encode(text).length;

/** A request or a response: a first line, headers in order, a body. */
export class Message {
  constructor(start, headers = [], body = "") {
    this.start = start;
    this.headers = headers;
    this.body = body;
  }

  static request(method, uri, headers, body) {
    return new Message(`${method} ${uri} SIP/2.0`, headers, body);
  }

  static response(status, reason, headers, body) {
    return new Message(`SIP/2.0 ${status} ${reason}`, headers, body);
  }

  /** Read a message; null if it is none. */
  static parse(text) {
    const end = text.indexOf("\r\n\r\n");
    if (end < 0) return null;
    const [start, ...lines] = text.slice(0, end).replace(/\r\n[ \t]+/g, " ").split("\r\n");
    if (!/^SIP\/2\.0 \d{3}|^[A-Z]+ \S+ SIP\/2\.0$/.test(start)) return null;
    const headers = lines.map((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon).trim(), line.slice(colon + 1).trim()];
    });
    return new Message(start, headers, text.slice(end + 4));
  }

  get status() {
    return this.start.startsWith("SIP/2.0 ") ? Number(this.start.slice(8, 11)) : 0;
  }

  get reason() {
    return this.start.slice(12);
  }

  get method() {
    return this.status ? this.cseq.method : this.start.split(" ", 1)[0];
  }

  /** Where a request goes. */
  get uri() {
    return this.start.split(" ")[1];
  }

  get cseq() {
    const [number, method] = this.get("CSeq").split(/\s+/);
    return { number: Number(number), method };
  }

  /** Which transaction it belongs to: the branch of the topmost Via. */
  get branch() {
    return parameter(this.get("Via"), "branch");
  }

  /** Every value of a header, in order. */
  all(name) {
    const wanted = name.toLowerCase();
    const spelt = (each) => COMPACT[each.toLowerCase()] ?? each.toLowerCase();
    return this.headers.filter(([each]) => spelt(each) === wanted).map(([, value]) => value);
  }

  /** The first value of a header; "" if there is none. */
  get(name) {
    return this.all(name)[0] ?? "";
  }

  toString() {
    const lines = [...this.headers, ["Content-Length", bytesOf(this.body)]].map(([name, value]) => `${name}: ${value}`);
    return `${[this.start, ...lines].join("\r\n")}\r\n\r\n${this.body}`;
  }
}

/** A parameter of a header's value outside of angle brackets: `tag`, `branch`, `expires`. */
export function parameter(value, name) {
  const bare = value.replace(/"(?:[^"\\]|\\.)*"|<[^>]*>/g, "");
  return new RegExp(`;\\s*${name}\\s*=\\s*([^;,\\s]+)`, "i").exec(bare)?.[1] ?? null;
}

/** The URI of a From, To or Contact. */
export function uriOf(value) {
  return /<([^>]+)>/.exec(value)?.[1] ?? value.split(";", 1)[0].trim();
}

/** The user of a SIP URI, and the name that is shown for it. */
export function partyOf(value) {
  const user = /^sips?:([^@;]*)@/i.exec(uriOf(value))?.[1] ?? "";
  const display = /^\s*"((?:[^"\\]|\\.)*)"/.exec(value)?.[1]?.replace(/\\(.)/g, "$1") ?? /^\s*([^<"]*?)\s*</.exec(value)?.[1] ?? "";
  return { user: decode(user), display };
}

/** A token that nobody guesses. */
export function token(bytes = 8) {
  return Array.from(crypto.getRandomValues(new Uint8Array(bytes)), (each) => each.toString(16).padStart(2, "0")).join("");
}

function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
