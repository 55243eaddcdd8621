"""Reads pairs of texts, YAML and the JSON that it must mean, as PyYAML's safe_load does with CloudFormation's tags known.

Standard input is a JSON list of [name, yaml, json]. Ends with the first pair that differs, and says where.
"""

import json
import sys

import yaml


class Loader(yaml.SafeLoader):
    """CloudFormation's short forms, which a plain SafeLoader does not know."""


def written_out(loader, tag, node):
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
        if tag == "GetAtt":
            value = value.split(".", 1)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    return {tag if tag in ("Ref", "Condition") else f"Fn::{tag}": value}


Loader.add_multi_constructor("!", written_out)


def difference(given, expected, at=""):
    """The first place where two values differ, and how; None when they are the same, types included."""
    if type(given) is not type(expected):
        return f"{at} is {given!r} ({type(given).__name__}), expected {expected!r} ({type(expected).__name__})"
    if isinstance(given, dict):
        if given.keys() != expected.keys():
            return f"{at} has the keys {sorted(map(str, given))}, expected {sorted(expected)}"
        parts = ((f"{at}.{key}", given[key], expected[key]) for key in given)
    elif isinstance(given, list):
        if len(given) != len(expected):
            return f"{at} has {len(given)} items, expected {len(expected)}"
        parts = ((f"{at}[{index}]", *pair) for index, pair in enumerate(zip(given, expected)))
    else:
        return None if given == expected else f"{at} is {given!r}, expected {expected!r}"
    return next(filter(None, (difference(one, other, path) for path, one, other in parts)), None)


def main():
    pairs = json.load(sys.stdin)
    if not pairs:
        sys.exit("nothing to read was given")
    for name, text, expected in pairs:
        found = difference(yaml.load(text, Loader), json.loads(expected), name)
        if found:
            sys.exit(f"PyYAML reads something else: {found}")


main()
