"""The documents of the REST API, one class each: `Asked` ones are read, `Said` ones are written."""

from gateway.api.wire.call import CalloutResponse, CallReport, CallResponse
from gateway.api.wire.conference import ConferenceResponse, ParticipantRequest, ParticipantResponse
from gateway.api.wire.configuration import (
    AssignNumbersRequest,
    CallbacksRequest,
    CallbacksResponse,
    NumberResponse,
    NumbersResponse,
    UnassignNumberRequest,
)
from gateway.api.wire.fault import FaultResponse
from gateway.api.wire.number import NumberItem, NumberQueryResponse
from gateway.api.wire.report import (
    CounterResponse,
    RecordsResponse,
    ServiceResponse,
    TimestampResponse,
    UserCallsResponse,
)

__all__ = [
    "AssignNumbersRequest",
    "CallReport",
    "CallResponse",
    "CallbacksRequest",
    "CallbacksResponse",
    "CalloutResponse",
    "ConferenceResponse",
    "CounterResponse",
    "FaultResponse",
    "NumberItem",
    "NumberQueryResponse",
    "NumberResponse",
    "NumbersResponse",
    "ParticipantRequest",
    "ParticipantResponse",
    "RecordsResponse",
    "ServiceResponse",
    "TimestampResponse",
    "UnassignNumberRequest",
    "UserCallsResponse",
]
