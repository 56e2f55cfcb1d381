// A phone of JsSIP: the library with a person's hands.
"use strict";

import JsSIP from "jssip";
import { tell } from "./told.js";

const MEDIA = {
  mediaConstraints: { audio: true, video: false },
  pcConfig: { iceServers: [] },
};
const calls = [];
let agent;

const newest = () => calls.at(-1);

/** Say what an answer was: its status, and the headers that explain it. */
const answer = (response) => ({
  status: response?.status_code ?? null,
  warning: response?.getHeader?.("Warning") ?? null,
  allow: response?.getHeader?.("Allow") ?? null,
});

function follow(session) {
  const over = ({ message, originator, cause }) => {
    calls.splice(calls.indexOf(session), 1);
    tell("ended", { ...answer(message), by: originator, cause });
  };
  calls.push(session);
  session.on("progress", ({ originator }) => originator === "remote" && tell("ringing"));
  session.on("confirmed", () => tell("established"));
  session.on("newDTMF", ({ originator, dtmf }) => originator === "remote" && tell("key", { key: dtmf.tone }));
  session.on("ended", over);
  session.on("failed", over);
}

function refer(session, uri, options = {}) {
  session.refer(uri, {
    ...options,
    eventHandlers: {
      requestFailed: ({ response }) => tell("transfer.refused", answer(response)),
      progress: () => tell("transfer.ringing"),
      accepted: () => tell("transferred"),
      failed: ({ status_line }) => tell("transfer.failed", { status: status_line.status_code }),
    },
  });
}

window.phone = {
  start({ server, uri, user, password, answers }) {
    agent = new JsSIP.UA({
      sockets: [new JsSIP.WebSocketInterface(server)],
      uri,
      authorization_user: user,
      password,
      connection_recovery_min_interval: 1,
      connection_recovery_max_interval: 1,
    });
    agent.on("registered", () => tell("registered"));
    agent.on("unregistered", () => tell("unregistered"));
    agent.on("registrationFailed", ({ response }) => tell("registration.refused", answer(response)));
    agent.on("disconnected", () => tell("disconnected"));
    agent.on("newRTCSession", ({ originator, session }) => {
      follow(session);
      if (originator === "remote") {
        tell("called", { from: session.remote_identity.uri.user });
        if (answers) session.answer(MEDIA);
      }
    });
    agent.start();
  },
  unregister: () => agent.unregister(),
  dial: (uri) => void agent.call(uri, MEDIA),
  answer: () => newest().answer(MEDIA),
  decline: () => newest().terminate({ status_code: 486 }),
  hangUp: () => newest().terminate(),
  hold: () => newest().hold({}, () => tell("held")),
  restart: () =>
    newest().renegotiate({ rtcOfferConstraints: { iceRestart: true } }, () => tell("restarted")),
  resume: () => newest().unhold({}, () => tell("resumed")),
  renegotiate: () => newest().renegotiate({}, () => tell("renegotiated")),
  press: (keys, way) => newest().sendDTMF(keys, { transportType: way === "info" ? "INFO" : "RFC2833" }),
  transfer: (uri) => refer(newest(), uri),
  attend() {
    const [first, second] = calls.slice(-2);
    refer(first, second.remote_identity.uri.toString(), { replaces: second });
  },
  ask(method, uri) {
    const told = ({ response }) => tell("answered", { method, ...answer(response) });
    const options = { eventHandlers: { succeeded: told, failed: told } };
    if (method === "OPTIONS") agent.sendOptions(uri, null, options);
    else agent.sendMessage(uri, "Is anybody there?", options);
  },
};
