// The official node client judges callbacks: reads {key, secret, callbacks: [{headers, body, path}]}, prints for each
// whether its signature is valid and which event the client sees in it.
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';

const require = createRequire(`${process.cwd()}/`);
console.log = console.debug = console.info = console.warn = console.error; // our answer alone goes to stdout
const { VoiceCallbackWebhooks } = require('@sinch/sdk-core');

const { key, secret, callbacks } = JSON.parse(readFileSync(0, 'utf8'));
const webhooks = new VoiceCallbackWebhooks({ applicationKey: key, applicationSecret: secret });
const verdicts = callbacks.map(({ headers, body, path }) => {
  const valid = webhooks.validateAuthenticationHeader(headers, body, path, 'POST');
  let event = null;
  try {
    event = webhooks.parseEvent(body).event;
  } catch {
    // a changed byte may well make it no event at all
  }
  return { valid, event };
});
process.stdout.write(JSON.stringify(verdicts));
