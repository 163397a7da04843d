"""Rows for a person: a table where the terminal has room for it, else a block a row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from rich.console import Console

_GAP = 2
_LABEL = 10


def print_rows(
    console: Console,
    title: str,
    headings: Sequence[str],
    rows: Sequence[Sequence[Text]],
    numbers: Collection[str] = (),
) -> None:
    """Print rows under their headings; those in ``numbers`` stand to the right.

    Nothing is folded in a table: where its columns are wider than the terminal, each row is a
    block, its first cell above the others.
    """
    columns = zip(*(map(len, headings), *(map(len, row) for row in rows)), strict=True)
    width = sum(max(column) + _GAP for column in columns) - _GAP
    if width <= console.width:
        console.print(_table(title, headings, rows, numbers))
        return
    console.print(Text(title, style="italic"))
    for row in rows:
        console.print(row[0], style="bold", soft_wrap=True)
        for heading, cell in zip(headings[1:], row[1:], strict=True):
            _print_cell(console, heading, cell)


def _table(
    title: str,
    headings: Sequence[str],
    rows: Sequence[Sequence[Text]],
    numbers: Collection[str],
) -> Table:
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for heading in headings:
        table.add_column(heading, justify="right" if heading in numbers else "left", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    return table


def _print_cell(console: Console, heading: str, cell: Text) -> None:
    """Print a cell behind its heading; a single word, such as an address, is never broken."""
    label = f"  {heading}".ljust(_LABEL + _GAP)
    if " " not in cell.plain:
        console.print(Text.assemble((label, "dim"), cell), soft_wrap=True)
        return
    grid = Table.grid()
    grid.add_column(width=len(label))
    grid.add_column(overflow="fold")
    grid.add_row(Text(label, style="dim"), cell)
    console.print(grid)
