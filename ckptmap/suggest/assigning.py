"""The best one-to-one assignment of rows to columns (Jonker and Volgenant, by shortest augmenting paths)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def assign(score: NDArray[np.float32], allowed: NDArray[np.bool_]) -> dict[int, int]:
    """Row to column, of all assignments with the most allowed pairs one with the highest sum of scores.

    ``score`` is [rows, columns]; pairs that are not ``allowed`` are never made. What cannot reach each other is
    solved apart, so that time grows with the largest group of rows and columns that can.
    """
    found: dict[int, int] = {}
    for rows, columns in components(allowed):
        block = np.ix_(rows, columns)
        good = allowed[block]
        cost = np.where(good, -score[block].astype(np.float64), 0.0)
        spread = float(np.abs(cost).max()) + 1.0
        cost = np.where(good, cost, spread * (len(rows) + len(columns)) * 2)
        turned = len(rows) > len(columns)
        pairs = solve(cost.T if turned else cost)
        for row, column in enumerate(pairs):
            one, other = (int(column), row) if turned else (row, int(column))
            if good[one, other]:
                found[int(rows[one])] = int(columns[other])
    return found


def components(allowed: NDArray[np.bool_]) -> list[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """The groups of rows and columns that are connected by allowed pairs."""
    groups = []
    free_rows: NDArray[np.bool_] = np.asarray(allowed.any(axis=1), bool)
    while free_rows.any():
        rows = np.zeros(len(allowed), bool)
        rows[int(np.argmax(free_rows))] = True
        columns = np.zeros(allowed.shape[1], bool)
        while True:
            more_columns = np.asarray(allowed[rows].any(axis=0), bool)
            more_rows = np.asarray(allowed[:, more_columns].any(axis=1), bool)
            if (more_columns == columns).all() and (more_rows == rows).all():
                break
            rows, columns = more_rows, more_columns
        free_rows &= ~rows
        groups.append((np.flatnonzero(rows), np.flatnonzero(columns)))
    return groups


def solve(cost: NDArray[np.float64]) -> NDArray[np.intp]:
    """The column of each row in the cheapest assignment; [rows, columns] with no more rows than columns."""
    rows, columns = cost.shape
    by_row, by_column = np.zeros(rows), np.zeros(columns)
    row_of = np.full(columns, -1)
    column_of = np.full(rows, -1)
    _start(cost, by_row, by_column, row_of, column_of)
    for row in range(rows):
        if column_of[row] < 0:
            _augment(cost, row, by_row, by_column, row_of, column_of)
    return column_of


def _start(
    cost: NDArray[np.float64],
    by_row: NDArray[np.float64],
    by_column: NDArray[np.float64],
    row_of: NDArray[np.intp],
    column_of: NDArray[np.intp],
) -> None:
    """Prices to begin with, and each row that has a cheapest column of its own assigned to it."""
    if len(cost) == cost.shape[1]:
        by_column[:] = cost.min(axis=0)
    by_row[:] = (cost - by_column).min(axis=1)
    first = (cost - by_column - by_row[:, None]).argmin(axis=1)
    for row, column in enumerate(first):
        if row_of[column] < 0:
            row_of[column], column_of[row] = row, column


def _nearest(distance: NDArray[np.float64], row_of: NDArray[np.intp]) -> int:
    """The nearest column, a free one where several are: where many are equal, the path ends at once."""
    column = int(np.argmin(distance))
    if row_of[column] < 0:
        return column
    free = np.flatnonzero((distance == distance[column]) & (row_of < 0))
    return int(free[0]) if len(free) else column


def _augment(
    cost: NDArray[np.float64],
    start: int,
    by_row: NDArray[np.float64],
    by_column: NDArray[np.float64],
    row_of: NDArray[np.intp],
    column_of: NDArray[np.intp],
) -> None:
    """Assign one more row, along the shortest path to a free column."""
    columns = cost.shape[1]
    shortest = np.full(columns, np.inf)
    before = np.full(columns, start)
    done = np.zeros(columns, bool)
    row, length = start, 0.0
    seen = [start]
    while True:
        reduced = length + cost[row] - by_row[row] - by_column
        better = ~done & (reduced < shortest)
        shortest[better], before[better] = reduced[better], row
        column = _nearest(np.where(done, np.inf, shortest), row_of)
        length = float(shortest[column])
        done[column] = True
        if row_of[column] < 0:
            break
        row = int(row_of[column])
        seen.append(row)
    by_row[start] += length
    for other in seen[1:]:
        by_row[other] += length - shortest[column_of[other]]
    by_column[done] += shortest[done] - length
    while True:
        row = int(before[column])
        row_of[column] = row
        column, column_of[row] = int(column_of[row]), column
        if row == start:
            return
