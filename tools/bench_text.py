"""Numbers as the table of `make bench` shows them."""

import math


def thousands(number):
    return f"{number:,}"


def figures(number):
    """With three figures that count, or a tenth."""
    if number >= 100:
        number = round(number, 2 - math.floor(math.log10(number)))
        return f"{number:,.0f}"
    return f"{number:.1f}"


def millis(seconds):
    number = seconds * 1e3
    return f"{number:.0f} ms" if number >= 100 else f"{number:.1f} ms"


def span(numbers, digits):
    """From the least to the greatest."""
    return f"{min(numbers):.{digits}f} to {max(numbers):.{digits}f}"


def spread(told):
    """Median, least and processor time, in one unit."""
    seconds = [told[f"{of}_seconds"] for of in ("median", "least", "processor")]
    if seconds[0] >= 1:
        return ", ".join(f"{number:.2f}" for number in seconds) + " s"
    return ", ".join(millis(number).removesuffix(" ms") for number in seconds) + " ms"


def times(ratio):
    return f"{ratio:.0f} times" if ratio >= 10 else f"{ratio:.1f} times"
