"""What a phone number is and what a minute to it costs (section 5.6)."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Path

from gateway.api import faults
from gateway.api.admission import Protected, Visitor
from gateway.api.numbering import facts_of
from gateway.api.schema import REFUSALS
from gateway.api.wire import NumberItem, NumberQueryResponse
from gateway.api.wire.base import Money
from gateway.switch.numbers import covered_by

__all__ = ["router"]

router: Final = APIRouter(route_class=Protected, tags=["numbers"], responses=REFUSALS)


@router.get("/v1/calling/query/number/{number:path}", operation_id="queryNumber")
async def query_number(number: Annotated[str, Path(max_length=64)], visit: Visitor) -> NumberQueryResponse:
    """Say what a number is: messy ones are put right first."""
    facts = facts_of(number)
    if facts is None:
        raise faults.invalid("Invalid number specified")
    rate = visit.platform.directory.rate(facts.e164)
    item = NumberItem(
        country_id=facts.country,
        number_type=facts.number_type,
        normalized_number=facts.e164,
        restricted=not covered_by(facts.e164, visit.application.destinations),
        rate=Money.of(rate.per_minute if rate else None),
    )
    return NumberQueryResponse(number=item, number_item=item)
