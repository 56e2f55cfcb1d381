// Tandem in a web page: a client that registers as a user of an application, calls, and is called.
//
//   import { TandemClient } from "https://switch.example/phone/tandem.js";
//   const client = new TandemClient({ userId: "alice" });
//   client.addListener({ onCredentialsRequired: async (_, registration) => registration.register(await tokenOfMyBackend()) });
//   await client.start();
//   const call = await client.callClient.callPhoneNumber("+46700000001");
//
// No dependency and no build step; the modules beside this one are its own and nobody else's to import.  Names,
// states and causes are those of the clients that people know.  docs/app-clients.md tells all of it, tandem.d.ts the types.

import { Agent } from "./agent.js";
import { Media } from "./media.js";

export const CallState = Object.freeze({ INIT: 0, PROGRESSING: 1, ESTABLISHED: 2, ENDED: 3, ANSWERED: 4, RINGING: 5 });
export const CallDirection = Object.freeze({ INCOMING: "incoming", OUTGOING: "outgoing" });
export const CallEndCause = Object.freeze({
  NONE: 0,
  TIMEOUT: 1,
  DENIED: 2,
  NO_ANSWER: 3,
  FAILURE: 4,
  HUNG_UP: 5,
  CANCELED: 6,
  OTHER_DEVICE_ANSWERED: 7,
  INACTIVE: 8,
});

const HEADER_BYTES = 1024;
const WATCH_MS = 250;
const QUALITY_EVERY = 8; // of those
const POOR_MOS = 3.1;
const GOOD_MOS = 3.6;
const RESTART_MS = 2000;
const DEAD_PATH_MS = 15_000;
const RENEW_S = 60;
const CAUSE_OF_STATUS = { 408: "TIMEOUT", 480: "NO_ANSWER", 486: "DENIED", 487: "CANCELED", 600: "DENIED", 603: "DENIED" };

/** The caller of a method has given it what it cannot take. */
export class ArgumentError extends Error {
  name = "ArgumentError";
}

/** Listeners, each an object with some of the methods that events are named after. */
class Told {
  #listeners = new Set();

  addListener(listener) {
    this.#listeners.add(listener);
  }

  removeListener(listener) {
    this.#listeners.delete(listener);
  }

  _tell(event, ...facts) {
    for (const listener of [...this.#listeners]) listener[event]?.(...facts);
  }

  _hears(event) {
    return [...this.#listeners].some((each) => typeof each[event] === "function");
  }
}

/** One user in one page. */
export class TandemClient extends Told {
  #settings;
  #agent = null;
  #started = false;
  #renewal = null;
  #waiting = null;

  /**
   * `userId`; `environmentHost` (the switch's URL; default: where this module came from); `password` of a SIP user, or
   * `credentials` that somebody else's registration has brought; `displayName`; `callerIdentifier`.
   */
  constructor(settings) {
    super();
    if (!/^[A-Za-z0-9._=-]{1,255}$/.test(settings.userId ?? "")) throw new ArgumentError("userId: letters, digits and . _ = -");
    this.#settings = { environmentHost: new URL(import.meta.url).origin, ...settings };
    this.callClient = new CallClient(this);
  }

  static builder() {
    return new ClientBuilder();
  }

  get userId() {
    return this.#settings.userId;
  }

  get callerIdentifier() {
    return this.#settings.callerIdentifier ?? null;
  }

  isStarted() {
    return this.#started;
  }

  setDisplayName(name) {
    this.#settings.displayName = name;
  }

  /** Register; resolves when calls can be made and taken, rejects with the error that `onClientFailed` is told. */
  start() {
    if (this.#waiting) return this.#waiting.promise;
    const waiting = {};
    waiting.promise = new Promise((resolve, reject) => Object.assign(waiting, { resolve, reject }));
    this.#waiting = waiting;
    this.#begin().catch((error) => this.#failed(error));
    return waiting.promise;
  }

  /** End every call, unregister, and close. */
  async terminate() {
    clearTimeout(this.#renewal);
    this.#started = false;
    this.#waiting = null;
    const agent = this.#agent;
    this.#agent = null;
    this.callClient._terminate();
    await agent?.stop();
  }

  /** What a page may keep (in `sessionStorage`) to register again without a new token, until `expiresAt`. */
  get credentials() {
    return this.#settings.credentials ?? null;
  }

  get _agent() {
    if (!this.#agent) throw new Error("the client is not started");
    return this.#agent;
  }

  async #begin() {
    const { userId, password, credentials } = this.#settings;
    if (credentials) return this.#connect(credentials);
    if (password === undefined) return this.#askForToken();
    const found = await this.#fetched("/client/v1/servers");
    return this.#connect({ ...found, username: userId, password });
  }

  #askForToken() {
    if (!this._hears("onCredentialsRequired")) throw new Error("nobody listens to onCredentialsRequired, and there is no password");
    const registration = {
      register: (token) => this.#register(token).catch((error) => this.#failed(error)),
      registerFailed: () => this.#failed(new Error("the application gave no token")),
    };
    this._tell("onCredentialsRequired", this, registration);
  }

  async #register(token) {
    const headers = { Authorization: `Bearer ${token}` };
    const credentials = await this.#fetched("/client/v1/registrations", { method: "POST", headers });
    if (credentials.userId !== this.userId) throw new Error(`the token is ${credentials.userId}'s`);
    this.#settings.credentials = credentials;
    if (!this.#agent) return this.#connect(credentials);
    this.#remindOf(credentials);
    await this.#agent.renew(credentials);
  }

  async #fetched(path, options) {
    const response = await fetch(new URL(path, this.#settings.environmentHost), options);
    const document = await response.json();
    if (!response.ok) throw Object.assign(new Error(document.message), { errorCode: document.errorCode });
    return document;
  }

  #connect(credentials) {
    if (!credentials.servers.length) throw new Error("the switch listens on no WebSocket that this page may use (sip.listen)");
    const { userId, displayName } = this.#settings;
    this.#remindOf(credentials);
    this.#agent = new Agent(
      { ...credentials, user: userId, displayName },
      {
        registered: () => this.#registered(),
        refused: (response) => this.#refused(response),
        disconnected: () => this.#disconnected(),
        called: (session) => this.callClient._called(session),
      },
    );
    this.#agent.start();
  }

  #remindOf({ expiresAt }) {
    clearTimeout(this.#renewal);
    if (!expiresAt || !this._hears("onCredentialsRequired")) return;
    const left = Date.parse(expiresAt) - Date.now();
    this.#renewal = setTimeout(() => this.#askForToken(), Math.max(left - 1000 * RENEW_S, left / 2));
  }

  #registered() {
    this.#started = true;
    this.#waiting?.resolve(this);
    this._tell("onClientStarted", this);
  }

  /** A connection that was there comes back by itself; one that never was is a failure. */
  #disconnected() {
    if (this.#started) this._tell("onClientDisconnected", this);
    else if (this.#waiting) this.#failed(new Error("The switch cannot be reached"));
  }

  #refused(response) {
    const error = new Error(response.status === 401 ? "The name or the password is wrong" : response.reason);
    this.#failed(Object.assign(error, { status: response.status }));
  }

  async #failed(error) {
    const waiting = this.#waiting;
    const stopping = this.terminate();
    waiting?.promise.catch(() => {}); // whoever does not wait has listened
    waiting?.reject(error);
    this._tell("onClientFailed", this, error);
    await stopping;
  }
}

/** `TandemClient.builder().userId("alice").environmentHost("https://...").build()`. */
class ClientBuilder {
  #settings = {};

  applicationKey(applicationKey) {
    return this.#with({ applicationKey });
  }

  userId(userId) {
    return this.#with({ userId });
  }

  environmentHost(environmentHost) {
    return this.#with({ environmentHost });
  }

  callerIdentifier(callerIdentifier) {
    return this.#with({ callerIdentifier });
  }

  build() {
    return new TandemClient(this.#settings);
  }

  #with(settings) {
    Object.assign(this.#settings, settings);
    return this;
  }
}

/** Begins calls, and tells of those that come in: `onIncomingCall(callClient, call)`. */
export class CallClient extends Told {
  #client;
  #calls = new Map();
  #constraints = true;

  constructor(client) {
    super();
    this.#client = client;
  }

  callUser(userId, headers = {}) {
    return this.#call(userId, headers);
  }

  callPhoneNumber(number, headers = {}) {
    const digits = number.replace(/[().\s-]/g, "");
    if (!/^\+?[0-9]{1,15}$/.test(digits)) throw new ArgumentError("a phone number: + and up to 15 digits");
    return this.#call(digits, headers);
  }

  callSip(address, headers = {}) {
    if (!/^(sips?:)?[^@\s<>]+@[^@\s<>]+$/.test(address)) throw new ArgumentError("a SIP address: user@host");
    return this.#call(address.replace(/^sips?:/, ""), headers);
  }

  callConference(conferenceId, headers = {}) {
    if (!/^[A-Za-z0-9_.-]{1,64}$/.test(conferenceId)) throw new ArgumentError("conferenceId: up to 64 letters, digits and . _ -");
    return this.#call(`conf-${conferenceId}`, headers);
  }

  getCall(id) {
    return this.#calls.get(id) ?? null;
  }

  /** What microphones are asked for, as getUserMedia takes it; counts for the calls that follow. */
  setAudioTrackConstraints(constraints) {
    this.#constraints = constraints;
  }

  /** Begin a call; it is the caller's before anything happens to it, so that nothing is missed. */
  async #call(target, headers) {
    const agent = this.#client._agent;
    const call = new Call(CallDirection.OUTGOING, { constraints: this.#constraints, headers: checked(headers) });
    const [user, host = agent.domain] = target.split("@");
    call._remote({ user, display: "" });
    this.#keep(call);
    setTimeout(() => call._dial(agent, `sip:${encodeURIComponent(user).replace(/%2B/gi, "+")}@${host}`));
    return call;
  }

  _called(session) {
    const call = new Call(CallDirection.INCOMING, { constraints: this.#constraints, headers: read(session.headers) });
    call._take(session);
    this.#keep(call);
    this._tell("onIncomingCall", this, call);
  }

  _terminate() {
    for (const call of [...this.#calls.values()]) call.hangup();
  }

  #keep(call) {
    this.#calls.set(call.id, call);
    call.addListener({ onCallEnded: () => this.#calls.delete(call.id) });
  }
}

/** One call.  Listeners: onCallProgressing, -Ringing, -Answered, -Established, -Ended(call), onCallQualityWarningEvent(call, event). */
export class Call extends Told {
  id = crypto.randomUUID?.() ?? String(Math.random()).slice(2);
  state = CallState.INIT;
  incomingStream = null;
  isMuted = false;
  isHeld = false;
  #constraints;
  #session = null;
  #media = null;
  #watch = null;
  #turn = 0;
  #poor = false;
  #timers = []; // while the path is gone
  #hungUp = false;

  constructor(direction, { constraints, headers }) {
    super();
    this.direction = direction;
    this.headers = headers;
    this.details = { startedTime: new Date(), endCause: CallEndCause.NONE, error: null, requestedAudio: true, requestedVideo: false };
    this.#constraints = constraints;
  }

  get callId() {
    return this.id;
  }

  get outgoingStream() {
    return this.#media?.microphone ?? null;
  }

  /** Milliseconds that people could talk so far. */
  get duration() {
    const { establishedTime, endedTime } = this.details;
    return establishedTime ? (endedTime ?? new Date()) - establishedTime : 0;
  }

  async answer() {
    if (this.direction !== CallDirection.INCOMING || this.state > CallState.PROGRESSING) return;
    this.#become(CallState.ANSWERED, "answeredTime", "onCallAnswered");
    try {
      const media = await this.#open();
      const sdp = await media.answer(this.#session.offer);
      if (this.state === CallState.ENDED) return;
      this.#session.accept(sdp);
      this.#established();
    } catch (error) {
      this.#session.end(488, "Not Acceptable Here");
      this.#end(CallEndCause.FAILURE, error);
    }
  }

  /** Hang up, take back, or refuse: whatever the call has come to. */
  hangup() {
    if (this.state === CallState.ENDED) return;
    const cause = this.state === CallState.ESTABLISHED ? "HUNG_UP" : this.direction === CallDirection.INCOMING ? "DENIED" : "CANCELED";
    this.#hungUp = true;
    this.#session?.end();
    this.#end(CallEndCause[cause]);
  }

  mute() {
    this.#silence((this.isMuted = true));
  }

  unmute() {
    this.isMuted = false;
    this.#silence(this.isHeld);
  }

  /** Let the other side wait, or go on.  Rejects if the peer does not agree. */
  async hold(isHeld = true) {
    if (this.state !== CallState.ESTABLISHED || isHeld === this.isHeld) return;
    this.#media.hold(isHeld);
    try {
      await this.#renegotiate();
    } catch (error) {
      this.#media.hold(this.isHeld);
      throw error;
    }
    this.isHeld = isHeld;
    this.#silence(isHeld || this.isMuted);
  }

  resume() {
    return this.hold(false);
  }

  /** Press keys (RFC 4733): digits, # * A B C D. */
  sendDtmf(keys) {
    if (!/^[0-9#*A-D]+$/i.test(keys)) throw new ArgumentError("keys: 0-9, #, * and A-D");
    if (this.state === CallState.ESTABLISHED) this.#media.press(keys);
  }

  async replaceMicrophone(constraints) {
    this.#constraints = constraints;
    await this.#media?.replaceMicrophone(constraints);
    this.#silence(this.isMuted || this.isHeld);
  }

  // Inside.

  _remote({ user, display }) {
    this.remoteUserId = user;
    this.remoteUserDisplayName = display;
  }

  async _dial(agent, target) {
    try {
      const media = await this.#open();
      const sdp = await media.offer();
      if (this.state === CallState.ENDED) return;
      this.#become(CallState.PROGRESSING, "progressTime", "onCallProgressing");
      this.#session = agent.invite(target, sdp, write(this.headers), {
        progress: (status, body) => this.#progress(status, body),
        accepted: (body) => this.#accepted(body),
        ...this.#hears(),
      });
    } catch (error) {
      this.#end(CallEndCause.FAILURE, error);
    }
  }

  _take(session) {
    this.#session = session;
    this._remote(session.remote);
    session.on = this.#hears();
    this.#become(CallState.PROGRESSING, "progressTime", "onCallProgressing");
  }

  #hears() {
    return { offered: (offer) => this.#media.answer(offer), ended: (how) => this.#over(how) };
  }

  async #open() {
    this.#media = await Media.open(this.#constraints, {
      track: (track) => this.#hear(track),
      connection: (state) => this.#pathIs(state),
    });
    if (this.state === CallState.ENDED) this.#media.close();
    return this.#media;
  }

  /** The stream is the same for the whole call: WebRTC's own loses its track whenever somebody is put on hold. */
  #hear(track) {
    this.incomingStream ??= new MediaStream();
    const others = this.incomingStream.getTracks().filter((each) => each !== track);
    for (const each of others) this.incomingStream.removeTrack(each);
    this.incomingStream.addTrack(track);
  }

  async #progress(status, body) {
    if (body) await this.#media.answered(body, { early: true }).catch(() => {});
    if (this.state === CallState.PROGRESSING && status !== 181 && status !== 182) {
      this.#become(CallState.RINGING, "rungTime", "onCallRinging");
    }
  }

  async #accepted(body) {
    this.#become(CallState.ANSWERED, "answeredTime", "onCallAnswered");
    try {
      await this.#media.answered(body);
      if (this.state !== CallState.ENDED) this.#established();
    } catch (error) {
      this.#session.end();
      this.#end(CallEndCause.FAILURE, error);
    }
  }

  #established() {
    this.#watch = setInterval(() => this.#look(), WATCH_MS);
    this.#become(CallState.ESTABLISHED, "establishedTime", "onCallEstablished");
  }

  #become(state, time, event) {
    if (this.state === CallState.ENDED) return;
    this.state = state;
    this.details[time] ??= new Date();
    this._tell(event, this);
  }

  #over({ by, status, reason, elsewhere, response }) {
    if (by === "local" && this.#hungUp) return;
    const name = elsewhere ? "OTHER_DEVICE_ANSWERED" : status === 200 ? "HUNG_UP" : (CAUSE_OF_STATUS[status] ?? "FAILURE");
    const headers = response?.headers ?? [];
    const error = status < 300 || name === "CANCELED" || elsewhere ? null : Object.assign(new Error(reason), { type: "SIP", status, headers });
    this.#end(CallEndCause[name], error);
  }

  #end(cause, error = null) {
    if (this.state === CallState.ENDED) return;
    clearInterval(this.#watch);
    this.#timers.splice(0).forEach(clearTimeout);
    this.#media?.close();
    Object.assign(this.details, { endCause: cause, error });
    this.#become(CallState.ENDED, "endedTime", "onCallEnded");
  }

  #silence(isSilent) {
    this.#media?.mute(isSilent);
  }

  /** Offer our media as it is now.  Throws if the peer does not want it so. */
  async #renegotiate() {
    try {
      await this.#media.answered(await this.#session.change(await this.#media.offer()));
    } catch (error) {
      await this.#media.withdraw();
      throw error;
    }
  }

  /** A path that is gone may come back by itself or by another network; after 15 s nobody waits any more. */
  #pathIs(state) {
    if (state === "connected") {
      this.#timers.splice(0).forEach(clearTimeout);
    } else if ((state === "failed" || state === "disconnected") && !this.#timers.length) {
      this.#timers.push(setTimeout(() => this.#findAnotherWay(), RESTART_MS));
      this.#timers.push(setTimeout(() => this.#giveUp(), DEAD_PATH_MS));
    }
  }

  async #findAnotherWay() {
    this.#media.restart();
    await this.#renegotiate().catch(() => {}); // the other timer has the last word
  }

  #giveUp() {
    this.#session?.end();
    this.#end(CallEndCause.INACTIVE, new Error("the audio path is dead"));
  }

  async #look() {
    const media = this.#media;
    this.#turn += 1;
    const levels = await media.levels();
    if (this.state !== CallState.ESTABLISHED) return;
    this._tell("onCallLevels", this, levels);
    if (this.#turn % QUALITY_EVERY) return;
    const quality = await media.quality();
    if (this.state !== CallState.ESTABLISHED) return;
    this.quality = quality;
    this._tell("onCallQuality", this, quality);
    this.#judge(quality);
  }

  #judge({ mos }) {
    const isPoor = mos !== null && mos < (this.#poor ? GOOD_MOS : POOR_MOS);
    if (mos === null || isPoor === this.#poor) return;
    this.#poor = isPoor;
    this._tell("onCallQualityWarningEvent", this, { name: "LowMos", type: isPoor ? "Trigger" : "Recover", mos });
  }
}

/** Headers of a call as SIP carries them: `X-name: value`. */
function write(headers) {
  return Object.entries(headers).map(([name, value]) => [`X-${name}`, value]);
}

function read(headers) {
  return Object.fromEntries(headers.filter(([name]) => /^x-/i.test(name)).map(([name, value]) => [name.slice(2), value]));
}

function checked(headers) {
  const entries = Object.entries(headers);
  const size = new TextEncoder().encode(entries.flat().join("")).length;
  if (size > HEADER_BYTES) throw new ArgumentError(`headers: ${size} bytes, and ${HEADER_BYTES} are allowed`);
  for (const [name, value] of entries) {
    if (!/^[A-Za-z0-9!%*_+.~-]+$/.test(name)) throw new ArgumentError(`headers: ${name} is no name for one`);
    if (typeof value !== "string" || /[\r\n\0]/.test(value)) throw new ArgumentError(`headers: ${name} is not one line of text`);
  }
  return { ...headers };
}
