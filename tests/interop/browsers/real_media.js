// The browser's own RTCPeerConnection, watched: what comes is played, as a page would, and counted.
"use strict";

(() => {
  const connections = [];

  const audioOf = (report, type) =>
    [...report.values()].find((each) => each.type === type && each.kind === "audio") ?? {};

  // What is said reaches the other end as it is, so that it can be recognised there.
  const devices = navigator.mediaDevices;
  const listen = devices.getUserMedia.bind(devices);
  devices.getUserMedia = () =>
    listen({ audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false } });

  window.RTCPeerConnection = class extends RTCPeerConnection {
    constructor(...settings) {
      super(...settings);
      connections.push(this);
      this.addEventListener("track", ({ track }) => {
        const player = new Audio();
        player.srcObject = new MediaStream([track]);
        player.play();
        this.player = player;
      });
    }
  };

  window.realMedia = {
    /** Say how the newest connection fares: its state, and its audio both ways. */
    async state() {
      const connection = connections.at(-1);
      const report = await connection.getStats();
      const [heard, said] = [audioOf(report, "inbound-rtp"), audioOf(report, "outbound-rtp")];
      const transport = [...report.values()].find((each) => each.type === "transport") ?? {};
      return {
        connection: connection.connectionState,
        codec: report.get(heard.codecId)?.mimeType ?? null,
        srtp: transport.srtpCipher ?? null,
        peer: /^a=ice-ufrag:(\S+)/m.exec(connection.remoteDescription?.sdp)?.[1] ?? null,
        received: heard.packetsReceived ?? 0,
        lost: heard.packetsLost ?? 0,
        energy: heard.totalAudioEnergy ?? 0,
        sent: said.packetsSent ?? 0,
      };
    },
  };
})();
