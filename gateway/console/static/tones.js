// What a telephone sounds like: keys (ITU-T Q.23), the tone while it rings elsewhere, and the bell.

const ROWS = [697, 770, 852, 941];
const COLUMNS = [1209, 1336, 1477, 1633];
const KEYS = ["123A", "456B", "789C", "*0#D"];
const LOUDNESS = 0.06;

let context = null;
let repeating = null;

/** Play a key's two tones; nothing where a page may not sound yet. */
export function playKey(key) {
  const row = KEYS.findIndex((each) => each.includes(key));
  if (row >= 0) sound([ROWS[row], COLUMNS[KEYS[row].indexOf(key)]], 0.12);
}

/** Ring here, until `hush`. */
export function ringBell() {
  repeat(3000, () => [0, 0.4].forEach((after) => sound([440, 554], 0.3, after)));
}

/** The tone that says that it rings there, until `hush`. */
export function ringBack() {
  repeat(5000, () => sound([425], 1));
}

export function hush() {
  clearInterval(repeating);
  repeating = null;
  void context?.suspend();
}

function repeat(everyMs, play) {
  hush();
  play();
  repeating = setInterval(play, everyMs);
}

function sound(frequencies, seconds, after = 0) {
  context ??= new AudioContext();
  void context.resume();
  const gain = new GainNode(context, { gain: 0 });
  gain.connect(context.destination);
  const start = context.currentTime + after + 0.01;
  gain.gain.setTargetAtTime(LOUDNESS, start, 0.004);
  gain.gain.setTargetAtTime(0, start + seconds, 0.008);
  for (const frequency of frequencies) {
    const tone = new OscillatorNode(context, { frequency });
    tone.connect(gain);
    tone.start(start);
    tone.stop(start + seconds + 0.1);
  }
}
