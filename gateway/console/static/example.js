import { TandemClient } from "./tandem.js";

const say = (text) => (document.getElementById("state").textContent = text);

document.getElementById("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const { user, password } = Object.fromEntries(new FormData(event.target));
  const client = new TandemClient({ userId: user, password });
  client.addListener({ onClientFailed: (_, error) => say(error.message) });
  await client.start();
  const call = await client.callClient.callUser("echo");
  document.getElementById("end").onclick = () => call.hangup();
  call.addListener({
    onCallProgressing: () => say("calling"),
    onCallEstablished() {
      say("talk, and you hear yourself");
      document.getElementById("speaker").srcObject = call.incomingStream;
    },
    onCallEnded() {
      say("over");
      client.terminate();
    },
  });
});
