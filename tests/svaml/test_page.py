"""The page about SVAML is what the tables say."""

import json
import re
from pathlib import Path

from gateway.svaml.model import Moment
from gateway.svaml.page import page
from gateway.svaml.parse import parse

PAGE = Path(__file__).parents[2] / "docs" / "svaml.md"


def test_the_page_is_current():
    """If not: `python -m gateway.svaml.page > docs/svaml.md`."""
    assert PAGE.read_text(encoding="utf-8") == page()


def test_the_examples_on_the_page_can_be_obeyed():
    for example in re.findall(r"```json\n(.*?)```", page(), re.DOTALL):
        assert parse(json.dumps(json.loads(example)), moment=Moment.ICE).ignored == ()
