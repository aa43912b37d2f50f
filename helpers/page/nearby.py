"""What a reader may ask for next: the settings one move away from the present one."""

import ipywidgets

FURTHEST = 2  # steps of a slider


def values_of(controls):
    """Return {name: value} of {name: control}.

    Sliders count in steps, and 3 * 0.1 is not 0.3: numbers are rounded, so that one setting has
    one name wherever it comes from.
    """
    return {
        name: round(control.value, 10) if isinstance(control.value, float) else control.value
        for name, control in controls.items()
    }


def settings_nearby(controls, names):
    """Return the values of `controls` with one of those named moved, near before far."""
    now = values_of(controls)
    moves = [(*move, name) for name in names for move in _others(controls[name])]
    moves.sort(key=lambda move: move[0])
    return [now | {name: value} for _distance, value, name in moves]


def _others(control):
    """Return pairs: how many steps away, and the value there."""
    if isinstance(control, ipywidgets.Checkbox):
        return [(1, not control.value)]
    if isinstance(control, ipywidgets.ToggleButtons):
        return [(1, value) for _, value in control._options_full if value != control.value]
    steps = [step for step in range(-FURTHEST, FURTHEST + 1) if step]
    if isinstance(control, ipywidgets.FloatSlider):
        values = [(abs(step), round(control.value + step * control.step, 10)) for step in steps]
        return [one for one in values if control.min <= one[1] <= control.max]
    places = [(abs(step), control.index + step) for step in steps]
    options = control._options_full
    return [(far, options[at][1]) for far, at in places if 0 <= at < len(options)]
