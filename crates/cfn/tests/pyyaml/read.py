"""Reads pairs of texts and the JSON that each must mean, as PyYAML's safe_load does with CloudFormation's tags known.

Standard input is a JSON list of [name, text, json]. The argument is what the texts are: "yaml", or "template": then dates
are text, as to CloudFormation, and the JSON is what the loader wrote. Says every difference, and fails if there is one.
"""

import json
import sys

import yaml


class Loader(yaml.SafeLoader):
    """CloudFormation's short forms, which a plain SafeLoader does not know."""


class TemplateLoader(Loader):
    """What CloudFormation reads otherwise than YAML 1.1: dates, and the key of a default, are text."""


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
for text in ("timestamp", "value"):
    TemplateLoader.add_constructor(f"tag:yaml.org,2002:{text}", yaml.SafeLoader.construct_scalar)


def template(text):
    """A template, in the one form that the loader writes of several that mean the same."""
    text = text.lstrip("\ufeff")
    try:
        read = json.loads(text)
    except ValueError:
        read = yaml.load(text, TemplateLoader)
    if not isinstance(read, dict):
        return read
    for section in [name for name, content in read.items() if name != "Resources" and content in ({}, "")]:
        del read[section]
    read.setdefault("AWSTemplateFormatVersion", "2010-09-09")
    for resource in filter(lambda resource: isinstance(resource, dict), read.get("Resources", {}).values()):
        if isinstance(resource.get("DependsOn"), str):
            resource["DependsOn"] = [resource["DependsOn"]]
        for option in [name for name in ("DependsOn", "Properties") if resource.get(name) in ([], {})]:
            del resource[option]
    return read


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


READINGS = {"yaml": lambda text: yaml.load(text, Loader), "template": template}


def compared(read, name, text, expected):
    try:
        found = difference(read(text), json.loads(expected), name)
    except (yaml.YAMLError, ValueError) as error:
        return f"PyYAML cannot read {name}: {error}"
    return found and f"PyYAML reads something else: {found}"


def main():
    read = READINGS[sys.argv[1]]
    pairs = json.load(sys.stdin)
    if not pairs:
        sys.exit("nothing to read was given")
    found = list(filter(None, (compared(read, *pair) for pair in pairs)))
    if found:
        sys.exit("\n".join(found))


main()
