// Digest authentication, the client's half (RFC 7616, RFC 8760): MD5 by hand, since browsers have none, and SHA-256.

/** The parameters of a challenge that can be answered, or null: `Digest realm="...", nonce="...", algorithm=MD5`. */
export function parseChallenge(text) {
  if (!/^\s*digest\s/i.test(text)) return null;
  const found = [...text.matchAll(/([a-z]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,]+))/gi)];
  const given = Object.fromEntries(
    found.map(([, name, quoted, bare]) => [name.toLowerCase(), quoted?.replace(/\\(.)/g, "$1") ?? bare]),
  );
  const algorithm = (given.algorithm ?? "MD5").toUpperCase();
  const qop = given.qop?.split(",").map((each) => each.trim().toLowerCase()) ?? [];
  if (!HASHES[algorithm] || (given.qop && !qop.includes("auth"))) return null;
  return { ...given, algorithm, qop: qop.includes("auth"), stale: given.stale?.toLowerCase() === "true" };
}

/** The value of an Authorization header. `count` is how often this nonce has been used, this time included. */
export async function answerChallenge(challenge, { username, password, method, uri, count, cnonce }) {
  const { realm, nonce, algorithm, qop, opaque } = challenge;
  const hash = HASHES[algorithm];
  const nc = count.toString(16).padStart(8, "0");
  const secret = await hash(`${username}:${realm}:${password}`);
  const request = await hash(`${method}:${uri}`);
  const response = await hash(
    qop ? `${secret}:${nonce}:${nc}:${cnonce}:auth:${request}` : `${secret}:${nonce}:${request}`,
  );
  const parts = [
    `username=${quoted(username)}`,
    `realm=${quoted(realm)}`,
    `nonce=${quoted(nonce)}`,
    `uri=${quoted(uri)}`,
    `response="${response}"`,
    `algorithm=${algorithm}`,
    ...(qop ? [`cnonce=${quoted(cnonce)}`, "qop=auth", `nc=${nc}`] : []),
    ...(opaque === undefined ? [] : [`opaque=${quoted(opaque)}`]),
  ];
  return `Digest ${parts.join(", ")}`;
}

const HASHES = { MD5: md5, "SHA-256": sha256 };

const quoted = (text) => `"${text.replace(/["\\]/g, "\\$&")}"`;
const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

async function sha256(text) {
  return hex(new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text))));
}

const SHIFTS = [7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21];
const SINES = Uint32Array.from({ length: 64 }, (_, i) => Math.floor(Math.abs(Math.sin(i + 1)) * 2 ** 32));

/** The MD5 of a text's UTF-8, in hexadecimal (RFC 1321). */
export function md5(text) {
  const data = new TextEncoder().encode(text);
  const padded = new DataView(new ArrayBuffer(((data.length + 72) >> 6) << 6));
  new Uint8Array(padded.buffer).set(data);
  padded.setUint8(data.length, 0x80);
  padded.setUint32(padded.byteLength - 8, data.length << 3, true);
  padded.setUint32(padded.byteLength - 4, data.length / 2 ** 29, true);
  const state = Uint32Array.of(0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476);
  for (let at = 0; at < padded.byteLength; at += 64) mixBlock(state, padded, at);
  return hex(new Uint8Array(state.buffer)); // browsers run on little-endian machines, and so does MD5
}

function mixBlock(state, data, at) {
  let [a, b, c, d] = state;
  for (let i = 0; i < 64; i++) {
    const round = i >> 4;
    const mixed = [(b & c) | (~b & d), (b & d) | (c & ~d), b ^ c ^ d, c ^ (b | ~d)][round];
    const word = [i, 5 * i + 1, 3 * i + 5, 7 * i][round] % 16;
    const sum = (a + mixed + SINES[i] + data.getUint32(at + 4 * word, true)) | 0;
    const shift = SHIFTS[4 * round + (i % 4)];
    [a, d, c, b] = [d, c, b, (b + ((sum << shift) | (sum >>> (32 - shift)))) | 0];
  }
  state.set([state[0] + a, state[1] + b, state[2] + c, state[3] + d]);
}
