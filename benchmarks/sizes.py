"""Size report: `python -m benchmarks.sizes`: code lines per file and function, longest first. Reports, never fails."""

import ast
import statistics
from pathlib import Path

ROOT = Path(__file__).parents[1] / "geo"


def code_lines(source: str) -> int:
    """Lines that hold code: no blanks, comments or docstrings."""
    tree = ast.parse(source)
    documented = (ast.Module, ast.FunctionDef, ast.ClassDef)
    quiet: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, documented) and node.body and ast.get_docstring(node, clean=False) is not None:
            quiet.update(range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1))
    lines = source.splitlines()
    return sum(1 for n, line in enumerate(lines, 1) if n not in quiet and line.strip() and line.strip()[0] != "#")


def main() -> None:
    files = {file: code_lines(file.read_text("utf-8")) for file in sorted(ROOT.rglob("*.py"))}
    functions = [
        ((node.end_lineno or 0) - node.lineno + 1, f"{file.relative_to(ROOT)}:{node.name}")
        for file in files
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef)
    ]
    lengths = sorted(length for length, _ in functions)
    print(f"{len(files)} files, {sum(files.values())} code lines; function median {statistics.median(lengths)} lines")
    for count, file in sorted(((n, f) for f, n in files.items()), reverse=True, key=lambda item: item[0])[:5]:
        print(f"  {count:5d}  {file.relative_to(ROOT)}")
    for length, name in sorted(functions, reverse=True)[:5]:
        print(f"  {length:5d}  {name}")


if __name__ == "__main__":
    main()
