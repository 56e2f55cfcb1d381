"""The files of the web phone, as far as they can be read without a browser."""

import re

import pytest

from gateway.console import PAGES

SCRIPTS = sorted(name for name in PAGES if name.endswith(".js"))
DOCUMENTS = sorted(name for name in PAGES if name.endswith(".html"))


def text(name):
    return PAGES[name].body.decode()


@pytest.mark.parametrize("name", DOCUMENTS)
def test_no_page_holds_script_or_style_of_its_own(name):
    """The policy would not run it."""
    page = text(name)

    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", page)
    assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", page))


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_module_imports_what_lies_beside_it_and_nothing_else(name):
    imported = re.findall(r'^import .*? from "([^"]+)";|^\} from "([^"]+)";', text(name), re.MULTILINE)

    assert all(one.startswith("./") and one[2:] in PAGES for pair in imported for one in pair if one)


@pytest.mark.parametrize("name", SCRIPTS)
def test_no_script_makes_code_or_markup_of_text(name):
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", text(name)
    )


def test_everything_that_the_module_exports_has_a_type():
    exported = set(re.findall(r"^export (?:const|class) (\w+)", text("tandem.js"), re.MULTILINE))

    typed = set(re.findall(r"^export declare (?:const|class) (\w+)", text("tandem.d.ts"), re.MULTILINE))

    assert exported == typed


@pytest.mark.parametrize("kind", ["CallState", "CallEndCause"])
def test_numbers_of_states_and_causes_are_the_same_in_the_types(kind):
    def numbers(source):
        block = re.search(rf"{kind}(?: = Object\.freeze\(|: )\{{(.*?)\}}", source, re.DOTALL).group(1)
        return {name: int(number) for name, number in re.findall(r"(\w+): (\d+)", block)}

    assert numbers(text("tandem.js")) == numbers(text("tandem.d.ts"))


def test_what_the_page_looks_up_is_on_it():
    wanted = set(re.findall(r'\$\("([a-z-]+)"\)', text("phone.js")))

    assert wanted - set(re.findall(r'id="([a-z-]+)"', text("index.html"))) == set()
