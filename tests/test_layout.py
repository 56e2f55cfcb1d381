"""The house keeps its shape: small files, short functions, and no package marker where one does harm."""

import ast
import subprocess
from pathlib import Path

ROOT = Path(__file__).parent.parent
MOST_FILE_LINES = 500
MOST_FUNCTION_LINES = 60
MOST_MAKEFILE_LINES = 40


def _tracked(*patterns):
    """Return the files of the project; an export without git counts what lies there."""
    asked = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", *patterns],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if asked.returncode == 0:
        return sorted(ROOT / name for name in asked.stdout.splitlines() if (ROOT / name).is_file())
    return sorted(
        path for top in ("gateway", "codecs", "native", "tests") for path in (ROOT / top).rglob(patterns[0])
    )


PYTHON_FILES = _tracked("*.py")


def _name(path):
    return str(path.relative_to(ROOT))


def _parsed(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def _long_functions(path):
    """Yield the functions over the limit that do not explain themselves with the word "long"."""
    for node in ast.walk(_parsed(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            explained = "long" in (ast.get_docstring(node) or "").lower()
            if node.end_lineno - node.lineno >= MOST_FUNCTION_LINES and not explained:
                yield f"{_name(path)}: {node.name}"


def _offers_something(module):
    return any(
        isinstance(node, ast.Assign) and "__all__" in ast.unparse(node.targets[0]) for node in module.body
    )


def test_no_file_is_longer_than_a_reader_can_hold():
    """A table of a standard is as long as the standard made it."""
    read = [path for path in PYTHON_FILES if path.name != "tables.py"]
    lengths = {_name(path): len(path.read_text(encoding="utf-8").splitlines()) for path in read}

    assert {name: length for name, length in lengths.items() if length > MOST_FILE_LINES} == {}


def test_a_long_function_gives_its_reason():
    """For example: "Long because the standard's search is one loop"."""
    assert [function for path in PYTHON_FILES for function in _long_functions(path)] == []


def test_a_module_says_what_it_is():
    modules = [path for path in PYTHON_FILES if _name(path).startswith(("gateway", "codecs"))]

    assert [_name(path) for path in modules if not ast.get_docstring(_parsed(path))] == []


def test_a_module_says_what_it_offers():
    """A module that holds more than its docstring has `__all__`; what `python -m` runs offers nothing."""
    modules = [path for path in PYTHON_FILES if _name(path).startswith(("gateway", "codecs"))]
    with_content = [path for path in modules if len(_parsed(path).body) > 1 and path.name != "__main__.py"]

    assert [_name(path) for path in with_content if not _offers_something(_parsed(path))] == []


def test_tests_are_no_package():
    """A tests/__init__.py would make pytest put the root, and so a folder named codecs, on sys.path."""
    assert list((ROOT / "tests").rglob("__init__.py")) == []


def test_codecs_is_no_package():
    """The standard library owns the name `codecs`."""
    assert not (ROOT / "codecs" / "__init__.py").exists()


def test_the_makefile_is_short():
    assert len((ROOT / "Makefile").read_text(encoding="utf-8").splitlines()) <= MOST_MAKEFILE_LINES
