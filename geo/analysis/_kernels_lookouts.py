"""Compiled line of sight over kilometres, on a round earth under refraction."""

import math

import numba as nb

compiled = nb.njit(cache=True, nogil=True, error_model="numpy")


@compiled
def see_far(elevation, row, col, cell, eye_m, target_m, bend, radius_m, seen):
    """
    Mark in `seen` (2 k + 1 square, the observer in the middle) every cell in sight.

    Heights sink by ``bend`` x distance². Each crossing of the line to a target with a line through cell centres is
    interpolated between the two centres it lies between; one above the line of sight hides the target.
    """
    half = seen.shape[0] // 2
    rows, cols = elevation.shape
    z0 = float(elevation[row, col])
    if z0 != z0:
        return
    eye = z0 + eye_m
    seen[half, half] = 1
    for down in range(-half, half + 1):
        if row + down < 0 or row + down >= rows:
            continue
        for right in range(-half, half + 1):
            if col + right < 0 or col + right >= cols or (down == 0 and right == 0):
                continue
            far = cell * math.sqrt(float(down * down + right * right))
            z = float(elevation[row + down, col + right])
            if far > radius_m or z != z:
                continue
            slope = (z + target_m - bend * far * far - eye) / far
            if _clear(elevation, row, col, down, right, far, eye, slope, bend):
                seen[half + down, half + right] = 1


@compiled
def _clear(elevation, row, col, down, right, far, eye, slope, bend):
    """Whether no crossing on the way rises above the line of sight."""
    rows_n, cols_n = abs(down), abs(right)
    step_r, step_c = 1 if down > 0 else -1, 1 if right > 0 else -1
    for i in range(1, rows_n):
        whole, rest = divmod(cols_n * i, rows_n)
        r, c = row + step_r * i, col + step_c * whole
        ground = float(elevation[r, c])
        if rest:
            ground += rest / rows_n * (float(elevation[r, c + step_c]) - ground)
        away = far * i / rows_n
        if (ground - bend * away * away - eye) / away > slope:
            return False
    for j in range(1, cols_n):
        whole, rest = divmod(rows_n * j, cols_n)
        if rows_n and not rest:
            continue
        r, c = row + step_r * whole, col + step_c * j
        ground = float(elevation[r, c])
        if rest:
            ground += rest / cols_n * (float(elevation[r + step_r, c]) - ground)
        away = far * j / cols_n
        if (ground - bend * away * away - eye) / away > slope:
            return False
    return True
