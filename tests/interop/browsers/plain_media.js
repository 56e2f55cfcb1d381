// An RTCPeerConnection as a SIP library sees one, with plain RTP in the place of ICE and DTLS-SRTP.
//
// It is put in the browser's place before the library is loaded, so all that is said in SIP, and when, is the library's
// own.  Its session descriptions name sockets that the test holds (`plainPorts`): the test speaks and listens there, so
// the audio of a call really passes through the switch.  What the test has to know is in `plainMedia`.
"use strict";

(() => {
  const HOST = "127.0.0.1";
  const OURS = [
    { number: 0, codec: "PCMU/8000" },
    { number: 8, codec: "PCMA/8000" },
    { number: 101, codec: "telephone-event/8000" },
  ];
  let offered = OURS;
  const STATIC = { 0: "PCMU/8000", 8: "PCMA/8000", 18: "G729/8000" };
  const isEvents = (format) => format.codec.toLowerCase().startsWith("telephone-event");
  const isOurs = (format) => OURS.some((each) => each.codec.toLowerCase() === format.codec.toLowerCase());

  const connections = [];

  /** Read the audio line of a description: its formats, and who may send. */
  function readAudio(sdp) {
    const line = /^m=audio (\d+) RTP\/AVP ([\d ]+)/m.exec(sdp);
    if (!line) throw new DOMException("there is no plain audio in this description", "InvalidAccessError");
    const named = Object.fromEntries(
      [...sdp.matchAll(/^a=rtpmap:(\d+) (\S+)/gm)].map(([, number, codec]) => [number, codec]),
    );
    const formats = line[2]
      .split(" ")
      .map((number) => ({ number, codec: named[number] ?? STATIC[number] ?? "unknown" }));
    return { formats, direction: /^a=(sendrecv|sendonly|recvonly|inactive)/m.exec(sdp)?.[1] ?? "sendrecv" };
  }

  /** Answer a direction with what we want of it (RFC 3264 section 6.1). */
  function answeredDirection(offered, wanted) {
    const sends = /^(sendrecv|recvonly)$/.test(offered) && /^send/.test(wanted);
    const hears = /^send/.test(offered) && /^(sendrecv|recvonly)$/.test(wanted);
    return sends ? (hears ? "sendrecv" : "sendonly") : hears ? "recvonly" : "inactive";
  }

  /** One track on its way out.  `dtmf` is an RTCDTMFSender whose tones the test sends. */
  class PlainSender {
    constructor(track, tones) {
      this.track = track;
      this.dtmf = { canInsertDTMF: true, toneBuffer: "", insertDTMF: (keys) => tones.push(...keys) };
    }

    async replaceTrack(track) {
      this.track = track;
    }
  }

  class PlainConnection extends EventTarget {
    signalingState = "stable";
    iceGatheringState = "complete";
    iceConnectionState = "connected";
    connectionState = "connected";
    localDescription = null;
    remoteDescription = null;
    tones = [];
    #port = window.plainPorts[connections.length];
    #transceivers = [];
    #version = 0;

    constructor() {
      super();
      if (this.#port === undefined) throw new DOMException("the test holds no more sockets", "OperationError");
      connections.push(this);
    }

    addTrack(track) {
      const sender = new PlainSender(track, this.tones);
      this.#transceivers.push({ sender, receiver: { track: null }, direction: "sendrecv" });
      return sender;
    }

    getTransceivers() {
      return [...this.#transceivers];
    }

    getSenders() {
      return this.#transceivers.map((each) => each.sender);
    }

    getReceivers() {
      return this.#transceivers.map((each) => each.receiver);
    }

    async createOffer() {
      return { type: "offer", sdp: this.#describe(offered, this.#wanted()) };
    }

    async createAnswer() {
      const { formats, direction } = readAudio(this.remoteDescription.sdp);
      const common = formats.filter(isOurs);
      const audio = common.find((each) => !isEvents(each));
      if (!audio) throw new DOMException("there is no codec in common", "InvalidAccessError");
      const answered = [audio, ...common.filter(isEvents).slice(0, 1)];
      return { type: "answer", sdp: this.#describe(answered, answeredDirection(direction, this.#wanted())) };
    }

    async setLocalDescription(description) {
      this.localDescription = description;
      this.signalingState = description.type === "offer" ? "have-local-offer" : "stable";
    }

    async setRemoteDescription(description) {
      readAudio(description.sdp);
      this.remoteDescription = description;
      this.signalingState = description.type === "offer" ? "have-remote-offer" : "stable";
    }

    close() {
      this.signalingState = this.connectionState = this.iceConnectionState = "closed";
    }

    #wanted() {
      return this.#transceivers[0]?.direction ?? "recvonly";
    }

    #describe(formats, direction) {
      this.#version += 1;
      const numbers = formats.map((each) => each.number).join(" ");
      return [
        "v=0",
        `o=- ${this.#port} ${this.#version} IN IP4 ${HOST}`,
        "s=-",
        `c=IN IP4 ${HOST}`,
        "t=0 0",
        `m=audio ${this.#port} RTP/AVP ${numbers}`,
        ...formats.map((each) => `a=rtpmap:${each.number} ${each.codec}`),
        `a=${direction}`,
        "",
      ].join("\r\n");
    }
  }

  window.RTCPeerConnection = PlainConnection;
  window.plainMedia = {
    /** For each connection that was made: where its peer is, and whether it is over. */
    lines: () =>
      connections.map((each) => ({
        sdp: each.remoteDescription?.sdp ?? null,
        closed: each.signalingState === "closed",
      })),

    /** Offer a codec alone from now on. */
    speak(codec) {
      offered = OURS.filter((each) => each.codec.startsWith(codec) || isEvents(each));
    },

    /** Take the tones that a library wants to be sent in RTP on the connection of that number. */
    takeTones: (index) => connections[index].tones.splice(0).join(""),
  };
})();
