"""JSONata by the Python package jsonata-python, instead of the Java library that LocalStack downloads."""

import jsonata
from localstack.services.stepfunctions.asl.jsonata import jsonata as localstack_jsonata


def install():
    localstack_jsonata._eval_jsonata = evaluate


def evaluate(expression):
    """The value of an expression. LocalStack writes its variables into it, so there is no input beside it."""
    try:
        return plain(jsonata.Jsonata(expression).evaluate(None))
    except Exception as error:
        raise localstack_jsonata.JSONataException("UNKNOWN", str(error)) from error


def plain(value):
    """JSON has one kind of number, and Step Functions writes a whole one without a fraction."""
    if isinstance(value, dict):
        return {name: plain(member) for name, member in value.items()}
    if isinstance(value, list):
        return [plain(member) for member in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value
