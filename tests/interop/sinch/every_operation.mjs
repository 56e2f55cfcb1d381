// Every voice operation of the official node client, npm `@sinch/sdk-core` with `@sinch/voice`, unmodified.
// Reads {url, key, secret, number} from standard input and prints what the client made of the answers.
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';

const require = createRequire(`${process.cwd()}/`);
console.log = console.debug = console.info = console.warn = console.error; // the client logs refusals; our answer alone goes to stdout
const { SinchClient, Voice } = require('@sinch/sdk-core');

const { url, key, secret, number } = JSON.parse(readFileSync(0, 'utf8'));
const { voice } = new SinchClient({
  applicationKey: key,
  applicationSecret: secret,
  voiceHostname: url,
  voiceApplicationManagementHostname: url,
});
const phone = { type: 'number', endpoint: '+14045005000' };
const refusalOf = (asking) => asking.then(() => null, (error) => ({ status: error.statusCode, data: JSON.parse(error.data) }));

const tts = await voice.callouts.tts({
  ttsCalloutRequestBody: {
    method: 'ttsCallout',
    ttsCallout: { cli: '+14045001000', destination: phone, locale: 'en-US', text: 'Hello' },
  },
});
const conference = await voice.callouts.conference({
  conferenceCalloutRequestBody: {
    method: 'conferenceCallout',
    conferenceCallout: {
      cli: '+14045001000', destination: phone, conferenceId: 'my conf/1', locale: 'en-US', greeting: 'Welcome', mohClass: 'music1',
    },
  },
});
const custom = await voice.callouts.custom({
  customCalloutRequestBody: {
    method: 'customCallout',
    customCallout: {
      cli: '+14045001000',
      destination: phone,
      custom: 'Custom text',
      ice: Voice.customCalloutHelper.formatIceResponse(
        Voice.iceActionHelper.connectPstn({ number: '+14045005000', cli: '+14045001000' }),
        Voice.iceInstructionHelper.say('Welcome.', 'en-US/male'),
        Voice.iceInstructionHelper.startRecording({ destinationUrl: 's3://bucket', credentials: 'key:secret:region' }),
      ),
      ace: Voice.customCalloutHelper.formatAceResponse(
        Voice.aceActionHelper.runMenu({
          locale: 'Kimberly',
          enableVoice: true,
          barge: true,
          menus: [
            {
              id: 'main',
              mainPrompt: '#tts[Press 1 to confirm or 2 to cancel]',
              repeatPrompt: '#tts[Please try again]',
              timeoutMills: 5000,
              options: [{ dtmf: '1', action: 'menu(confirm)' }, { dtmf: '2', action: 'return(cancel)' }],
            },
            { id: 'confirm', mainPrompt: '#tts[Enter your 4-digit PIN.]', maxDigits: 4 },
          ],
        }),
      ),
      pie: 'https://example.org/pie',
    },
  },
});

const room = 'my conf/1';
const answers = {
  callouts: [tts.callId, conference.callId, custom.callId],
  call: await voice.calls.get({ callId: tts.callId }),
  timestampIsDate: (await voice.calls.get({ callId: tts.callId })).timestamp instanceof Date,
  update: await voice.calls.update({
    callId: tts.callId,
    updateCallRequestBody: {
      instructions: [Voice.svamlInstructionHelper.buildSay('Bye.', 'en-US')],
      action: Voice.svamlActionHelper.buildHangup(),
    },
  }),
  leg: await voice.calls.manageWithCallLeg({
    callId: tts.callId,
    callLeg: 'callee',
    manageWithCallLegRequestBody: {
      instructions: [Voice.svamlInstructionHelper.buildSay('Hello.', 'en-US')],
      action: Voice.svamlActionHelper.buildContinue(),
    },
  }),
  unknownCall: await refusalOf(voice.calls.get({ callId: 'nobody' })),
  conference: await voice.conferences.get({ conferenceId: room }),
  mute: await voice.conferences.manageParticipant({
    conferenceId: room, callId: 'call-a', manageParticipantRequestBody: { command: 'onhold', moh: 'music2' },
  }),
  held: await voice.conferences.get({ conferenceId: room }),
  kick: await voice.conferences.kickParticipant({ conferenceId: room, callId: 'call-b' }),
  kickAll: await voice.conferences.kickAll({ conferenceId: room }),
  gone: await refusalOf(voice.conferences.get({ conferenceId: room })),
  assign: await voice.applications.assignNumbers({
    assignNumbersRequestBody: { numbers: [number], applicationkey: key, capability: 'voice' },
  }),
  numbers: await voice.applications.listNumbers({}),
  unassign: await voice.applications.unassignNumber({ unassignNumbersRequestBody: { number } }),
  setCallbacks: await voice.applications.updateCallbackURLs({
    applicationkey: key, updateCallbacksRequestBody: { url: { primary: 'https://example.org/calls' } },
  }),
  callbacks: await voice.applications.getCallbackURLs({ applicationkey: key }),
  query: await voice.applications.queryNumber({ number: '+46 (0)73-017 0101' }),
};
process.stdout.write(JSON.stringify(answers));
