// A user agent over one WebSocket (RFC 3261): it registers, calls and is called, and knows nothing of audio.
//
// What a phone in a browser does not need is not here: the transport is reliable, so nothing is repeated; the registrar
// is also the first hop, so nothing is looked up; and one registrar's challenges are answered, whoever asks.

import { answerChallenge, parseChallenge } from "./digest.js";
import { Message, parameter, token } from "./message.js";
import { ALLOW, Session, Thread } from "./session.js";
import { Wire } from "./wire.js";

const TIMEOUT_MS = 32_000; // 64 * T1, RFC 3261 section 17
const EXPIRES_S = 600;
const PAUSE_S = 5; // before a switch that is busy is asked again
const MOST_ATTEMPTS = 3;

export class Agent {
  #identity;
  #on;
  #wire;
  #pending = new Map();
  #sessions = new Set();
  #challenge = null;
  #count = 0;
  #registration;
  #instance = crypto.randomUUID?.() ?? token(16);
  #refresh = null;
  #via = `${token(6)}.invalid`;

  /**
   * `identity`: `{servers, domain, user, username, password, displayName}`; `username` answers challenges.
   * `on`: `registered()`, `refused(response)`, `disconnected()`, `called(session)`.
   */
  constructor(identity, on) {
    this.#identity = identity;
    this.#on = on;
    const { servers, domain } = identity;
    this.#registration = new Thread({ from: `${this.address};tag=${token()}`, to: this.address, target: `sip:${domain}` });
    this.#wire = new Wire(servers, {
      opened: () => this.register(),
      closed: () => this.#cut(),
      received: (text) => this.#received(text),
    });
  }

  /** Our address as From and To write it. */
  get address() {
    const { displayName, user, domain } = this.#identity;
    const shown = displayName ? `"${displayName.replace(/["\\]/g, "\\$&")}" ` : "";
    return `${shown}<sip:${user}@${domain}>`;
  }

  get contact() {
    return `<sip:${this.#identity.user}@${this.#via};transport=ws>`;
  }

  get domain() {
    return this.#identity.domain;
  }

  start() {
    this.#wire.open();
  }

  /** Say goodbye as far as that can be said at once, and close. */
  async stop() {
    clearTimeout(this.#refresh);
    const farewells = [...this.#sessions].map((session) => session.end());
    if (this.#wire.isOpen) farewells.push(this.#registering(0));
    await Promise.race([Promise.allSettled(farewells), new Promise((resolve) => setTimeout(resolve, 1000))]);
    this.#wire.close();
    this.#cut();
  }

  /** Show another name and password from now on: those that we had end soon. */
  renew({ username, password }) {
    Object.assign(this.#identity, { username, password });
    this.#challenge = null;
    return this.register();
  }

  async register() {
    clearTimeout(this.#refresh);
    const response = await this.#registering(EXPIRES_S);
    if (response.local) return; // the connection is gone; we come again when it is back
    if (response.status >= 500) return this.#registerIn(Number.parseInt(response.get("Retry-After")) || PAUSE_S);
    if (response.status !== 200) return this.#on.refused(response);
    const ours = response.all("Contact").find((each) => each.includes(this.#via)) ?? "";
    const granted = Number(parameter(ours, "expires") ?? EXPIRES_S);
    this.#registerIn(Math.max(granted - 30, granted / 2));
    this.#on.registered();
  }

  #registerIn(seconds) {
    this.#refresh = setTimeout(() => this.register(), 1000 * seconds);
  }

  /** Call somebody: a session of which `on` hears what becomes of it. */
  invite(target, sdp, headers, on) {
    const session = Session.calling(this, target, on);
    this.#sessions.add(session);
    session.invite(sdp, headers);
    return session;
  }

  forget(session) {
    this.#sessions.delete(session);
  }

  // Requests of ours.

  /**
   * Send a request and answer challenges; resolves with the final response, of our own making if none came (`local`).
   * `heard` is told provisional responses, `sent` each request as it leaves.
   */
  async request(thread, method, { headers = [], body = "", heard = () => {}, sent = () => {} } = {}) {
    for (let attempt = 1; ; attempt++) {
      const message = await this.#composed(thread, method, headers, body);
      if (!(await this.#wire.ready(TIMEOUT_MS))) return local(503, "No connection");
      const response = await this.#transact(message, heard, sent);
      const challenged = response.status === 401 || response.status === 407;
      if (method === "INVITE" && response.status >= 300 && !response.local) this.#acknowledgeRefusal(message, response);
      if (!challenged || attempt === MOST_ATTEMPTS || !this.#learn(response, attempt)) return response;
    }
  }

  /** Send a message that no one answers, or that is an answer. */
  send(message) {
    return this.#wire.send(String(message));
  }

  /** The headers that every request of a thread has. */
  frame(thread, method, number, branch = `z9hG4bK${token()}`) {
    return [
      ["Via", `SIP/2.0/WS ${this.#via};branch=${branch}`],
      ["Max-Forwards", "70"],
      ...thread.routes.map((route) => ["Route", route]),
      ["From", thread.from],
      ["To", thread.to],
      ["Call-ID", thread.callId],
      ["CSeq", `${number} ${method}`],
    ];
  }

  /** Answer a request of the peer. */
  respond(request, status, reason, { tag = null, headers = [], body = "" } = {}) {
    const to = request.get("To");
    const tagged = tag && !parameter(to, "tag") ? `${to};tag=${tag}` : to;
    const copied = [
      ...request.all("Via").map((each) => ["Via", each]),
      ...request.all("Record-Route").map((each) => ["Record-Route", each]),
      ["From", request.get("From")],
      ["To", tagged],
      ["Call-ID", request.get("Call-ID")],
      ["CSeq", request.get("CSeq")],
    ];
    return this.send(Message.response(status, reason, [...copied, ...headers], body));
  }

  async #composed(thread, method, headers, body) {
    thread.cseq += 1;
    const shown = [...this.frame(thread, method, thread.cseq), ["User-Agent", "Tandem web"], ...headers];
    if (this.#challenge) shown.push(await this.#authorization(method, thread.target));
    return Message.request(method, thread.target, shown, body);
  }

  async #authorization(method, uri) {
    const { header, challenge } = this.#challenge;
    const { username, password } = this.#identity;
    this.#count += 1;
    const facts = { username, password, method, uri, count: this.#count, cnonce: token() };
    return [header, await answerChallenge(challenge, facts)];
  }

  /** Take in a challenge; tells whether it is worth another try. */
  #learn(response, attempt) {
    const [asked, header] =
      response.status === 401 ? ["WWW-Authenticate", "Authorization"] : ["Proxy-Authenticate", "Proxy-Authorization"];
    const challenge = response.all(asked).map(parseChallenge).find(Boolean);
    if (!challenge) return false;
    const isNew = this.#challenge === null;
    this.#challenge = { header, challenge };
    this.#count = 0;
    return challenge.stale || (isNew && attempt === 1);
  }

  #transact(message, heard, sent) {
    return new Promise((resolve) => {
      const { branch } = message;
      const done = (response) => {
        clearTimeout(pending.timer);
        this.#pending.delete(branch);
        resolve(response);
      };
      const pending = { method: message.method, heard, done, timer: setTimeout(done, TIMEOUT_MS, local(408, "No answer")) };
      this.#pending.set(branch, pending);
      sent(message);
      this.send(message);
    });
  }

  /** RFC 3261 section 17.1.1.3: within the transaction of the INVITE, to whoever refused it. */
  #acknowledgeRefusal(invite, response) {
    const kept = invite.headers.filter(([name]) => ["Via", "Max-Forwards", "Route", "From", "Call-ID"].includes(name));
    const headers = [...kept, ["To", response.get("To")], ["CSeq", `${invite.cseq.number} ACK`]];
    this.send(Message.request("ACK", invite.uri, headers));
  }

  #registering(expires) {
    const contact = `${this.contact};+sip.instance="<urn:uuid:${this.#instance}>";reg-id=1;expires=${expires}`;
    const headers = [["Contact", contact], ["Supported", "path, outbound"], ["Allow", ALLOW]];
    return this.request(this.#registration, "REGISTER", { headers });
  }

  // What comes.

  #cut() {
    clearTimeout(this.#refresh);
    for (const pending of [...this.#pending.values()]) pending.done(local(503, "The connection was cut"));
    for (const session of [...this.#sessions]) session.lost();
    this.#on.disconnected();
  }

  #received(text) {
    const message = Message.parse(text);
    if (!message) return;
    if (message.status) this.#answered(message);
    else this.#asked(message);
  }

  #answered(response) {
    const pending = this.#pending.get(response.branch);
    if (!pending || pending.method !== response.method) {
      this.#sessionOf(response, "From")?.answeredAgain(response);
    } else if (response.status < 200) {
      if (pending.method === "INVITE") clearTimeout(pending.timer); // who rings may ring; the switch ends it
      pending.heard(response);
    } else {
      pending.done(response);
    }
  }

  #asked(request) {
    const session = this.#sessionOf(request, "To");
    if (session) return session.asked(request);
    switch (request.method) {
      case "ACK":
        return undefined;
      case "CANCEL":
        return this.#cancelled(request);
      case "OPTIONS":
        return this.respond(request, 200, "OK", { tag: token(), headers: [["Allow", ALLOW], ["Accept", "application/sdp"]] });
      case "INVITE":
        if (!parameter(request.get("To"), "tag")) return this.#called(request);
    }
    return this.respond(request, 481, "There is no such call");
  }

  #called(request) {
    const session = Session.called(this, request);
    this.#sessions.add(session);
    this.#on.called(session);
  }

  #cancelled(request) {
    const session = [...this.#sessions].find((each) => each.isAskedBy(request));
    this.respond(request, session ? 200 : 481, session ? "OK" : "There is no such call");
    session?.cancelled(request);
  }

  /** The session of a message; our tag stands in From of what we asked, and in To of what we are asked. */
  #sessionOf(message, ours) {
    const [callId, tag] = [message.get("Call-ID"), parameter(message.get(ours), "tag")];
    return [...this.#sessions].find((each) => each.thread.callId === callId && each.tag === tag);
  }
}

function local(status, reason) {
  return Object.assign(Message.response(status, reason, []), { local: true });
}
