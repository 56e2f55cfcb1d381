// A real call by npm `@sinch/sdk-core`: into a conference, muted, thrown out, and looked at when it is over.
// Reads {url, key, secret, phone} from standard input and prints what was seen on the way.
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';

const require = createRequire(`${process.cwd()}/`);
console.log = console.debug = console.info = console.warn = console.error; // our answer alone goes to stdout
const { SinchClient } = require('@sinch/sdk-core');

const { url, key, secret, phone } = JSON.parse(readFileSync(0, 'utf8'));
const { voice } = new SinchClient({
  applicationKey: key,
  applicationSecret: secret,
  voiceHostname: url,
  voiceApplicationManagementHostname: url,
});

const seen = async (what) => {
  for (let tries = 0; tries < 150; tries += 1) {
    const answer = await what().catch(() => null); // not there yet
    if (answer) return answer;
    await setTimeout(200);
  }
  throw new Error('nothing came of it');
};

const conferenceId = 'live room/1';
const { callId } = await voice.callouts.conference({
  conferenceCalloutRequestBody: {
    method: 'conferenceCallout',
    conferenceCallout: { destination: { type: 'number', endpoint: phone }, conferenceId, custom: 'mine' },
  },
});
const { participants: [member] } = await seen(() => voice.conferences.get({ conferenceId }));
await voice.conferences.manageParticipant({
  conferenceId, callId, manageParticipantRequestBody: { command: 'mute' },
});
const { participants: [muted] } = await voice.conferences.get({ conferenceId });
await voice.conferences.kickParticipant({ conferenceId, callId });
const over = await seen(async () => {
  const told = await voice.calls.get({ callId });
  return told.status === 'FINAL' ? told : null;
});
process.stdout.write(JSON.stringify({
  isMember: member.id === callId,
  muted: [member.muted, muted.muted],
  over: [over.result, over.reason, over.custom],
}));
