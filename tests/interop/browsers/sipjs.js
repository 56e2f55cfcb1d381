// A phone of SIP.js: its SessionManager, which is what its guide tells people to use, with a person's hands.
"use strict";

import { Messager, UserAgent, Web } from "sip.js";
import { tell } from "./told.js";

let manager;

const calls = () => manager.managedSessions.map((each) => each.session);
const newest = () => calls().at(-1);

/** Say what an answer was: its status, and the headers that explain it. */
const answer = (response) => ({
  status: response?.message.statusCode ?? null,
  warning: response?.message.getHeader("Warning") ?? null,
  allow: response?.message.getHeader("Allow") ?? null,
});

/** What a call was refused with; its library tells the end first, and says no reason. */
const refusals = new WeakMap();

const delegate = (answers) => ({
  onRegistered: () => tell("registered"),
  onUnregistered: () => tell("unregistered"),
  onServerDisconnect: () => tell("disconnected"),
  onCallReceived(session) {
    tell("called", { from: session.remoteIdentity.uri.user });
    if (answers) manager.answer(session);
  },
  onCallAnswered: () => tell("established"),
  onCallHold: (session, held) => tell(held ? "held" : "resumed"),
  onCallDTMFReceived: (session, key) => tell("key", { key }),
  onCallHangup: (session) => setTimeout(() => tell("ended", refusals.get(session) ?? answer(null))),
});

const transferState = (status) =>
  status < 200 ? "transfer.ringing" : status < 300 ? "transferred" : "transfer.failed";

function refer(target) {
  const [session] = typeof target === "string" ? [newest()] : calls().slice(-2);
  manager.transfer(session, target, {
    requestDelegate: { onReject: (response) => tell("transfer.refused", answer(response)) },
    onNotify(notification) {
      notification.accept();
      const status = Number(/^SIP\/2\.0 (\d+)/.exec(notification.request.body)?.[1]);
      if (status > 100) tell(transferState(status), { status });
    },
  });
}

window.phone = {
  async start({ server, uri, user, password, answers }) {
    manager = new Web.SessionManager(server, {
      aor: uri,
      delegate: delegate(answers),
      maxSimultaneousSessions: 3,
      reconnectionDelay: 1,
      registrationRetryInterval: 1,
      registererRegisterOptions: {
        requestDelegate: { onReject: (response) => tell("registration.refused", answer(response)) },
      },
      userAgentOptions: {
        authorizationUsername: user,
        authorizationPassword: password,
        logLevel: "warn",
        sessionDescriptionHandlerFactoryOptions: {
          iceGatheringTimeout: 500,
          peerConnectionConfiguration: { iceServers: [] },
        },
        transportOptions: { server, keepAliveInterval: 1 },
      },
    });
    await manager.connect();
    await manager.register();
  },
  unregister: () => manager.unregister(),
  async dial(uri) {
    const requestDelegate = {
      onProgress: (response) => response.message.statusCode === 180 && tell("ringing"),
      onReject: (response) => refusals.set(session, answer(response)),
    };
    const session = await manager.call(uri, {}, { requestDelegate });
  },
  answer: () => manager.answer(newest()),
  decline: () => newest().reject({ statusCode: 486 }),
  hangUp: () => manager.hangup(newest()),
  hold: () => manager.hold(newest()),
  restart: () =>
    newest().invite({
      requestDelegate: { onAccept: () => tell("restarted") },
      sessionDescriptionHandlerOptions: { offerOptions: { iceRestart: true } },
    }),
  resume: () => manager.unhold(newest()),
  renegotiate: () => newest().invite({ requestDelegate: { onAccept: () => tell("renegotiated") } }),
  press(keys, way) {
    if (way === "info") return manager.sendDTMF(newest(), keys);
    newest().sessionDescriptionHandler.sendDtmf(keys);
  },
  transfer: (uri) => refer(uri),
  attend: () => refer(newest()),
  ask(method, uri) {
    const target = UserAgent.makeURI(uri);
    const agent = manager.userAgent;
    const told = (response) => tell("answered", { method, ...answer(response) });
    const requestDelegate = { onAccept: told, onReject: told };
    if (method === "MESSAGE") {
      new Messager(agent, target, "Is anybody there?").message({ requestDelegate });
    } else {
      const core = agent.userAgentCore;
      core.request(
        core.makeOutgoingRequestMessage(method, target, agent.configuration.uri, target, {}),
        requestDelegate,
      );
    }
  },
};
