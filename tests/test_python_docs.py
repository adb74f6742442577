"""What `help` says at run time: shapes, units, errors, examples; and that the stub says the same."""

import ast
import doctest
import importlib
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import pmtaemail
from pmtaemail import _native, aio, testing

PACKAGE = Path(__file__).parent.parent / "python/pmtaemail"


def stub_docs() -> dict[str, str]:
    """The docstrings of the stub, by qualified names."""
    found = {}

    def visit(node: ast.AST, prefix: str) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, (ast.FunctionDef, ast.ClassDef)):
                name = prefix + child.name
                # What Python calls itself is explained by Python.
                if not child.name.startswith("__"):
                    found[name] = inspect.cleandoc(ast.get_docstring(child) or "")
                visit(child, f"{name}.")

    visit(ast.parse((PACKAGE / "_native.pyi").read_text(encoding="utf-8")), "")
    return found


def at_run_time(name: str) -> object:
    value: object = _native
    for step in name.split("."):
        value = getattr(value, step)
    return value


def test_the_stub_says_what_help_says():
    docs = stub_docs()
    assert set(docs) >= {"check", "render", "Pickup", "Pickup.submit", "Pickup.submit_many", "Prepared"}
    for name, doc in docs.items():
        assert doc == (inspect.getdoc(at_run_time(name)) or ""), name
        assert len(doc) > 30, name


PUBLIC = {
    "check": pmtaemail.check,
    "warnings": pmtaemail.warnings,
    "render": pmtaemail.render,
    "Pickup": pmtaemail.Pickup,
    "Pickup.submit": pmtaemail.Pickup.submit,
    "Pickup.submit_many": pmtaemail.Pickup.submit_many,
    "Pickup.memory": pmtaemail.Pickup.memory,
    "AsyncPickup.submit": pmtaemail.AsyncPickup.submit,
    "testing.capture": testing.capture,
    "testing.read": testing.read,
    "attachment": pmtaemail.attachment,
}


@pytest.mark.parametrize("name", PUBLIC)
def test_examples_work(name: str):
    doc = inspect.getdoc(PUBLIC[name])
    examples = doctest.DocTestParser().get_doctest(doc, {}, name, None, None)
    assert examples.examples, name
    assert not doctest.DocTestRunner(verbose=False).run(examples).failed


@pytest.mark.parametrize("name", PUBLIC)
def test_errors_are_named(name: str):
    assert "Error" in inspect.getdoc(PUBLIC[name]), name


def test_everything_public_is_documented():
    for module in (pmtaemail, aio, testing):
        for name in getattr(module, "__all__", ["AsyncPickup"]):
            value = getattr(module, name)
            if name.startswith("__"):
                continue
            assert inspect.getdoc(value), name
            members = vars(value).items() if inspect.isclass(value) and value.__module__.startswith("pmtaemail") else ()
            for member, each in members:
                if not member.startswith("_") and (callable(each) or isinstance(each, property)):
                    assert inspect.getdoc(each), f"{name}.{member}"


def test_signatures_are_those_of_the_stub():
    assert str(inspect.signature(pmtaemail.Pickup)) == (
        "(directory, *, durability='durable', staging=None, syncfs=True, file_mode=None, file_group=None, state=None)"
    )
    assert str(inspect.signature(pmtaemail.check)) == "(message=None, /, *, strict=False, **fields)"


SUBINTERPRETER = """
import importlib, sys
try:
    interpreters = importlib.import_module("_xxsubinterpreters")
except ImportError:
    interpreters = importlib.import_module("_interpreters")
program = '''
try:
    import pmtaemail
except ImportError as error:
    print("refused")
else:
    try:
        pmtaemail.render({"from": 1})
    except pmtaemail.MessageError:
        print("matches")
'''
def here():
    sys.stdout.flush()
    exec(program)
    sys.stdout.flush()
if sys.argv[1] == "main first":
    here()
for _ in range(2):
    interpreters.run_string(interpreters.create(), program + "import sys; sys.stdout.flush()")
here()
"""


@pytest.mark.parametrize("order", ["main first", "main last"])
def test_in_subinterpreters_exceptions_match_or_the_import_says_no(order: str):
    done = subprocess.run(
        [sys.executable, "-c", SUBINTERPRETER, order], capture_output=True, text=True, cwd=PACKAGE.parent, check=False
    )
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.split()) == (4 if order == "main first" else 3)
    # The first one works, and no other does half.
    assert set(done.stdout.split()) == {"matches", "refused"}
    assert done.stdout.split().count("matches") == (2 if order == "main first" else 1)


def test_a_second_import_in_the_same_interpreter_works():
    assert importlib.reload(pmtaemail).check is pmtaemail.check
