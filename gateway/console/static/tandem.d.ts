// The types of tandem.js.

export declare const CallState: {
  readonly INIT: 0;
  readonly PROGRESSING: 1;
  readonly ESTABLISHED: 2;
  readonly ENDED: 3;
  readonly ANSWERED: 4;
  readonly RINGING: 5;
};
export type CallState = (typeof CallState)[keyof typeof CallState];

export declare const CallDirection: { readonly INCOMING: "incoming"; readonly OUTGOING: "outgoing" };
export type CallDirection = (typeof CallDirection)[keyof typeof CallDirection];

export declare const CallEndCause: {
  readonly NONE: 0;
  readonly TIMEOUT: 1;
  readonly DENIED: 2;
  readonly NO_ANSWER: 3;
  readonly FAILURE: 4;
  readonly HUNG_UP: 5;
  readonly CANCELED: 6;
  readonly OTHER_DEVICE_ANSWERED: 7;
  readonly INACTIVE: 8;
};
export type CallEndCause = (typeof CallEndCause)[keyof typeof CallEndCause];

/** A method was given what it cannot take. */
export declare class ArgumentError extends Error {}

/** With the call, to whoever is called and to the application; at most 1,024 bytes of UTF-8 in all. */
export type Headers = Readonly<Record<string, string>>;

export interface Credentials {
  readonly domain: string;
  readonly servers: readonly string[];
  readonly username: string;
  readonly password: string;
  readonly userId?: string;
  /** ISO 8601. */
  readonly expiresAt?: string;
}

export interface ClientRegistration {
  register(jwt: string): Promise<void>;
  registerFailed(): void;
}

export interface ClientSettings {
  readonly userId: string;
  /** The switch's URL; default: where this module came from. */
  readonly environmentHost?: string;
  readonly applicationKey?: string;
  readonly callerIdentifier?: string;
  readonly displayName?: string;
  /** Of a SIP user; without it, and without credentials, `onCredentialsRequired` asks for a token. */
  readonly password?: string;
  readonly credentials?: Credentials;
}

export interface TandemClientListener {
  onClientStarted?(client: TandemClient): void;
  onClientFailed?(client: TandemClient, error: Error & { errorCode?: number; status?: number }): void;
  onCredentialsRequired?(client: TandemClient, registration: ClientRegistration): void;
  /** The connection is gone; it comes back by itself, and `onClientStarted` says so. */
  onClientDisconnected?(client: TandemClient): void;
}

export declare class TandemClient {
  constructor(settings: ClientSettings);
  static builder(): ClientBuilder;
  readonly userId: string;
  readonly callerIdentifier: string | null;
  readonly callClient: CallClient;
  readonly credentials: Credentials | null;
  start(): Promise<TandemClient>;
  isStarted(): boolean;
  terminate(): Promise<void>;
  setDisplayName(name: string): void;
  addListener(listener: TandemClientListener): void;
  removeListener(listener: TandemClientListener): void;
}

export interface ClientBuilder {
  applicationKey(key: string): ClientBuilder;
  userId(id: string): ClientBuilder;
  environmentHost(url: string): ClientBuilder;
  callerIdentifier(number: string): ClientBuilder;
  build(): TandemClient;
}

export interface CallClientListener {
  onIncomingCall?(callClient: CallClient, call: Call): void;
}

export declare class CallClient {
  callUser(userId: string, headers?: Headers): Promise<Call>;
  callPhoneNumber(number: string, headers?: Headers): Promise<Call>;
  callSip(address: string, headers?: Headers): Promise<Call>;
  callConference(conferenceId: string, headers?: Headers): Promise<Call>;
  getCall(id: string): Call | null;
  setAudioTrackConstraints(constraints: boolean | MediaTrackConstraints): void;
  addListener(listener: CallClientListener): void;
  removeListener(listener: CallClientListener): void;
}

export interface CallDetails {
  readonly startedTime: Date;
  readonly progressTime?: Date;
  readonly rungTime?: Date;
  readonly answeredTime?: Date;
  readonly establishedTime?: Date;
  readonly endedTime?: Date;
  readonly endCause: CallEndCause;
  /** Of type "SIP" with the status and the headers, where the switch or the other side refused. */
  readonly error: (Error & { type?: "SIP"; status?: number; headers?: readonly [string, string][] }) | null;
  readonly requestedAudio: boolean;
  readonly requestedVideo: boolean;
}

export interface CallQuality {
  readonly codec: string | null;
  readonly lossPercent: number;
  readonly jitterMs: number;
  readonly roundTripMs: number;
  readonly packetsReceived: number;
  readonly packetsLost: number;
  /** ITU-T G.107, 1 to 4.5; null while nothing comes. */
  readonly mos: number | null;
}

export interface CallQualityWarning {
  readonly name: "LowMos";
  readonly type: "Trigger" | "Recover";
  readonly mos: number;
}

export interface CallListener {
  onCallProgressing?(call: Call): void;
  onCallRinging?(call: Call): void;
  onCallAnswered?(call: Call): void;
  onCallEstablished?(call: Call): void;
  onCallEnded?(call: Call): void;
  onCallQualityWarningEvent?(call: Call, event: CallQualityWarning): void;
  /** Every two seconds. */
  onCallQuality?(call: Call, quality: CallQuality): void;
  /** Four times a second, 0 to 1. */
  onCallLevels?(call: Call, levels: { readonly incoming: number; readonly outgoing: number }): void;
}

export declare class Call {
  readonly id: string;
  readonly callId: string;
  readonly direction: CallDirection;
  readonly state: CallState;
  readonly details: CallDetails;
  readonly headers: Headers;
  readonly remoteUserId: string;
  readonly remoteUserDisplayName: string;
  readonly incomingStream: MediaStream | null;
  readonly outgoingStream: MediaStream | null;
  readonly isMuted: boolean;
  readonly isHeld: boolean;
  readonly quality?: CallQuality;
  /** Milliseconds. */
  readonly duration: number;
  answer(): Promise<void>;
  /** Hangs up, takes back or refuses. */
  hangup(): void;
  mute(): void;
  unmute(): void;
  hold(isHeld?: boolean): Promise<void>;
  resume(): Promise<void>;
  /** Digits, # * and A-D. */
  sendDtmf(keys: string): void;
  replaceMicrophone(constraints: boolean | MediaTrackConstraints): Promise<void>;
  addListener(listener: CallListener): void;
  removeListener(listener: CallListener): void;
}
