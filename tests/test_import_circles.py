"""The files of a folder of Rust import each other one way: no circles, `mod.rs` apart.

An import is a `use`, or a path in the code that begins with `crate` or `super`. It is followed through what a
`mod.rs` re-exports to the file that has the name. In each folder its files and subfolders are then the nodes of a
graph; `mod.rs`, `lib.rs` and `main.rs`, which are tables of contents, are not among them. Tests within a file do not
count.
"""

import re
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
CRATES = [ROOT / name / "src" for name in ("core", "cli", "fleet", "python", "node")]
TABLES = {"mod.rs", "lib.rs", "main.rs"}
NOISE = re.compile(r'//[^\n]*|/\*.*?\*/|b?r(#*)".*?"\1|b?"(?:\\.|[^"\\])*"|\'(?:\\.[^\']*|[^\\\'])\'', re.DOTALL)
USE = re.compile(r"\buse\s+([^;]+);")
PATH = re.compile(r"\b(?:crate|super)(?:\s*::\s*\w+)+")


def without_noise(source):
    """The code without comments and literals, and without its test modules."""
    code = NOISE.sub(lambda found: "\n" * found.group().count("\n"), source)
    while found := re.search(r"#\[cfg\(test\)\]\s*(?:#\[[^\]]*\]\s*)*(?:pub\s+)?mod\s+\w+\s*[{;]", code):
        end = found.end()
        depth = code[end - 1] == "{"
        while depth:
            depth += {"{": 1, "}": -1}.get(code[end], 0)
            end += 1
        code = code[: found.start()] + code[end:]
    return code


def names_of_tree(tree, prefix=()):
    """Each path of a use tree, as (path, the name it has here)."""
    tree = tree.strip()
    if "{" in tree:
        head, _, rest = tree.partition("{")
        prefix = (*prefix, *(part.strip() for part in head.split("::") if part.strip()))
        depth, start = 0, 0
        rest = rest.rstrip().removesuffix("}") + ","
        for at, character in enumerate(rest):
            depth += {"{": 1, "}": -1}.get(character, 0)
            if character == "," and depth == 0:
                if rest[start:at].strip():
                    yield from names_of_tree(rest[start:at], prefix)
                start = at + 1
        return
    path, _, alias = tree.partition(" as ")
    path = (*prefix, *(part.strip() for part in path.split("::")))
    if path[-1] == "self":
        path = path[:-1]
    yield path, alias.strip() or path[-1]


class Module:
    """A file, or a folder by its table of contents."""

    def __init__(self, file, parent, root):
        self.file, self.parent, self.root = file, parent, root or self
        folder = file.parent if file.name in TABLES else None
        self.children = {}
        self.code = without_noise(file.read_text())
        self.uses = [use for tree in USE.findall(self.code) for use in names_of_tree(tree)]
        self.exports = {name: path for path, name in self.uses}
        if folder:
            for entry in sorted(folder.iterdir()):
                name = entry.stem
                if re.search(rf"\bmod\s+{name}\s*;", self.code):
                    path = entry / "mod.rs" if entry.is_dir() else entry
                    self.children[name] = Module(path, self, self.root)

    def imports(self):
        yield from (path for path, _ in self.uses)
        for found in PATH.findall(USE.sub("", self.code)):
            yield tuple(part.strip() for part in found.split("::"))

    def resolve(self, path, seen=()):
        """The module that has what the path names; none of another crate."""
        module = self
        first, *rest = path
        if first == "crate":
            module = self.root
        elif first == "super":
            module = self.parent
        elif first != "self":
            if first not in self.children:
                return None
            module = self.children[first]
        for at, name in enumerate(rest):
            if module is None:
                return None
            if name == "super":
                module = module.parent
            elif name in module.children:
                module = module.children[name]
            elif name in module.exports and (module, name) not in seen:
                inner = module.resolve((*module.exports[name], *rest[at + 1 :]), (*seen, (module, name)))
                return inner or module
            else:
                return module
        return module

    def line(self):
        """The modules from the root down to this one."""
        return [*(self.parent.line() if self.parent else []), self]

    def all(self):
        yield self
        for child in self.children.values():
            yield from child.all()


def edges(root):
    """For each folder: which of its entries imports which, and where."""
    found = {}
    for module in root.all():
        own = module.line()
        for path in module.imports():
            target = module.resolve(path)
            if target is None:
                continue
            other = target.line()
            depth = next((at for at, (a, b) in enumerate(zip(own, other, strict=False)) if a is not b), None)
            if depth is not None:
                graph = found.setdefault(own[depth - 1].file.parent, {})
                where = f"{module.file.relative_to(ROOT)}: {'::'.join(path)}"
                graph.setdefault(own[depth].file, {}).setdefault(other[depth].file, where)
    return found


def circle(graph):
    """One circle of a graph as its list of imports, if there is one."""
    done = set()

    def walk(node, way):
        if node in way:
            nodes = [*way[way.index(node) :], node]
            return [graph[a][b] for a, b in pairwise(nodes)]
        if node in done:
            return None
        for other in graph.get(node, {}):
            if found := walk(other, [*way, node]):
                return found
        done.add(node)
        return None

    return next((found for node in graph if (found := walk(node, []))), None)


def graphs():
    for source in CRATES:
        root = next(source / name for name in ("lib.rs", "main.rs") if (source / name).exists())
        yield from edges(Module(root, None, None)).items()


GRAPHS = dict(graphs())


@pytest.mark.parametrize("folder", GRAPHS, ids=lambda folder: str(folder.relative_to(ROOT)))
def test_files_of_a_folder_import_each_other_one_way(folder):
    found = circle(GRAPHS[folder])
    assert not found, "\n".join(["a circle of imports:", *found])


def test_a_circle_is_found(tmp_path, monkeypatch):
    """Through a re-export, a nested tree and a path in the code; not through tests, comments and `mod.rs` itself."""
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    folder = tmp_path / "room"
    folder.mkdir()
    (tmp_path / "lib.rs").write_text("mod low;\nmod room;\n")
    (tmp_path / "low.rs").write_text("// use crate::room::A;\n#[cfg(test)]\nmod tests { use crate::room::A; }\n")
    (folder / "mod.rs").write_text("mod a;\nmod b;\nmod c;\npub(crate) use a::A;\nuse b::B;\npub struct Table;\n")
    (folder / "a.rs").write_text("use super::{Table, b::{self, B}};\nuse crate::low;\n")
    (folder / "b.rs").write_text("fn f() { super::c::g() }\n")
    (folder / "c.rs").write_text("use super::Table;\n")
    graph = edges(Module(tmp_path / "lib.rs", None, None))
    assert not any(circle(folder) for folder in graph.values())
    (folder / "c.rs").write_text("use super::A as Other;\n")
    graph = edges(Module(tmp_path / "lib.rs", None, None))
    assert circle(graph[tmp_path]) is None
    assert len(circle(graph[folder])) == 3


TESTS = ROOT / "tests"


def test_no_test_imports_a_test():
    """What two of them need is in `doors`, `judges` or `support`, where nothing is a test either."""
    tests = sorted(TESTS.glob("test_*.py"))
    assert len(tests) > 100
    houses = [path for name in ("doors", "judges", "support") for path in (TESTS / name).rglob("*.py")]
    assert len(houses) > 100
    imports = re.compile(r"^\s*(?:from|import) (test_\w+)", re.MULTILINE)
    found = {path.name: imports.findall(path.read_text()) for path in [*tests, *houses]}
    assert {name: names for name, names in found.items() if names} == {}
    assert not [path for path in houses if path.name.startswith("test_")]
