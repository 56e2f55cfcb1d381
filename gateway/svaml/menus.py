"""Menus: prompts, keys, and the result that the application is told.

A menu either collects digits (`max_digits`) or offers keys (`options`); a key may lead to another menu.  What nobody
answers, or answers with a key that is not offered, is asked again so many times.  Who hangs up instead of answering has
given a result, too.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from gateway.svaml.events import MenuResult, MenuResultType
from gateway.svaml.model import Menu, MenuGoTo, MenuOption, MenuReturn, RunMenu
from gateway.svaml.prompts import split_prompts
from gateway.switch.steering import Prompt, SteeredCall
from gateway.switch.world import CallOver

__all__ = ["prompts_of", "run_menu"]

_PARTIES: Final = ("caller", "callee")
_MOST_STEPS: Final = 100
"""Menus that lead to each other in a circle are left some time."""


async def run_menu(
    call: SteeredCall, wanted: RunMenu, *, hung_up: Callable[[MenuResult], Awaitable[None]]
) -> MenuResult:
    """Ask, and return what was answered.

    hung_up: is told in which menu whoever was asked has hung up; the call ends then.
    """
    menus = {menu.id: menu for menu in wanted.menus}
    menu = menus[wanted.main_menu]
    for _ in range(_MOST_STEPS):
        try:
            outcome = await _ask(call, menu, wanted)
        except CallOver as over:
            if over.ending.by in _PARTIES:
                await hung_up(MenuResult(MenuResultType.HANGUP, menu.id))
            raise
        if isinstance(outcome, MenuResult):
            return outcome
        if outcome.menu not in menus:
            break
        menu = menus[outcome.menu]
    return MenuResult(MenuResultType.ERROR, menu.id)


async def _ask(call: SteeredCall, menu: Menu, wanted: RunMenu) -> MenuResult | MenuGoTo:
    """Ask one menu, as often as it wants to be asked."""
    said = prompts_of(menu.main_prompt, menu.main_text, wanted.locale)
    missed = MenuResult(MenuResultType.TIMEOUT, menu.id)
    for _ in range(1 + menu.repeats):
        keys = await _collect(call, menu, said, barge=wanted.barge)
        if menu.options:
            option = _option(menu, keys)
            if option is not None:
                return _chosen(menu, option)
        elif keys:
            return MenuResult(MenuResultType.SEQUENCE, menu.id, keys)
        if keys:
            missed = MenuResult(MenuResultType.INVALIDINPUT, menu.id, keys)
        said = prompts_of(menu.repeat_prompt, menu.repeat_text, wanted.locale) or said
    return missed


async def _collect(call: SteeredCall, menu: Menu, said: Sequence[Prompt], *, barge: bool) -> str:
    if not barge:
        await call.play(said)
    return await call.collect(
        max_digits=1 if menu.options else menu.max_digits or 1,
        timeout_s=menu.timeout_ms / 1000,
        barge=said if barge else (),
    )


def _option(menu: Menu, key: str) -> MenuOption | None:
    return next((option for option in menu.options if option.dtmf == key), None)


def _chosen(menu: Menu, option: MenuOption) -> MenuResult | MenuGoTo:
    match option.action:
        case MenuReturn(value):
            return MenuResult(MenuResultType.RETURN, menu.id, value, context=option.context)
        case MenuGoTo() as other:
            return other


def prompts_of(prompts: str, text: str, locale: str) -> tuple[Prompt, ...]:
    """Return what is played for a list of prompts or, where there is none, a text."""
    if prompts:
        return tuple(Prompt(item, locale=locale) for item in split_prompts(prompts))
    return (Prompt(text, spoken=True, locale=locale),) if text else ()
