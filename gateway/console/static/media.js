// The audio of one call: a microphone, an RTCPeerConnection, and what can be measured of both.

const GATHERING_MS = 2000;

export class Media {
  #connection = new RTCPeerConnection({ iceServers: [], bundlePolicy: "max-bundle" });
  #microphone;
  #before = null;

  /** `on.track(track)` is told what comes, more than once perhaps; `on.connection(state)` the state of the path. */
  constructor(microphone, on) {
    this.#microphone = microphone;
    for (const track of microphone.getAudioTracks()) this.#connection.addTrack(track, microphone);
    this.#connection.ontrack = ({ track }) => on.track(track);
    this.#connection.onconnectionstatechange = () => on.connection(this.#connection.connectionState);
  }

  /** Ask for a microphone.  Rejects as getUserMedia does. */
  static async open(constraints, on) {
    if (!navigator.mediaDevices) throw new DOMException("a page without HTTPS has no microphone", "SecurityError");
    return new Media(await navigator.mediaDevices.getUserMedia({ audio: constraints, video: false }), on);
  }

  get microphone() {
    return this.#microphone;
  }

  async offer() {
    await this.#connection.setLocalDescription(await this.#connection.createOffer());
    return this.#described();
  }

  async answer(offer) {
    await this.#connection.setRemoteDescription({ type: "offer", sdp: offer });
    await this.#connection.setLocalDescription(await this.#connection.createAnswer());
    return this.#described();
  }

  /** Take the peer's answer; one that comes before the call is answered (`early`) may be followed by another. */
  async answered(sdp, { early = false } = {}) {
    if (this.#connection.signalingState === "stable") return;
    await this.#connection.setRemoteDescription({ type: early ? "pranswer" : "answer", sdp });
  }

  mute(isMuted) {
    for (const track of this.#microphone.getAudioTracks()) track.enabled = !isMuted;
  }

  /** Say whether we want to hear anything; an offer has to follow. */
  hold(isHeld) {
    for (const each of this.#connection.getTransceivers()) each.direction = isHeld ? "sendonly" : "sendrecv";
  }

  /** Take back an offer that was refused. */
  async withdraw() {
    if (this.#connection.signalingState === "have-local-offer") await this.#connection.setLocalDescription({ type: "rollback" });
  }

  /** Look for another way to the peer; an offer has to follow. */
  restart() {
    this.#connection.restartIce();
  }

  press(keys) {
    this.#connection.getSenders()[0].dtmf.insertDTMF(keys, 120, 80);
  }

  /** Speak into another microphone from now on. */
  async replaceMicrophone(constraints) {
    const { microphone } = this;
    const fresh = await navigator.mediaDevices.getUserMedia({ audio: constraints, video: false });
    fresh.getAudioTracks()[0].enabled = microphone.getAudioTracks()[0].enabled;
    await this.#connection.getSenders()[0].replaceTrack(fresh.getAudioTracks()[0]);
    for (const track of microphone.getTracks()) track.stop();
    this.#microphone = fresh;
  }

  close() {
    for (const track of this.#microphone.getTracks()) track.stop();
    this.#connection.close();
  }

  /** How loud it is, 0 to 1: what comes (`incoming`) and what we say (`outgoing`). */
  async levels() {
    const find = finder(await this.#report());
    return { incoming: find("inbound-rtp").audioLevel ?? 0, outgoing: find("media-source").audioLevel ?? 0 };
  }

  /** How it sounds: loss since the last question, jitter, round trip, and a MOS; null while nothing comes. */
  async quality() {
    const report = await this.#report();
    const find = finder(report);
    const [heard, remote] = [find("inbound-rtp"), find("remote-inbound-rtp")];
    const pair = report.find((each) => each.type === "candidate-pair" && each.nominated) ?? {};
    const now = { received: heard.packetsReceived ?? 0, lost: heard.packetsLost ?? 0 };
    const before = this.#before ?? { received: 0, lost: 0 };
    this.#before = now;
    const [received, lost] = [now.received - before.received, Math.max(0, now.lost - before.lost)];
    const facts = {
      codec: report.find((each) => each.id === heard.codecId)?.mimeType?.replace("audio/", "") ?? null,
      lossPercent: received + lost ? (100 * lost) / (received + lost) : 0,
      jitterMs: 1000 * (heard.jitter ?? 0),
      roundTripMs: 1000 * (remote.roundTripTime ?? pair.currentRoundTripTime ?? 0),
      packetsReceived: now.received,
      packetsLost: now.lost,
    };
    return { ...facts, mos: received ? mosOf(facts) : null };
  }

  async #report() {
    return [...(await this.#connection.getStats()).values()];
  }

  async #described() {
    const connection = this.#connection;
    if (connection.iceGatheringState !== "complete") {
      await new Promise((resolve) => {
        connection.addEventListener("icegatheringstatechange", () => connection.iceGatheringState === "complete" && resolve());
        setTimeout(resolve, GATHERING_MS); // a network that does not answer holds up no call
      });
    }
    return connection.localDescription.sdp;
  }
}

const finder = (report) => (type) =>
  report.find((each) => each.type === type && (each.kind ?? "audio") === "audio") ?? {};

/** The E-model of ITU-T G.107, for G.711 with concealment (G.113 Appendix I): what a listener would say, 1 to 4.5. */
export function mosOf({ lossPercent, jitterMs, roundTripMs }) {
  const delay = roundTripMs / 2 + 2 * jitterMs + 40; // packets, and the buffer that jitter wants
  const x = Math.log2(delay / 100);
  const late = delay > 100 ? 25 * ((1 + x ** 6) ** (1 / 6) - 3 * (1 + (x / 3) ** 6) ** (1 / 6) + 2) : 0;
  const rating = 93.2 - late - (95 * lossPercent) / (lossPercent + 25.1);
  return rating > 0 ? Math.max(1, 1 + 0.035 * rating + rating * (rating - 60) * (100 - rating) * 7e-6) : 1;
}
