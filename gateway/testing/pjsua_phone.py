"""The process that is a pjsua2 phone: commands come as JSON lines on stdin, events leave as JSON lines on stderr.

pjsua2 is a C++ library with threads and a global state of its own, so it lives here, alone, and not in the test.
It has no sound card but a null device that gives it a clock.  `gateway.testing.pjsua` starts this process and
speaks to it; nothing else should.
"""

from __future__ import annotations

import json
import os
import select
import sys
from pathlib import Path
from typing import Any, Final

import pjsua2 as pj

__all__ = ["main"]

_LOOK_MS: Final = 10
_CODECS: Final = {"PCMU": "PCMU/8000/1", "PCMA": "PCMA/8000/1", "ILBC": "iLBC/8000/1"}
_CONFIRMED, _DISCONNECTED = pj.PJSIP_INV_STATE_CONFIRMED, pj.PJSIP_INV_STATE_DISCONNECTED
_MEDIA_STATUS: Final = {
    pj.PJSUA_CALL_MEDIA_ACTIVE: "active",
    pj.PJSUA_CALL_MEDIA_LOCAL_HOLD: "held",
    pj.PJSUA_CALL_MEDIA_REMOTE_HOLD: "held by peer",
}


def _tell(event: str, **facts: object) -> None:
    sys.stderr.write(json.dumps({"event": event, **facts}) + "\n")


class _Call(pj.Call):  # type: ignore[misc]  # pjsua2 has no types
    """A call that says what becomes of it, and is heard into the phone's recorder."""

    def __init__(self, phone: _Phone, call_id: int = pj.PJSUA_INVALID_ID) -> None:
        super().__init__(phone.account, call_id)
        self._phone = phone
        self.media: pj.AudioMedia | None = None

    def onCallState(self, _: pj.OnCallStateParam) -> None:  # noqa: N802 - its name
        info = self.getInfo()
        if info.state == _CONFIRMED:
            _tell("confirmed", peer=info.remoteUri)
        elif info.state == _DISCONNECTED:
            self._phone.forget(self)
            _tell("ended", status=info.lastStatusCode, reason=info.lastReason)

    def onCallMediaState(self, _: pj.OnCallMediaStateParam) -> None:  # noqa: N802 - its name
        info = self.getInfo()  # held here: what it contains dies with it
        for index, media in enumerate(info.media):
            if media.type == pj.PJMEDIA_TYPE_AUDIO and media.status == pj.PJSUA_CALL_MEDIA_ACTIVE:
                self.media = self.getAudioMedia(index)
                self.media.startTransmit(self._phone.recorder)
                if self._phone.player is not None:
                    self._phone.player.startTransmit(self.media)
            if media.type == pj.PJMEDIA_TYPE_AUDIO:
                _tell(
                    "media",
                    state=_MEDIA_STATUS.get(media.status, str(media.status)),
                    codec=self._codec(index),
                )

    def onDtmfDigit(self, digit: pj.OnDtmfDigitParam) -> None:  # noqa: N802 - its name
        _tell("key", digit=digit.digit, method=digit.method)

    def onCallTransferStatus(self, status: pj.OnCallTransferStatusParam) -> None:  # noqa: N802 - its name
        _tell("transfer", status=status.statusCode, final=bool(status.finalNotify))

    def _codec(self, index: int) -> str:
        try:
            return str(self.getStreamInfo(index).codecName)
        except pj.Error:
            return ""


class _Account(pj.Account):  # type: ignore[misc]  # pjsua2 has no types
    """The registration, and who answers."""

    def __init__(self, phone: _Phone) -> None:
        super().__init__()
        self._phone = phone

    def onRegState(self, state: pj.OnRegStateParam) -> None:  # noqa: N802 - its name
        _tell("registration", status=state.code, expires_s=state.expiration)

    def onIncomingCall(self, incoming: pj.OnIncomingCallParam) -> None:  # noqa: N802 - its name
        call = _Call(self._phone, incoming.callId)
        self._phone.calls.append(call)
        _tell("incoming", peer=call.getInfo().remoteUri)
        if self._phone.answers:
            call.answer(_operation(200))


class _Phone:
    """One endpoint, one account, and the calls it has, the newest last."""

    def __init__(self, settings: dict[str, Any]) -> None:
        self._settings = settings
        self.answers: bool = settings["answers"]
        self.calls: list[_Call] = []
        self.player: pj.AudioMediaPlayer | None = None
        self.endpoint = _endpoint(settings)
        self.recorder = pj.AudioMediaRecorder()
        self.recorder.createRecorder(settings["record"])
        self.account = _Account(self)
        self.account.create(_account(settings))

    def forget(self, call: _Call) -> None:
        """Let go of a call that has ended."""
        self.calls = [each for each in self.calls if each is not call]

    def obey(self, command: dict[str, Any]) -> None:
        """Carry out a command: `do` names it, the rest are its arguments."""
        arguments = {name: value for name, value in command.items() if name != "do"}
        try:
            getattr(self, f"do_{command['do']}")(**arguments)
        except pj.Error as error:
            _tell("failed", command=command, reason=error.reason)

    def do_dial(self, uri: str) -> None:
        """Call somebody."""
        call = _Call(self)
        self.calls.append(call)
        call.makeCall(uri, _operation())

    def do_say(self, wav: str) -> None:
        """Say a file, once."""
        self.player = pj.AudioMediaPlayer()
        self.player.createPlayer(wav, pj.PJMEDIA_FILE_NO_LOOP)
        media = self.calls[-1].media
        assert media is not None, "nobody listens yet"
        self.player.startTransmit(media)

    def do_press(self, keys: str, method: str) -> None:
        """Press keys: `rfc4733` or `info`."""
        if method == "rfc4733":
            self.calls[-1].dialDtmf(keys)
            return
        keyed = pj.CallSendDtmfParam()
        keyed.method, keyed.duration, keyed.digits = pj.PJSUA_DTMF_METHOD_SIP_INFO, 160, keys
        self.calls[-1].sendDtmf(keyed)

    def do_hold(self) -> None:
        """Put the call on hold."""
        self.calls[-1].setHold(_operation())

    def do_resume(self) -> None:
        """Take the call from hold."""
        operation = _operation()
        operation.opt.flag = pj.PJSUA_CALL_UNHOLD
        self.calls[-1].reinvite(operation)

    def do_renegotiate(self, codecs: list[str]) -> None:
        """Offer other codecs in a re-INVITE."""
        _prefer(self.endpoint, codecs)
        operation = _operation()
        operation.opt.flag = pj.PJSUA_CALL_REINIT_MEDIA
        self.calls[-1].reinvite(operation)

    def do_update(self) -> None:
        """Offer the same again in an UPDATE (RFC 3311)."""
        self.calls[-1].update(_operation())

    def do_transfer(self, uri: str) -> None:
        """Send the peer to somebody else."""
        self.calls[-1].xfer(uri, _operation())

    def do_attend(self) -> None:
        """Join the peers of the two newest calls, by a REFER of the older with Replaces."""
        self.calls[-2].xferReplaces(self.calls[-1], _operation())

    def do_hang_up(self) -> None:
        """End the newest call."""
        self.calls[-1].hangup(_operation())

    def do_unregister(self) -> None:
        """Take the binding back."""
        self.account.setRegistration(False)

    def run(self) -> None:
        """Serve until stdin ends, or says `quit`."""
        unread = b""
        while True:
            self.endpoint.libHandleEvents(_LOOK_MS)
            if not select.select([0], [], [], 0)[0]:
                continue
            piece = os.read(0, 65536)
            *lines, unread = (unread + piece).split(b"\n")
            for line in lines:
                self.obey(json.loads(line))
            if not piece:
                return

    def close(self) -> None:
        """Unregister, complete the recording, free the ports."""
        self.player = None
        self.calls.clear()
        del self.recorder
        self.account.shutdown()
        self.endpoint.libDestroy()


def _operation(status: int = 0) -> pj.CallOpParam:
    operation = pj.CallOpParam(True)
    operation.opt.videoCount = 0
    if status:
        operation.statusCode = status
    return operation


def _endpoint(settings: dict[str, Any]) -> pj.Endpoint:
    endpoint = pj.Endpoint()
    endpoint.libCreate()
    configuration = pj.EpConfig()
    configuration.uaConfig.threadCnt = 0
    configuration.uaConfig.mainThreadOnly = True
    configuration.logConfig.level = 5
    configuration.logConfig.consoleLevel = 0
    configuration.logConfig.filename = settings["log"]
    configuration.medConfig.clockRate = 8000  # the codecs' own: nothing is resampled
    configuration.medConfig.noVad = True
    configuration.medConfig.ecTailLen = 0
    configuration.medConfig.ilbcMode = settings["ilbc_mode_ms"]
    endpoint.libInit(configuration)
    endpoint.audDevManager().setNullDev()
    transport = pj.TransportConfig()
    transport.port, transport.boundAddress = settings["sip_port"], "127.0.0.1"
    endpoint.transportCreate(pj.PJSIP_TRANSPORT_UDP, transport)
    endpoint.libStart()
    _prefer(endpoint, settings["codecs"])
    return endpoint


def _prefer(endpoint: pj.Endpoint, codecs: list[str]) -> None:
    """Speak these codecs and no other, the best first."""
    for each in endpoint.codecEnum2():
        endpoint.codecSetPriority(each.codecId, 0)
    for rank, name in enumerate(codecs):
        endpoint.codecSetPriority(_CODECS[name], 255 - rank)


def _account(settings: dict[str, Any]) -> pj.AccountConfig:
    configuration = pj.AccountConfig()
    configuration.idUri = f"sip:{settings['user']}@{settings['server']}"
    configuration.regConfig.registrarUri = f"sip:{settings['server']}"
    configuration.sipConfig.authCreds.append(
        pj.AuthCredInfo("digest", "*", settings["user"], 0, settings["password"])
    )
    if settings["proxy"]:
        configuration.sipConfig.proxies.append(f"sip:{settings['proxy']};lr")
    media = configuration.mediaConfig.transportConfig
    media.boundAddress, media.port, media.portRange = "127.0.0.1", settings["rtp_port"], settings["rtp_range"]
    configuration.mediaConfig.srtpUse = settings["srtp"]
    configuration.mediaConfig.srtpSecureSignaling = 0  # its keys may go over UDP
    timer = configuration.callConfig
    timer.timerMinSESec, timer.timerSessExpiresSec = 90, settings["session_expires_s"]
    return configuration


def main() -> None:
    """Run the phone that the JSON file named on the command line describes."""
    phone = _Phone(json.loads(Path(sys.argv[1]).read_text()))
    phone.run()
    phone.close()
    os._exit(0)  # an assertion of the library trips over the interpreter's own way out


if __name__ == "__main__":
    main()
