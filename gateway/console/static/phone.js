// The web phone: what a person sees and does, on top of tandem.js and of nothing else.

import { CallDirection, CallEndCause, CallState, TandemClient } from "./tandem.js";
import { hush, playKey, ringBack, ringBell } from "./tones.js";

const PAD = ["1", "2 ABC", "3 DEF", "4 GHI", "5 JKL", "6 MNO", "7 PQRS", "8 TUV", "9 WXYZ", "*", "0 +", "#"];
const KEPT = "tandem.credentials";
const TITLE = document.title;
const TOAST_MS = 6000;
const MOST_RECENT = 6;
const FAINTEST_DB = -60;

const STATES = {
  [CallState.INIT]: "Getting the microphone…",
  [CallState.PROGRESSING]: "Calling…",
  [CallState.RINGING]: "Ringing…",
  [CallState.ANSWERED]: "Connecting…",
  [CallState.ESTABLISHED]: "Connected",
};
const ENDS = {
  [CallEndCause.TIMEOUT]: "No answer",
  [CallEndCause.DENIED]: "Declined",
  [CallEndCause.NO_ANSWER]: "No answer",
  [CallEndCause.FAILURE]: "The call failed",
  [CallEndCause.HUNG_UP]: "Call ended",
  [CallEndCause.CANCELED]: "Cancelled",
  [CallEndCause.OTHER_DEVICE_ANSWERED]: "Answered on another device",
  [CallEndCause.INACTIVE]: "The connection was lost",
};

const $ = (id) => document.getElementById(id);

let client = null;
let call = null;
let timer = null;
let toasting = null;
const recent = [];

// Signing in.

function signIn(settings, token = null) {
  let unused = token;
  client = new TandemClient(settings);
  client.addListener({
    onCredentialsRequired: (_, registration) => {
      if (unused === null) return registration.registerFailed();
      registration.register(unused);
      unused = null;
    },
    onClientStarted: () => signedIn(),
    onClientDisconnected: () => client?.isStarted() && presence("wait", "Reconnecting…"),
    onClientFailed: (_, error) => signedOut(error.message),
  });
  client.callClient.addListener({ onIncomingCall: (_, incoming) => take(incoming) });
  presence("wait", "Connecting…");
  return client.start().catch(() => {}); // onClientFailed has told
}

function signedIn() {
  if (client.credentials) sessionStorage.setItem(KEPT, JSON.stringify({ userId: client.userId, credentials: client.credentials }));
  presence("on", client.userId);
  $("sign-out").hidden = false;
  if (!call && $("view-phone").hidden) {
    show("phone");
    $("target").focus();
  }
}

function signedOut(why = "") {
  sessionStorage.removeItem(KEPT);
  client = null;
  presence("off", "Signed out");
  $("sign-out").hidden = true;
  $("sign-in-error").textContent = why;
  $("token").closest("details").open = false;
  show("sign-in");
  $("user").focus();
}

async function signOut() {
  const leaving = client;
  signedOut();
  await leaving?.terminate();
}

function presence(state, text) {
  $("presence").dataset.state = state;
  $("presence").textContent = text;
}

/** The user that a token names; the switch judges whether it is right. */
function userOf(token) {
  try {
    const claims = JSON.parse(atob(token.split(".")[1].replace(/-/g, "+").replace(/_/g, "/")));
    return claims.sub.split("/users/")[1];
  } catch {
    return "";
  }
}

function begin() {
  const told = new URLSearchParams(location.hash.slice(1));
  history.replaceState(null, "", location.pathname); // what signs in is not to be left in the address bar
  offerSecondPhone(told.get("peer"));
  const [token, kept] = [told.get("token"), JSON.parse(sessionStorage.getItem(KEPT) ?? "null")];
  const isGood = kept !== null && Date.parse(kept.credentials.expiresAt) > Date.now();
  if (isGood && (!token || userOf(token) === kept.userId)) signIn(kept); // a token serves once, and has served
  else if (token) signIn({ userId: userOf(token) || "nobody" }, token);
  else signedOut();
}

function offerSecondPhone(token) {
  if (!token) return;
  const name = userOf(token);
  $("second").hidden = false;
  $("second-tab").href = `/phone#token=${token}`;
  $("second-hint").textContent = `In another tab, as ${name}; then call ${name} from here`;
  $("second-tab").addEventListener("click", () => {
    $("target").value = name;
    setTimeout(() => ($("second").hidden = true)); // the link serves once
  });
}

// Calls.

async function dial(target) {
  if (call) return;
  if (!client?.isStarted()) return toast("Not connected to the switch just now");
  const { callClient } = client;
  try {
    if (target.includes("@")) begun(await callClient.callSip(target));
    else if (target.startsWith("conf-")) begun(await callClient.callConference(target.slice(5)));
    else if (/^[+0-9().\s-]+$/.test(target)) begun(await callClient.callPhoneNumber(target));
    else begun(await callClient.callUser(target));
  } catch (error) {
    toast(error.message);
  }
}

function take(incoming) {
  if (call) return incoming.hangup(); // one line
  begun(incoming);
  document.title = `☎ ${nameOf(incoming)} is calling`;
  ringBell();
}

function begun(begins) {
  call = begins;
  call.addListener({
    onCallProgressing: showCall,
    onCallRinging: () => {
      showCall();
      if (call.incomingStream) $("speaker").srcObject = call.incomingStream;
      else ringBack();
    },
    onCallAnswered: showCall,
    onCallEstablished: established,
    onCallEnded: ended,
    onCallLevels: (_, levels) => {
      level("meter-in", levels.incoming);
      level("meter-out", levels.outgoing);
    },
    onCallQuality: (_, quality) => showQuality(quality),
    onCallQualityWarningEvent: (_, { type }) => type === "Trigger" && toast("The line is poor"),
  });
  for (const id of ["sent", "toast"]) $(id).textContent = "";
  for (const each of $("quality").querySelectorAll("dd")) each.textContent = "–";
  for (const id of ["meter-in", "meter-out"]) level(id, 0);
  $("view-call").removeAttribute("data-keypad");
  $("keypad").setAttribute("aria-expanded", "false");
  for (const id of ["meters", "quality", "controls", "call-pad", "timer"]) $(id).hidden = true;
  show("call");
  showCall();
  const isIncoming = call.direction === CallDirection.INCOMING;
  $(isIncoming ? "answer" : "hang-up").focus();
}

function established() {
  hush();
  document.title = TITLE;
  $("speaker").srcObject = call.incomingStream;
  for (const id of ["meters", "quality", "controls", "timer"]) $(id).hidden = false;
  timer = setInterval(tick, 500);
  tick();
  showCall();
  listDevices();
  if (document.activeElement === document.body) $("hang-up").focus();
}

function ended(over) {
  hush();
  clearInterval(timer);
  document.title = TITLE;
  const { error } = over.details;
  const lasted = over.duration ? `, ${clock(over.duration)}` : "";
  toast(`${endOf(over)}${lasted}${error ? `: ${error.message}` : ""}`);
  remember(over);
  call = null;
  $("speaker").srcObject = null;
  show(client ? "phone" : "sign-in");
  $("target").focus();
}

function showCall() {
  if (!call) return;
  const name = nameOf(call);
  const waits = call.direction === CallDirection.INCOMING && call.state === CallState.PROGRESSING;
  $("peer").textContent = name;
  $("avatar").textContent = [...name.replace(/^\+/, "")][0]?.toUpperCase() ?? "?";
  $("call-state").textContent = waits ? "Incoming call" : call.isHeld ? "On hold" : STATES[call.state];
  $("answer").hidden = !waits;
  $("hang-up").setAttribute("aria-label", waits ? "Decline" : "Hang up");
  $("view-call").toggleAttribute("data-ringing", call.state < CallState.ESTABLISHED || call.state === CallState.RINGING);
  $("mute").setAttribute("aria-pressed", call.isMuted);
  $("hold").setAttribute("aria-pressed", call.isHeld);
}

function showQuality({ mos, lossPercent, jitterMs, roundTripMs }) {
  $("q-mos").textContent = mos === null ? "–" : `${mos.toFixed(1)} / 4.5`;
  $("q-loss").textContent = `${lossPercent.toFixed(1)} %`;
  $("q-jitter").textContent = `${Math.round(jitterMs)} ms`;
  $("q-trip").textContent = `${Math.round(roundTripMs)} ms`;
  $("quality").toggleAttribute("data-poor", mos !== null && mos < 3.6);
}

/** Show a level on a scale of decibels, as ears have it. */
function level(id, linear) {
  const share = linear > 0 ? Math.max(0, 1 - (20 * Math.log10(linear)) / FAINTEST_DB) : 0;
  $(id).style.setProperty("--level", share.toFixed(2));
  $(id).setAttribute("aria-valuenow", Math.round(100 * share));
}

function tick() {
  if (call) $("timer").textContent = clock(call.duration);
}

function press(key) {
  playKey(key);
  if (call?.state === CallState.ESTABLISHED) {
    call.sendDtmf(key);
    $("sent").textContent += key;
  } else {
    $("target").value += key;
  }
}

function remember(over) {
  recent.unshift({ name: nameOf(over), target: over.remoteUserId, incoming: over.direction === CallDirection.INCOMING, over });
  recent.length = Math.min(recent.length, MOST_RECENT);
  $("nothing-recent").hidden = true;
  $("recent").replaceChildren(...recent.map(entry));
}

function entry({ name, target, incoming, over }) {
  const [item, button] = [document.createElement("li"), document.createElement("button")];
  const length = over.duration ? clock(over.duration) : endOf(over).toLowerCase();
  button.type = "button";
  button.append(text("span", incoming ? "From" : "To"), text("b", name), text("span", length));
  button.addEventListener("click", () => dial(target));
  item.append(button);
  return item;
}

// Devices.

async function listDevices() {
  const devices = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
  for (const [id, kind] of [["microphone", "audioinput"], ["output", "audiooutput"]]) {
    const chosen = $(id).value;
    const found = devices.filter((each) => each.kind === kind && each.deviceId);
    const options = found.map((each) => Object.assign(text("option", each.label || "Unnamed"), { value: each.deviceId }));
    $(id).replaceChildren(...(options.length ? options : [Object.assign(text("option", "Default"), { value: "" })]));
    if (found.some((each) => each.deviceId === chosen)) $(id).value = chosen;
  }
  $("output").disabled = !("setSinkId" in HTMLMediaElement.prototype);
}

async function chooseMicrophone() {
  const constraints = $("microphone").value ? { deviceId: { exact: $("microphone").value } } : true;
  client?.callClient.setAudioTrackConstraints(constraints);
  await call?.replaceMicrophone(constraints);
}

// Small things.

const nameOf = (each) => each.remoteUserDisplayName || each.remoteUserId || "Unknown caller";

/** How a call ended, as whoever looks at this page would say it. */
function endOf({ direction, details: { endCause } }) {
  const isMissed = direction === CallDirection.INCOMING && endCause === CallEndCause.CANCELED;
  return isMissed ? "Missed call" : ENDS[endCause];
}

function clock(milliseconds) {
  const seconds = Math.floor(milliseconds / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

function text(tag, content) {
  return Object.assign(document.createElement(tag), { textContent: content });
}

function toast(message) {
  clearTimeout(toasting);
  $("toast").textContent = message;
  toasting = setTimeout(() => ($("toast").textContent = ""), TOAST_MS);
}

function show(view) {
  for (const each of ["sign-in", "phone", "call"]) $(`view-${each}`).hidden = each !== view;
}

function pad(id) {
  for (const each of PAD) {
    const [key, letters = ""] = each.split(" ");
    const button = Object.assign(document.createElement("button"), { type: "button", className: "key" });
    button.setAttribute("aria-label", { "*": "star", "#": "hash" }[key] ?? key);
    button.append(key, text("small", letters));
    button.addEventListener("click", () => press(key));
    $(id).append(button);
  }
}

function type(event) {
  const isTyping = /^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement?.tagName);
  if (isTyping || event.ctrlKey || event.metaKey || event.altKey || !/^[0-9*#]$/.test(event.key)) return;
  if (call?.state === CallState.ESTABLISHED || !$("view-phone").hidden) press(event.key);
}

pad("dial-keys");
pad("call-keys");
document.addEventListener("keydown", type);
$("sign-in").addEventListener("submit", (event) => {
  event.preventDefault();
  $("sign-in-error").textContent = "";
  const token = $("token").value.trim();
  try {
    if (token) signIn({ userId: userOf(token) || $("user").value.trim() }, token);
    else signIn({ userId: $("user").value.trim(), password: $("password").value });
  } catch (error) {
    signedOut(error.message);
  }
  $("password").value = $("token").value = "";
});
$("token").addEventListener("input", () => ($("user").required = !$("token").value.trim()));
$("dial").addEventListener("submit", (event) => {
  event.preventDefault();
  const target = $("target").value.trim();
  if (target) dial(target);
  else if (recent.length) $("target").value = recent[0].target; // as telephones do
});
$("erase").addEventListener("click", () => ($("target").value = $("target").value.slice(0, -1)));
$("shortcuts").addEventListener("click", ({ target }) => {
  const wanted = target.closest("[data-call]")?.dataset.call;
  if (wanted) dial(wanted);
});
$("hang-up").addEventListener("click", () => call?.hangup());
$("answer").addEventListener("click", () => {
  hush();
  call?.answer();
});
$("mute").addEventListener("click", () => {
  if (call?.isMuted) call.unmute();
  else call?.mute();
  showCall();
});
$("hold").addEventListener("click", async () => {
  $("hold").disabled = true;
  await call?.hold(!call.isHeld).catch((error) => toast(`Hold was refused: ${error.message}`));
  $("hold").disabled = false;
  showCall();
});
$("keypad").addEventListener("click", () => {
  const isHidden = ($("call-pad").hidden = !$("call-pad").hidden);
  $("keypad").setAttribute("aria-expanded", !isHidden);
  $("view-call").toggleAttribute("data-keypad", !isHidden);
});
$("sign-out").addEventListener("click", signOut);
$("open-settings").addEventListener("click", async () => {
  await listDevices();
  $("settings").showModal();
});
$("microphone").addEventListener("change", () => chooseMicrophone().catch((error) => toast(error.message)));
$("output").addEventListener("change", () => $("speaker").setSinkId($("output").value).catch((error) => toast(error.message)));
window.addEventListener("pagehide", () => void client?.terminate());
window.addEventListener("pageshow", ({ persisted }) => persisted && location.reload());
begin();
