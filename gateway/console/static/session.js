// One call as SIP sees it: an INVITE that went out or came in, and the dialog that follows (RFC 3261 sections 12-15).
//
// A session tells what happens through `on`, each of which may be missing:
//   progress(status, sdp)   it rings there, or audio comes before the answer
//   accepted(sdp)           our call was answered
//   ended({by, status, reason, elsewhere})   it is over; `by` is "local" or "remote"; "elsewhere" = another device has it
//   offered(sdp)            the peer wants its media changed; resolves with our answer

import { Message, parameter, partyOf, token, uriOf } from "./message.js";

export const ALLOW = "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE";
const SDP = ["Content-Type", "application/sdp"];

/** What a request belongs to, a dialog or a registration: who talks to whom, and the number of the next request. */
export class Thread {
  cseq = 0;
  routes = [];

  constructor({ callId = token(12), from, to, target }) {
    Object.assign(this, { callId, from, to, target });
  }
}

export class Session {
  thread;
  tag = token();
  on = {};
  #agent;
  #state; // "calling" | "ringing" | "talking" | "over"
  #request = null; // the INVITE that began it
  #rings = false; // something came back, so a CANCEL can follow (section 9.1)
  #endWanted = false;
  #changing = false;

  constructor(agent, state) {
    this.#agent = agent;
    this.#state = state;
  }

  static calling(agent, target, on) {
    const session = new Session(agent, "calling");
    session.on = on;
    session.thread = new Thread({ from: `${agent.address};tag=${session.tag}`, to: `<${target}>`, target });
    return session;
  }

  static called(agent, request) {
    const session = new Session(agent, "ringing");
    session.#request = request;
    session.thread = new Thread({
      callId: request.get("Call-ID"),
      from: `${request.get("To")};tag=${session.tag}`,
      to: request.get("From"),
      target: uriOf(request.get("Contact") || request.get("From")),
    });
    session.thread.routes = routesOf(request);
    session.#respond(180, "Ringing");
    return session;
  }

  // Who calls, and with what.

  get offer() {
    return this.#request.body;
  }

  get headers() {
    return this.#request.headers;
  }

  get remote() {
    return partyOf(this.thread.to);
  }

  isAskedBy(cancel) {
    return this.#state === "ringing" && this.#request.branch === cancel.branch;
  }

  // What we do.

  async invite(sdp, headers) {
    const response = await this.#agent.request(this.thread, "INVITE", {
      headers: [["Contact", this.#agent.contact], ["Allow", ALLOW], ...headers, SDP],
      body: sdp,
      heard: (each) => this.#heard(each),
      sent: (request) => this.#sent(request),
    });
    if (response.status >= 300) return this.#refused(response);
    this.#establish(response);
    this.#acknowledge(response);
    if (this.#endWanted) return this.#hangUp();
    this.#state = "talking";
    return this.on.accepted?.(response.body);
  }

  accept(sdp) {
    if (this.#state !== "ringing") return;
    this.#state = "talking";
    this.#respond(200, "OK", sdp);
  }

  /** End it, whatever state it is in: CANCEL, refuse, or hang up. */
  async end(status = 603, reason = "Decline") {
    switch (this.#state) {
      case "calling":
        this.#endWanted = true;
        if (this.#rings) this.#cancel();
        return;
      case "ringing":
        this.#respond(status, reason);
        return this.#over({ by: "local", status });
      case "talking":
        return this.#hangUp();
    }
  }

  /** Offer other media; resolves with the peer's answer.  Throws if it wants none. */
  async change(sdp) {
    this.#changing = true;
    try {
      const response = await this.#agent.request(this.thread, "INVITE", {
        headers: [["Contact", this.#agent.contact], ["Allow", ALLOW], SDP],
        body: sdp,
      });
      if (response.status >= 300) throw new Error(`${response.status} ${response.reason}`);
      this.#acknowledge(response);
      return response.body;
    } finally {
      this.#changing = false;
    }
  }

  // What the peer does.

  cancelled(request) {
    this.#respond(487, "Request Terminated");
    this.#over({ by: "remote", status: 487, ...reasonOf(request) });
  }

  /** Take it that the connection is gone: a call that rings here will not be answered; one that is up goes on. */
  lost() {
    if (this.#state === "ringing") this.#over({ by: "remote", status: 503, reason: "The connection was cut" });
  }

  /** Hear an answer once more: our ACK was lost. */
  answeredAgain(response) {
    if (response.status >= 200 && response.status < 300 && response.method === "INVITE") this.#acknowledge(response);
  }

  asked(request) {
    switch (request.method) {
      case "ACK":
        return;
      case "BYE":
        this.#agent.respond(request, 200, "OK");
        this.#over({ by: "remote", status: 200, ...reasonOf(request) });
        return;
      case "INVITE":
      case "UPDATE":
        return void this.#offered(request);
      case "INFO":
      case "OPTIONS":
        this.#agent.respond(request, 200, "OK", { headers: [["Allow", ALLOW]] });
        return;
      default:
        this.#agent.respond(request, 405, "Method Not Allowed", { headers: [["Allow", ALLOW]] });
    }
  }

  async #offered(request) {
    if (this.#changing) return this.#agent.respond(request, 491, "Request Pending");
    const headers = [["Contact", this.#agent.contact], ["Allow", ALLOW]];
    if (!request.body) {
      const refusal = [488, "An offer, please"];
      return this.#agent.respond(request, ...(request.method === "UPDATE" ? [200, "OK"] : refusal), { headers });
    }
    try {
      const answer = await this.on.offered(request.body);
      return this.#agent.respond(request, 200, "OK", { headers: [...headers, SDP], body: answer });
    } catch {
      return this.#agent.respond(request, 488, "Not Acceptable Here");
    }
  }

  #sent(request) {
    this.#request = request;
    this.#rings = false;
  }

  #heard(response) {
    this.#rings = true;
    if (this.#endWanted) this.#cancel();
    else if (response.status > 100) this.on.progress?.(response.status, response.body);
  }

  #refused(response) {
    const { status, reason } = response;
    this.#over({ by: this.#endWanted ? "local" : "remote", status, reason, response });
  }

  #establish(response) {
    this.thread.to = response.get("To");
    this.thread.target = uriOf(response.get("Contact")) || this.thread.target;
    this.thread.routes = routesOf(response).reverse();
  }

  #acknowledge(response) {
    const headers = this.#agent.frame(this.thread, "ACK", response.cseq.number);
    this.#agent.send(Message.request("ACK", this.thread.target, headers));
  }

  /** Take an INVITE back that something has come back for (section 9.1): its own Via, From, To and number. */
  #cancel() {
    const kept = this.#request.headers.filter(([name]) =>
      ["Via", "Max-Forwards", "Route", "From", "To", "Call-ID"].includes(name),
    );
    const headers = [...kept, ["CSeq", `${this.#request.cseq.number} CANCEL`]];
    this.#agent.send(Message.request("CANCEL", this.#request.uri, headers));
  }

  async #hangUp() {
    this.#over({ by: "local", status: 200 });
    await this.#agent.request(this.thread, "BYE");
    this.#agent.forget(this);
  }

  #respond(status, reason, sdp = "") {
    const headers = [["Contact", this.#agent.contact], ["Allow", ALLOW], ...(sdp ? [SDP] : [])];
    this.#agent.respond(this.#request, status, reason, { tag: this.tag, headers, body: sdp });
  }

  #over(how) {
    if (this.#state === "over") return;
    this.#state = "over";
    if (how.by !== "local" || how.status !== 200) this.#agent.forget(this);
    this.on.ended?.(how);
  }
}

function routesOf(message) {
  return message.all("Record-Route").flatMap((each) => each.match(/<[^>]*>[^,]*/g) ?? []);
}

/** What a Reason header says (RFC 3326): of interest is that another device has taken the call. */
function reasonOf(request) {
  const said = request.all("Reason").join(", ");
  return { elsewhere: /SIP\s*;\s*cause\s*=\s*200/i.test(said), reason: parameter(said, "text") ?? "" };
}
